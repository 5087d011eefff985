"""Browse and bind: what a real server offers is listed, guessed and added to a park's files, and nothing there is touched."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest
from rig import Rig
from rig_bacnet import BacnetRig
from rig_modbus import ModbusRig
from rig_mqtt import MappedRig, SparkplugRig
from rig_opcua import OpcUaRig
from typer.testing import CliRunner

from connectors.browse.offer import Offer
from connectors.browse.suggest import suggest
from connectors.registry import check_sources
from parktwin.__main__ import build_app
from parktwin.discover import offered
from twin.errors import ParkFileError
from twin.packs import load_packs
from twin.parkfile import load_park
from twin.registry import Device, PointTable, read_registry

PARK = """[park]
id = "tiny"
name = "Tiny"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
registry = "devices.csv"

[[source]]
id = "plant"
url = "{url}"
points = "plant.csv"
"""


class BrowsedMqttRig(MappedRig):
    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        await super().start()
        self.talking = asyncio.create_task(self.talk())

    async def talk(self) -> None:
        while True:
            await self.say(21.0, "run", 1.7e9)
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        self.talking.cancel()
        await super().stop()


@pytest.mark.parametrize(("rig_class", "offers"), [
    (OpcUaRig, {("ns=2;s=AHU1.Supply", False), ("ns=2;s=AHU1.Setpoint", True)}),
    (BacnetRig, {("analog-input,1", False), ("multi-state-input,1", False), ("analog-value,1", True)}),
    (SparkplugRig, {("edge1/ahu:air/supply", True), ("edge1/ahu:mode", True)}),
    (ModbusRig, {("holding:11", True), ("input:3", False)}),
    (BrowsedMqttRig, {("site/ahu/1#/air/0/t", False), ("site/ahu/1#/mode", False)})],
    ids=["opcua", "bacnet", "sparkplug", "modbus", "mqtt"])
async def test_a_server_is_browsed(rig_class: type[Rig], offers: set[tuple[str, bool]], tmp_path: Path) -> None:
    rig = rig_class(tmp_path)
    await rig.start()
    try:
        if not isinstance(rig, SparkplugRig):
            await rig.say(21.5, "run", 1.7e9)
        local = "127.0.0.1:0" if rig.name == "bacnet" else ""
        listening = asyncio.create_task(offered(rig.source(local=local), tmp_path, 2.0))
        if isinstance(rig, SparkplugRig):
            while not listening.done():
                await rig.say(21.5, "run", 1.7e9)
                await asyncio.sleep(0.2)
        found = {(offer.address, offer.can_write) for offer in await listening}
    finally:
        await rig.stop()
    assert offers <= found


async def test_the_verb_adds_rows_and_touches_none(tmp_path: Path) -> None:
    rig = OpcUaRig(tmp_path)
    rig.kept.pop(rig.name, None)  # another loop than the contract's
    await rig.start()
    registry = "id,kind,name\nGATE-1,gate,Gate\n"
    points = "device,point,address,write\nGATE-1,state,ns=2;s=AHU1.Mode,"
    (tmp_path / "park.toml").write_text(PARK.format(url=rig.url), "utf-8")
    (tmp_path / "devices.csv").write_text(registry, "utf-8")
    (tmp_path / "plant.csv").write_text(points, "utf-8")

    def verb(*more: str) -> str:
        done = CliRunner().invoke(build_app(), ["discover", str(tmp_path), "plant", *more])
        assert done.exit_code == 0, done.output
        return done.output

    try:
        asked = await asyncio.to_thread(verb)
        assert "nothing written" in asked
        assert (tmp_path / "plant.csv").read_text("utf-8") == points
        first = await asyncio.to_thread(verb, "--yes")
        after = (tmp_path / "plant.csv").read_text("utf-8"), (tmp_path / "devices.csv").read_text("utf-8")
        second = await asyncio.to_thread(verb, "--yes")
    finally:
        await rig.stop()
        rig.kept.pop(rig.name, None)
    assert "2 not yet in plant.csv, 2 of them with a guess; 1 devices not yet in devices.csv" in " ".join(first.split())
    assert "0 not yet in plant.csv" in " ".join(second.split())
    assert after == ((tmp_path / "plant.csv").read_text("utf-8"), (tmp_path / "devices.csv").read_text("utf-8"))
    assert after[0].startswith(points + "\n")
    assert after[1].startswith(registry)
    rows = {row["address"]: row for row in csv.DictReader(after[0].splitlines())}
    assert (rows["ns=2;s=AHU1.Supply"]["device"], rows["ns=2;s=AHU1.Supply"]["point"]) == ("AHU1", "supply_temp")
    assert (rows["ns=2;s=AHU1.Setpoint"]["point"], rows["ns=2;s=AHU1.Setpoint"]["write"]) == ("supply_setpoint", "=")
    packs = load_packs()
    devices = read_registry(tmp_path / "devices.csv", packs)
    assert not devices.faults
    assert [(device.id, device.kind) for device in devices.devices] == [("GATE-1", "gate"), ("AHU1", "ahu")]
    assert check_sources(load_park(tmp_path), PointTable(devices.devices, packs.kinds)) == []


def test_a_device_of_the_registry_is_known_by_its_name() -> None:
    kinds = load_packs().kinds
    names = ("SaTemp", "送风温度设定", "FanSpd", "Colour")
    offers = [Offer(address=name, group="Park/空调机组 1", name=name) for name in names]
    found = suggest(offers, [Device(id="AHU-1", kind="ahu", name="1", name_zh="空调机组 1")], kinds)
    assert found.new == ()
    assert {row.offer.name: (row.device, row.point) for row in found.rows} == {
        "SaTemp": ("AHU-1", "supply_temp"), "送风温度设定": ("AHU-1", "supply_setpoint"), "FanSpd": ("AHU-1", "fan_speed"),
        "Colour": ("AHU-1", "")}


def test_what_fits_nothing_is_left_unbound() -> None:
    found = suggest([Offer(address="a", group="misc", name="x9")], [], load_packs().kinds)
    assert [(row.device, row.point) for row in found.rows] == [("", "")]
    assert found.new == ()


async def test_a_server_that_is_not_there_is_said_with_the_line(tmp_path: Path) -> None:
    for rig in (OpcUaRig(tmp_path), ModbusRig(tmp_path), BacnetRig(tmp_path)):
        rig.port = 1
        local = "127.0.0.1:0" if rig.name == "bacnet" else ""
        with pytest.raises(ParkFileError, match=r"cannot be browsed.*check its url"):
            await offered(rig.source(local=local), tmp_path, 1.0)
