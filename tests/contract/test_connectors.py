"""What every connector keeps, each against a real server of its protocol."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from rig import STATES, Ears, Rig, order, until
from rig_bacnet import BacnetRig
from rig_http import HttpRig
from rig_modbus import ModbusRig
from rig_mqtt import MappedRig, OwnTopicsRig, SparkplugRig
from rig_opcua import OpcUaRig
from rig_simulator import SimulatorRig

from connectors.field import FieldConnector
from connectors.sources import Sources
from twin.ports import Connector
from twin.wire import Quality

pytestmark = pytest.mark.asyncio(loop_scope="module")
RIGS: list[type[Rig]] = [SimulatorRig, OwnTopicsRig, MappedRig, SparkplugRig, ModbusRig, OpcUaRig, BacnetRig,
                        HttpRig]
TEMP, STATUS, SETPOINT = "AHU-1.supply_temp", "AHU-1.status", "AHU-1.supply_setpoint"


def of_those(**wanted: bool) -> pytest.MarkDecorator:
    """The rigs that can do this."""
    rigs = [rig for rig in RIGS if all(getattr(rig, name) is value for name, value in wanted.items())]
    return pytest.mark.parametrize("rig_class", rigs, ids=[rig.name for rig in rigs])


@dataclass(slots=True)
class Running:
    """A rig, its connector at work, and what was heard."""

    rig: Rig
    connector: Connector
    sources: Sources
    ears: Ears

    def heard(self, temp: float, status: str) -> bool:
        ears = self.ears
        return (math.isclose(ears.value.get(TEMP, math.nan), temp, rel_tol=1e-6)
                and ears.value.get(STATUS) == STATES.index(status))

    async def say(self, temp: float, status: str, at: float = 0.0) -> None:
        """Say it until it is heard: a message to somebody who is just arriving may be lost."""
        await self.rig.say(temp, status, at or time.time())
        await until(lambda: self.heard(temp, status), f"{temp} and {status} are heard; {self.ears.value} {self.ears.links}")


@pytest_asyncio.fixture(loop_scope="module")
async def running(rig_class: type[Rig], tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """The rig with its server up (unless the test is marked `late`) and its connector running."""
    rig = rig_class(tmp_path)
    connector = rig.connector()
    if isinstance(connector, FieldConnector):
        connector.first_wait_secs = connector.longest_wait_secs = 0.1
        assert not connector.findings
    sources, ears = Sources([connector], rig.points), Ears(rig.points)
    is_late = "late" in request.keywords
    if not is_late:
        await rig.start()
    task = asyncio.create_task(sources.run(ears))
    try:
        if not is_late:
            await until(lambda: ears.is_live, f"the line is up: {ears.links}")
        yield Running(rig, connector, sources, ears)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rig.stop()


@of_those(has_server=True)
async def test_values_come_in_with_quality_and_source_time(running: Running) -> None:
    begun = time.time()
    at = begun - 5.0
    await running.say(21.5, "run", at)
    ears = running.ears
    assert (ears.quality[TEMP], ears.quality[STATUS]) == (Quality.GOOD, Quality.GOOD)
    if running.rig.tells_time:
        assert ears.time[TEMP] == pytest.approx(at, abs=0.002)
    else:
        assert begun <= ears.time[TEMP] <= time.time()
    await running.say(22.5, "fault")


@of_those(has_server=True, tells_quality=True)
async def test_what_the_server_calls_bad_is_bad_and_the_rest_stays_good(running: Running) -> None:
    await running.say(21.5, "run")
    await running.rig.say_bad()
    await until(lambda: running.ears.quality[TEMP] == Quality.BAD, "the temperature is bad")
    assert running.ears.quality[STATUS] == Quality.GOOD


@of_those(has_server=True)
async def test_nonsense_is_counted_and_the_line_goes_on(running: Running) -> None:
    await running.say(21.5, "run")
    await running.rig.say_nonsense()
    await until(lambda: sum(running.sources.refused.values()) > 0, "it is counted")
    await running.say(23.5, "off")
    assert running.ears.is_live


@of_those(writes=True)
async def test_an_order_is_answered_carried_out_and_heard_again(running: Running) -> None:
    if running.rig.has_server:
        await running.say(21.5, "run")
    await running.sources.send(order("set_supply", value=18.0))
    await until(lambda: running.ears.acks, "the order is answered")
    assert [(ack.id, ack.device, ack.accepted) for ack in running.ears.acks] == [("o-set_supply", "AHU-1", True)]
    await until(lambda: running.ears.value.get(SETPOINT) == 18.0, "the set-point is heard as it was set")
    assert running.ears.quality[SETPOINT] == Quality.GOOD
    assert await running.rig.setpoint() == 18.0


@of_those(is_selective=True)
async def test_an_order_that_cannot_be_written_is_refused_with_a_reason(running: Running) -> None:
    await running.say(21.5, "run")
    await running.sources.send(order("start"))
    (ack,) = running.ears.acks
    assert not ack.accepted
    assert "AHU-1.status cannot be written" in ack.note


@of_those(has_server=True)
async def test_a_lost_server_loses_its_points_and_its_return_brings_them_back(running: Running) -> None:
    await running.say(21.5, "run")
    await running.rig.stop()
    await until(lambda: running.ears.is_down, "the line is said to be down")
    assert {TEMP, STATUS} <= running.ears.lost
    assert "GATE-1.state" not in running.ears.lost
    await running.sources.send(order("set_supply", value=19.0))
    await until(lambda: running.ears.acks, "an order without a line is refused")
    assert not running.ears.acks[0].accepted
    await running.rig.start()
    await until(lambda: running.ears.is_live, "the line is back")
    await running.say(24.5, "run")
    assert not running.ears.lost & {TEMP, STATUS}


@pytest.mark.late
@of_those(has_server=True)
async def test_a_server_that_is_not_there_yet_is_said_and_waited_for(running: Running) -> None:
    await until(lambda: running.ears.is_down, "nobody answers")
    name, _, text = running.ears.links[-1]
    assert name == running.connector.name
    assert text
    await running.rig.start()
    await until(lambda: running.ears.is_live, f"it is found when it comes: {running.ears.links}")
    await running.say(20.5, "run")
