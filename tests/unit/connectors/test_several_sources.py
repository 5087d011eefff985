"""Several sources: each point has one, each is lost alone, and an order finds its way."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray

from connectors.bindings import Binding, Bindings
from connectors.field import FieldConnector
from connectors.orders import CannotWrite
from connectors.sources import Sources
from twin.packs import load_packs
from twin.ports import CommandAck, CommandOrder, Positions, Readings
from twin.registry import Device, PointTable
from twin.wire import Quality


class Ears:
    """Remembers."""

    def __init__(self) -> None:
        self.value: dict[int, float] = {}
        self.all: list[tuple[int, float]] = []
        self.times: list[float] = []
        self.lost: set[int] = set()
        self.links: list[tuple[str, bool, str]] = []
        self.acks: list[CommandAck] = []

    def ingest(self, readings: Readings) -> None:
        self.all += zip(readings.slot.tolist(), readings.value.tolist(), strict=True)
        self.value.update(self.all)
        self.times += readings.source_time.tolist()

    def move(self, positions: Positions) -> None: ...

    def acknowledge(self, ack: CommandAck) -> None:
        self.acks.append(ack)

    def lose(self, slots: NDArray[np.integer]) -> None:
        self.lost |= set(slots.tolist())

    def link(self, connector: str, is_live: bool, text: str) -> None:
        self.links.append((connector, is_live, text))


class Scripted(FieldConnector):
    """Says what it is given, then does what it is told to."""

    first_wait_secs = longest_wait_secs = 0.02

    def __init__(self, name: str, points: PointTable, said: dict[int, float], bound: tuple[int, ...] = (), *,
                 end: Exception | None = None) -> None:
        rows = [Binding(slot=slot, device=points.ids[slot].split(".")[0], spec=points.spec[slot], address="a", write="a")
                for slot in bound]
        super().__init__(name, points, Bindings(tuple(rows), file=f"{name}.csv"))
        self.said, self.end, self.writes, self.starts = said, end, [], 0

    async def talk(self) -> None:
        self.starts += 1
        self.up("here")
        for slot, value in self.said.items():
            self._heard.add(slot, value, int(Quality.GOOD), 1000.0)
        await asyncio.sleep(0.05)
        if self.end is not None:
            raise self.end
        await asyncio.Event().wait()

    async def write(self, binding: Binding, value: float | str) -> None:
        if value == 13.0:
            raise CannotWrite("unlucky")
        if value == 28.0:
            raise TimeoutError
        self.writes.append((self.points.ids[binding.slot], value))


@pytest.fixture(scope="module")
def points() -> PointTable:
    return PointTable([Device(id=name, kind="ahu", name=name) for name in ("AHU-1", "AHU-2")], load_packs().kinds)


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def running(sources: Sources, ears: Ears, condition) -> None:  # type: ignore[no-untyped-def]
    task = asyncio.create_task(sources.run(ears))
    try:
        await until(condition)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def order(value: float, device: str = "AHU-1") -> CommandOrder:
    return CommandOrder(id="o", device=device, key="set_supply", args={"value": value}, expires=4e9)


async def test_a_bound_point_is_heard_from_its_own_source_only(points: PointTable) -> None:
    mine, others = points.slot("AHU-1", "supply_temp"), points.slot("AHU-2", "supply_temp")
    anybody = Scripted("anybody", points, {mine: 1.0, others: 2.0, 10**6: 3.0})
    bound = Scripted("bound", points, {mine: 21.0, others: 99.0}, (mine,))
    ears = Ears()
    await running(Sources([anybody, bound], points), ears, lambda: len(ears.value) >= 2 and ears.value.get(mine) == 21.0)
    assert (mine, 1.0) not in ears.all
    assert (others, 2.0) in ears.all


async def test_a_source_that_is_lost_takes_only_its_own_points_and_comes_back_alone(points: PointTable) -> None:
    mine, others = points.slot("AHU-1", "supply_temp"), points.slot("AHU-2", "supply_temp")
    broken = Scripted("broken", points, {mine: 1.0}, (mine,), end=ConnectionResetError("gone"))
    sound = Scripted("sound", points, {others: 2.0}, (others,))
    ears = Ears()
    await running(Sources([broken, sound], points), ears, lambda: broken.starts >= 3)
    assert ears.lost == {mine}
    assert ("broken", False, "gone") in ears.links
    assert sound.starts == 1


async def test_a_source_with_a_fault_of_its_own_is_said_and_the_others_go_on(points: PointTable,
                                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.sources.RESTART_SECS", 0.02)
    mine, others = points.slot("AHU-1", "supply_temp"), points.slot("AHU-2", "supply_temp")
    faulty = Scripted("faulty", points, {mine: 1.0}, (mine,), end=ZeroDivisionError("ours"))
    sound = Scripted("sound", points, {others: 2.0}, (others,))
    ears = Ears()
    await running(Sources([faulty, sound], points), ears, lambda: faulty.starts >= 2)
    assert sound.starts == 1
    assert any(name == "faulty" and not is_live for name, is_live, _ in ears.links)


def test_a_point_bound_twice_is_said(points: PointTable) -> None:
    slot = points.slot("AHU-1", "supply_temp")
    sources = Sources([Scripted("one", points, {}, (slot,)), Scripted("two", points, {}, (slot,))], points)
    (finding,) = sources.findings
    assert "bound by source 'one' already" in finding.what
    assert finding.where.startswith("two.csv")


@pytest.mark.parametrize(("value", "accepted"), [(18.0, [True]), (13.0, [False]), (28.0, [])])
async def test_an_order_goes_to_the_source_that_binds_its_device(points: PointTable, value: float,
                                                                 accepted: list[bool]) -> None:
    setpoint = points.slot("AHU-1", "supply_setpoint")
    bound, ears = Scripted("bound", points, {}, (setpoint,)), Ears()
    sources = Sources([Scripted("other", points, {}), bound], points)
    task = asyncio.create_task(sources.run(ears))
    await until(lambda: any(name == "bound" and is_live for name, is_live, _ in ears.links))
    await sources.send(order(value))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [ack.accepted for ack in ears.acks] == accepted, "what nobody knows to be done is not answered"
    assert bound.writes == ([("AHU-1.supply_setpoint", 18.0)] if value == 18.0 else [])


async def test_an_order_nobody_can_carry_is_refused(points: PointTable) -> None:
    ears, sources = Ears(), Sources([Scripted("other", points, {})], points)
    await running(sources, ears, lambda: ears.links)
    await sources.send(order(18.0, "AHU-2"))
    assert not ears.acks[0].accepted
    assert "no source reaches it" in ears.acks[0].note


class Deaf(Scripted):
    """As libraries are that lose a cancellation which comes together with an answer."""

    async def talk(self) -> None:
        self.up("here")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()


async def test_a_library_that_loses_a_cancellation_is_ended_all_the_same(points: PointTable,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.field.END_SECS", 0.05)
    ears, deaf = Ears(), Deaf("deaf", points, {})
    task = asyncio.create_task(deaf.run(ears))
    await until(lambda: ears.links)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=10)
    assert done


class OnChange(Scripted):
    """Told of changes only."""

    speaks_on_change = True

    async def talk(self) -> None:
        self.up("here")
        binding = self.bindings.rows[0]
        self.hear(binding, 20.0, 1000.0)
        await until(lambda: self.said)
        self.hear(binding, 21.0, 1000.5)
        await asyncio.Event().wait()


async def test_what_holds_is_said_again_and_never_hides_a_change(points: PointTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.field.LIFE_SECS", 0.05)
    slot = points.slot("AHU-1", "supply_temp")
    quick = PointTable(points.devices, load_packs().kinds)
    quick.period[:] = 0.05
    connector, ears = OnChange("quiet", quick, {}, (slot,)), Ears()
    task = asyncio.create_task(Sources([connector], quick).run(ears))
    await until(lambda: len(ears.times) >= 20)
    assert ears.times[-1] > 1000.5, "said again, with the time it still held"
    connector.said[slot] = 1.0
    before = len(ears.times)
    await until(lambda: ears.value.get(slot) == 21.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ears.times == sorted(ears.times), "no time goes back, so no change is taken for an old one"
    assert len(ears.times) > before
