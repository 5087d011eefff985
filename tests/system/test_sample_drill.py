"""A fresh demo has a drill to replay: incidents before the first start, marked as a sample, none of it in the present."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_park import PARK, Served, build_park, serving

from ioc.http.replay import sample_spans
from twin.ports import SAMPLE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_park(tmp_path_factory.mktemp("sampled"))


@pytest.fixture(scope="module")
def fresh(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(made, tmp_path_factory.mktemp("fresh") / "park", with_sample=True) as running:
        yield running


def test_the_first_start_has_one_closed_incident_marked_as_a_sample(fresh: Served) -> None:
    events = fresh.services.runner.core.events
    incidents = events.recent_incidents()
    drills = events.trail_between(0, time.time(), what=("drill.started", "drill.stopped"))
    (begin, end), = sample_spans(drills)
    assert {i.state for i in incidents} == {"closed"}
    assert all(begin < i.opened_ms < end < time.time() * 1000 for i in incidents)
    assert {entry.who for entry in drills} == {SAMPLE}
    assert "did not happen" in drills[0].text
    assert "并未真实发生" in drills[0].text_zh
    plan = incidents[-1].plan
    assert plan is not None
    assert {step.done_by for step in plan.steps if step.key in ("verify", "119")} == {"sample:operator", "sample:commander"}
    assert all(who.startswith(("sample:", "linkage:")) or who in ("", "dispatch")
               for who in {entry.who for entry in events.trail(2000)}), "nobody real is said to have done it"
    assert events.verify() == []


def test_it_burned_then_and_all_is_quiet_now(fresh: Served) -> None:
    core, history = fresh.services.runner.core, fresh.services.history
    incident = core.events.recent_incidents()[-1]
    smoke = fresh.services.points.slot_of(f"{incident.device}.obscuration")
    assert smoke is not None
    assert history.as_of(incident.opened_ms / 1000 + 100).value[smoke] > 4.0
    assert history.as_of(time.time()).value[smoke] < 1.0
    assert not core.alarms()
    assert core.incidents is not None
    assert core.incidents.open() == []
    assert core.events.live_commands() == []


def test_the_page_is_told_that_it_is_a_sample(fresh: Served) -> None:
    moments = fresh.browser().http.get("/api/v1/replay/moments").json()
    assert {m["is_sample"] for m in moments} == {True}
    assert {m["kind"] for m in moments} == {"incident", "drill"}
    assert moments[-1]["title"] == "Fire in A3, third floor"


def test_a_second_start_records_no_second_one(fresh: Served, tmp_path: Path) -> None:
    at = tmp_path / "again"  # what the first server left; beside it a second one could not write
    shutil.copytree(fresh.services.spec.root, at)
    before = len(fresh.services.runner.core.events.recent_incidents())
    with serving(at, at, with_sample=True) as again:
        assert len(again.services.runner.core.events.recent_incidents()) == before > 0


def test_a_park_with_nothing_to_burn_starts_without_a_sample(made: Path, tmp_path: Path) -> None:
    at = tmp_path / "park"
    shutil.copytree(made, at)
    rows = [line for line in (at / "devices.csv").read_text("utf-8").splitlines() if ",smoke," not in line]
    (at / "devices.csv").write_text("\n".join(rows), "utf-8")
    (at / "park.toml").write_text(PARK.format(source="simulator"), "utf-8")
    with serving(at, at, with_sample=True) as served:
        assert served.browser().http.get("/api/v1/replay/moments").json() == []
        assert served.services.history.first_ms() is not None
