"""Sparkplug B's own rules: births, deaths, sequence numbers, the host's state; against a real broker."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import gmqtt
import pytest
from gmqtt.mqtt.constants import MQTTv50
from rig import Ears, until
from rig_mqtt import SparkplugRig

from connectors.mqtt.sparkplug import SparkplugConnector
from connectors.mqtt.sparkplug_payload import Payload, set_value, value_of
from connectors.sources import Sources
from twin.wire import Quality

TEMP = "AHU-1.supply_temp"


@dataclass(slots=True)
class Group:
    """An edge node, the host, and what the host said."""

    rig: SparkplugRig
    connector: SparkplugConnector
    ears: Ears
    task: asyncio.Task[None]

    def asked(self) -> int:
        """How often the edge node was asked for a rebirth."""
        return sum(topic.startswith("spBv1.0/PARK/NCMD") for topic, _ in self.rig.heard)

    async def is_heard(self, temp: float) -> None:
        await until(lambda: self.ears.value.get(TEMP) == temp and TEMP not in self.ears.lost, f"{temp} is heard")


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    rig = SparkplugRig(tmp_path)
    connector = rig.connector()
    assert isinstance(connector, SparkplugConnector)
    ears = Ears(rig.points)
    await rig.start()
    task = asyncio.create_task(Sources([connector], rig.points).run(ears))
    made = Group(rig, connector, ears, task)
    try:
        await until(lambda: ears.is_live and connector.nodes.get("edge1") and connector.nodes["edge1"].is_alive, "born")
        await rig.say(20.0, "run", time.time())
        await made.is_heard(20.0)
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rig.stop()


async def test_a_node_born_before_the_host_is_asked_to_say_again_what_it_is(group: Group) -> None:
    assert group.asked() == 1
    assert group.ears.value["AHU-1.supply_setpoint"] == 16.0, "a birth tells every value"


async def test_a_gap_in_the_sequence_loses_the_node_until_its_rebirth(group: Group) -> None:
    group.connector.nodes["edge1"].asked = 0.0
    group.rig.seq += 3
    await group.rig.say(21.0, "run", time.time())
    await until(lambda: group.asked() == 2, "a rebirth is asked for")
    assert any("sequence" in reason for reason in group.connector.refused)
    await group.is_heard(21.0)
    await group.rig.say(22.0, "off", time.time())
    await group.is_heard(22.0)


async def test_the_sequence_goes_round(group: Group) -> None:
    for number in range(300):
        await group.rig.say(20.0 + number / 8, "run", time.time())
        if number % 10 == 9:  # as many as the broker takes at a time
            await group.is_heard(20.0 + number / 8)
    assert not group.connector.refused


async def test_a_death_takes_the_node_and_a_late_one_of_an_older_birth_does_not(group: Group) -> None:
    old = Payload()
    old.metrics.add(name="bdSeq", datatype=8, long_value=group.rig.birth + 7)
    group.rig.publish("spBv1.0/PARK/NDEATH/edge1", old.SerializeToString())
    await group.rig.say(23.0, "run", time.time())
    await group.is_heard(23.0)
    group.rig.device._connection._transport.abort()  # type: ignore[union-attr]  # the line is cut: the broker tells its will
    await until(lambda: TEMP in group.ears.lost, "the node's points are lost")
    assert group.ears.is_live, "the broker is still there"


async def test_a_device_that_dies_leaves_its_node_alive(group: Group) -> None:
    group.rig.send("DDEATH/edge1/ahu", group.rig.payload())
    await until(lambda: TEMP in group.ears.lost, "the device's points are lost")
    assert group.connector.nodes["edge1"].is_alive


async def test_quality_is_what_the_node_says(group: Group) -> None:
    data = group.rig.payload()
    metric = data.metrics.add(alias=1, float_value=24.0)
    metric.properties.keys.append("Quality")
    metric.properties.values.add(type=3, int_value=0)
    group.rig.send("DDATA/edge1/ahu", data)
    await until(lambda: group.ears.quality[TEMP] == Quality.BAD, "bad is bad")


async def test_the_host_says_that_it_is_there_and_its_will_that_it_is_not(group: Group) -> None:
    heard: list[bool] = []
    watcher = gmqtt.Client("watcher")
    watcher.on_message = lambda _c, _t, payload, *_: heard.append(json.loads(bytes(payload))["online"]) or 0
    await watcher.connect("127.0.0.1", group.rig.port, version=MQTTv50)
    watcher.subscribe("spBv1.0/STATE/#", qos=1)
    try:
        await until(lambda: heard == [True], "it is online, also to one who comes later")
        group.connector._client._connection._transport.abort()  # type: ignore[union-attr]
        await until(lambda: False in heard, "its will says that it is gone")
    finally:
        await watcher.disconnect()


@pytest.mark.parametrize(("datatype", "value"), [(1, -5.0), (2, -30000.0), (3, -7.0), (4, -(2.0**40)), (5, 200.0), (7, 4e9),
                                                 (8, 2.0**50), (9, 1.5), (10, -2.25), (11, 1.0)])
def test_values_of_every_type_come_back(datatype: int, value: float) -> None:
    message = Payload()
    set_value(message.metrics.add(name="m"), datatype, value)
    again = Payload.FromString(message.SerializeToString()).metrics[0]
    assert value_of(again, datatype) == value
