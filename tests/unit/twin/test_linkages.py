"""Linkages and plans as files: what loads, what is left out and with which words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from twin.linkages import linkages_dir, load_linkages, rules_of
from twin.packs import load_packs
from twin.plans import load_plans, plans_dir

KINDS = load_packs().kinds
RULES = frozenset(rules_of(KINDS))
LINKAGE = """
id = "{id}"
name = "{id}"
owner = "Duty"
[trigger]
alarms = ["{alarm}"]
[[steps]]
key = "one"
name = "One"
kind = "{kind}"
where = "building"
command = "{command}"
"""
PLAN = """
id = "p"
name = "P"
{owner}
[[roles]]
id = "r"
name = "R"
[[steps]]
key = "a"
what = "Do it"
role = "{role}"
limit_mins = 2
"""


def linkage(folder: Path, name: str, alarm: str, kind: str, command: str) -> None:
    (folder / f"{name}.toml").write_text(LINKAGE.format(id=name, alarm=alarm, kind=kind, command=command), "utf-8")


def test_those_that_come_with_it_load_without_a_finding() -> None:
    linkages, findings = load_linkages([linkages_dir()], KINDS)
    plans, ownerless = load_plans([plans_dir()], RULES)
    assert (findings, ownerless) == ([], [])
    assert {"fire", "intrusion", "chiller"} <= set(linkages) & set(plans)
    for key, spec in linkages.items():  # a step a plan waits for is one the linkage has, or a dispatch
        keys = {step.key for step in spec.steps} | {"", "dispatch", "arrived"}
        assert {step.linked for step in plans[key].steps} <= keys


def test_a_linkage_whose_command_raises_its_own_alarm_is_left_out_and_the_rest_loads(tmp_path: Path) -> None:
    linkage(tmp_path, "pump", "fire_pump.running", "fire_pump", "start")
    linkage(tmp_path, "sane", "smoke.fire", "lift", "recall")
    linkages, findings = load_linkages([tmp_path], KINDS)
    assert set(linkages) == {"sane"}
    assert len(findings) == 1
    assert "pump → fire_pump.running → pump" in findings[0].what
    assert findings[0].mend


def test_two_linkages_that_trigger_each_other_are_both_left_out(tmp_path: Path) -> None:
    kinds = KINDS | {"jockey": msgspec.structs.replace(KINDS["fire_pump"], id="jockey")}
    linkage(tmp_path, "a", "jockey.running", "fire_pump", "start")
    assert set(load_linkages([tmp_path], kinds)[0]) == {"a"}, "no loop by itself"
    linkage(tmp_path, "b", "fire_pump.running", "jockey", "start")
    linkage(tmp_path, "sane", "smoke.fire", "fire_pump", "start")  # leads into the loop, is none
    linkages, findings = load_linkages([tmp_path], kinds)
    assert set(linkages) == {"sane"}
    assert [f.what for f in findings] == [
        "linkage 'a' is left out: it loops (a → fire_pump.running → b → jockey.running → a)",
        "linkage 'b' is left out: it loops (b → jockey.running → a → fire_pump.running → b)"]


@pytest.mark.parametrize(("change", "told"), [
    (("smoke.fire", "smoke.flood"), "unknown alarm 'smoke.flood'"),
    (('kind = "lift"', 'kind = "zeppelin"'), "unknown kind 'zeppelin'"),
    (('"recall"', '"explode"'), "knows no command 'explode'"),
    (('owner = "Duty"', 'owner = ""'), "it has no owner"),
])
def test_what_a_linkage_names_must_exist(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    linkage(tmp_path, "x", "smoke.fire", "lift", "recall")
    path = tmp_path / "x.toml"
    path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    linkages, findings = load_linkages([tmp_path, linkages_dir()], KINDS)
    assert set(linkages) == {"fire", "intrusion", "chiller"}
    assert told in findings[0].what


def test_a_plan_without_an_owner_is_left_out_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PLAN.format(owner="", role="r"), "utf-8")
    plans, findings = load_plans([tmp_path, plans_dir()], RULES)
    assert "p" not in plans
    assert "fire" in plans
    assert "owner" in findings[0].what
    assert "nobody owns" in findings[0].mend


def test_a_plan_step_of_nobody_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PLAN.format(owner='owner = "Duty"', role="ghost"), "utf-8")
    assert "unknown role 'ghost'" in load_plans([tmp_path], RULES)[1][0].what


def test_a_park_s_own_linkage_replaces_the_one_that_comes_with_it(tmp_path: Path) -> None:
    linkage(tmp_path, "fire", "smoke.fire", "lift", "recall")
    linkages, findings = load_linkages([linkages_dir(), tmp_path], KINDS)
    assert findings == []
    assert [step.key for step in linkages["fire"].steps] == ["one"]
