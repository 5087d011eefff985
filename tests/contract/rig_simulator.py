"""The simulated field: nothing to connect to, and values nobody sets."""

from __future__ import annotations

from rig import Rig

from connectors.simulator import Simulator
from twin.ports import Connector


class SimulatorRig(Rig):
    name = "simulator"
    has_server, is_selective, tells_quality = False, False, False

    def connector(self) -> Connector:
        self.simulator = Simulator(self.points)
        return self.simulator

    async def setpoint(self) -> float | None:
        slot = self.points.slot("AHU-1", "supply_setpoint")
        assert slot is not None
        return float(self.simulator.behaviours.held[slot])
