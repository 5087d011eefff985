"""An asyncua server with three variables."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from asyncua import Server, ua
from asyncua.common.node import Node
from rig import STATES, ServerRig

from connectors.opcua import OpcUaConnector
from twin.ports import Connector


class OpcUaRig(ServerRig):
    name = "opcua"
    tells_time = True
    rows = """device,point,address,states,write
AHU-1,supply_temp,ns=2;s=AHU1.Supply,,
AHU-1,status,ns=2;s=AHU1.Mode,0=off 1=run 2=fault,
AHU-1,supply_setpoint,ns=2;s=AHU1.Setpoint,,=
"""

    def connector(self) -> Connector:
        return OpcUaConnector(self.source(), self.folder, self.points, self.bindings())

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/park"

    #: a server takes seconds to make, and no time to start again
    kept: ClassVar[dict[str, tuple[Server, int, dict[str, Node]]]] = {}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if self.name in self.kept:
            self.server, self.port, self.nodes = self.kept[self.name]

    async def start(self) -> None:
        if self.name not in self.kept:
            await self.make()
            self.kept[self.name] = self.server, self.port, self.nodes
        await self.server.start()

    async def make(self) -> None:
        """A server with the air handler's three variables."""
        self.server = await self.made()
        space = await self.server.register_namespace("urn:park")
        folder = await self.server.nodes.objects.add_object(space, "AHU1")
        self.nodes: dict[str, Node] = {}
        for name, value in (("Supply", ua.Variant(0.0, ua.VariantType.Float)), ("Mode", ua.Variant(0, ua.VariantType.Int32)),
                            ("Setpoint", ua.Variant(16.0, ua.VariantType.Double))):
            self.nodes[name] = await folder.add_variable(ua.NodeId(f"AHU1.{name}", space), name, value)
        await self.nodes["Setpoint"].set_writable()

    async def made(self) -> Server:
        """A server, not yet filled."""
        server = Server()
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        return server

    async def stop(self) -> None:
        await asyncio.wait_for(self.server.stop(), 20)

    async def tell(self, name: str, value: float | int, kind: ua.VariantType, at: float,
                   status: int = ua.StatusCodes.Good) -> None:
        when = datetime.fromtimestamp(at, UTC)
        told = ua.DataValue(ua.Variant(value, kind), StatusCode=ua.StatusCode(status), SourceTimestamp=when,
                            ServerTimestamp=when)
        await self.nodes[name].write_value(told)

    async def say(self, temp: float, status: str, at: float) -> None:
        await self.tell("Supply", temp, ua.VariantType.Float, at)
        await self.tell("Mode", STATES.index(status), ua.VariantType.Int32, at)

    async def say_bad(self) -> None:
        await self.tell("Supply", 0.0, ua.VariantType.Float, datetime.now(UTC).timestamp(), ua.StatusCodes.BadSensorFailure)

    async def say_nonsense(self) -> None:
        await self.tell("Mode", 77, ua.VariantType.Int32, datetime.now(UTC).timestamp())

    async def setpoint(self) -> float | None:
        return float(await self.nodes["Setpoint"].read_value())
