"""The energy of a park from its history to its alarms: forecast in a process, told as points, raised by the core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from energy_park import KINDS, graph_of

from ioc.energy_desk import EnergyDesk, EnergyError, midnight
from twin.energy.points import energy_devices, energy_id
from twin.energy.spec import read_energy
from twin.events import EventStore
from twin.history.store import History
from twin.live.core import LiveCore
from twin.park_points import ParkOwn, point_table
from twin.ports import Readings
from twin.registry import Device, PointTable

DAY, HOUR = 86_400.0, 3600.0
NOW = midnight(1_780_000_000.0) + 14.5 * HOUR
DEVICES = [Device(id="A", kind="meter", name="A", feeds="b1", line=2),
           Device(id="B", kind="meter", name="B", feeds="b2", line=3)]
DECLARED = """
[[tenant]]
id = "acme"
name = "Acme"
places = ["b1"]
[[limit]]
id = "budget"
place = "b2"
day = 100
priority = 2
[limit.response]
owner = "Treasurer"
owner_zh = "财务"
deadline_mins = 60
steps = ["Ask why"]
steps_zh = ["查明原因"]
"""


class Still:
    """A clock that stands."""

    def now(self) -> float:
        return NOW


@pytest.fixture
def desk_and_core(tmp_path: Path):
    (tmp_path / "energy.toml").write_text(DECLARED, encoding="utf-8")
    graph = graph_of({"A": "b1", "B": "b2"})
    spec = read_energy(tmp_path)
    assert not spec.findings
    points = point_table(DEVICES, ParkOwn(dict(KINDS)), graph, energy_devices(PointTable(DEVICES, KINDS), graph, spec))
    history = History(tmp_path / "history", points.ids)
    time = np.arange(NOW - 70 * DAY, NOW + 1, 1800.0)
    local = (time - midnight(NOW)) % DAY / HOUR
    rate = 20.0 + 30.0 * ((local > 8) & (local < 18)) + np.random.default_rng(1).normal(0, 0.5, len(time))
    for name, extra in (("A", np.where(time > NOW - 5.5 * HOUR, 2.5, 1.0)), ("B", np.ones(len(time)))):
        count = 1e5 + np.concatenate([[0.0], np.cumsum((rate * extra)[:-1] / 2)])
        slot = points.slot(name, "energy")
        history.put(Readings(np.full(len(time), slot, np.uint32), count, np.zeros(len(time), np.uint8), time))
    assert history.flush()
    desk = EnergyDesk(tmp_path, tmp_path / "energy", graph, points, history)
    yield desk, LiveCore(points, EventStore.at(tmp_path / "events.sqlite", b"k" * 32), graph=graph, clock=Still())
    history.close()


def test_use_outside_the_interval_and_a_spent_budget_are_alarms_with_an_answer(desk_and_core) -> None:
    desk, core = desk_and_core
    assert desk.expected("b1", "electricity", NOW) is None
    desk.foretell(NOW)
    said = desk.expected("b1", "electricity", NOW)
    assert said is not None
    assert len(said.expected) == 168
    assert said.expected[12] == pytest.approx(50, rel=0.1)
    assert all(low <= one <= high for low, one, high in zip(said.low, said.expected, said.high, strict=True))
    core.ingest(desk.readings(NOW))
    core.tick(NOW)
    raised = {alarm.key: alarm for alarm in core.alarms()}
    assert f"{energy_id('b1', 'electricity')}.anomaly_high" in raised
    assert f"{energy_id('acme', 'electricity')}.anomaly_high" in raised
    assert f"{energy_id('b2', 'electricity')}.anomaly_high" not in raised
    budget = raised[f"{energy_id('b2', 'electricity')}.over_budget"]
    assert (budget.owner, budget.deadline_mins, budget.priority, budget.place) == ("Treasurer", 60, 2, "b2")
    assert all(alarm.owner and alarm.steps for alarm in raised.values())


def test_figures_of_places_and_tenants_are_what_the_counters_rose_by(desk_and_core) -> None:
    desk, _ = desk_and_core
    start = midnight(NOW)
    b1, whole = desk.use(desk.account("b1", "electricity"), start, NOW, NOW)
    tenant, _ = desk.use(desk.account("acme", "electricity"), start, NOW, NOW)
    assert np.nansum(b1) == pytest.approx(np.nansum(tenant))
    assert whole[:14].all()
    rows = {row["place"]: row for row in desk.ranking("electricity", "building", start, NOW, NOW)}
    assert rows["b1"]["intensity"] == pytest.approx(rows["b1"]["used"] / 600.0, rel=1e-3)
    assert [row["place"] for row in desk.ranking("electricity", "tenant", start, NOW, NOW)] == ["acme"]
    with pytest.raises(EnergyError, match="no place"):
        desk.account("nowhere", "electricity")
    assert {row["place"]: row["state"] for row in desk.losses("electricity", start, NOW, NOW)} == {"b1": "leaf", "b2": "leaf"}
