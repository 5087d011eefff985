"""Indicators against figures worked out by hand; what a person gets wrong in a scheme is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from scenes.schemes.file import Rules, read_rules, read_scheme
from scenes.schemes.mass import Surroundings, added_stacks, apply_scheme
from scenes.schemes.rules import indicators
from scenes.schemes.stack import Stack, Storey
from twin.park import ParkSpec
from twin.parkfile import Fault

SITE = shapely.box(0, 0, 100, 100)


def _stack(key: str, box: tuple[float, float, float, float], storeys: int, *, is_new: bool = True, cellar: int = 0) -> Stack:
    shape = shapely.box(*box)
    return Stack(id=key, name=key, name_zh=key, ground=0.0, is_new=is_new,
                 storeys=tuple(Storey(shape, 3.0 * k, 3.0 * k + 3) for k in range(-cellar, storeys)))


def _rows(stacks: list[Stack], **limits: float):  # type: ignore[no-untyped-def]
    found = indicators(stacks, SITE, [shapely.box(0, 60, 100, 100)], 50, Rules(limits=limits))
    return {row.key: row for row in found}


def test_figures_of_a_plain_plot() -> None:
    rows = _rows([_stack("a", (10, 10, 30, 30), 10, cellar=2), _stack("b", (60, 50, 90, 70), 5)])
    assert rows["site"].value == pytest.approx(10_000)
    assert rows["gfa"].value == pytest.approx(400 * 10 + 600 * 5)  # cellars do not count
    assert rows["far"].value == pytest.approx(0.7)
    assert rows["density"].value == pytest.approx(0.10)
    assert rows["green"].value == pytest.approx((4000 - 300) / 10_000)  # what a building covers is no lawn
    assert rows["height"].value == pytest.approx(30.0)
    assert rows["setback"].value == pytest.approx(10.0)
    assert rows["spacing"].value == pytest.approx((30**2 + 20**2) ** 0.5)
    assert rows["parking"].value == 50


def test_each_rule_passes_at_its_limit_and_fails_past_it() -> None:
    stacks = [_stack("a", (10, 10, 30, 30), 10)]
    exact = _rows(stacks, far_max=0.4, density_max=0.04, height_max=30.0, setback_min=10.0, green_min=0.4, parking_min=50)
    assert [row.passes for row in exact.values() if row.limit is not None] == [True] * 6
    past = _rows(stacks, far_max=0.39, density_max=0.039, height_max=29.9, setback_min=10.1, green_min=0.41, parking_min=51)
    assert [row.passes for row in past.values() if row.limit is not None] == [False] * 6
    assert all(row.breaches for row in past.values() if row.passes is False)


def test_no_rule_no_verdict() -> None:
    assert all(row.passes is None and not row.breaches for row in _rows([_stack("a", (10, 10, 30, 30), 10)]).values())


def test_what_breaks_a_rule_is_shown_where_it_is() -> None:
    stacks = [_stack("a", (4, 10, 30, 30), 10), _stack("b", (36, 10, 60, 30), 4)]
    rows = _rows(stacks, height_max=24, setback_min=8, spacing_min=12)
    (tall,) = rows["height"].breaches
    assert (tall.z0, tall.z1, tall.over, tall.storeys) == (24.0, 30.0, 6.0, "9F–10F")
    (close,) = rows["setback"].breaches
    assert shapely.Polygon(close.rings[0]).equals(shapely.box(4, 10, 8, 30))
    assert close.value == pytest.approx(4.0)
    (narrow,) = rows["spacing"].breaches
    assert narrow.value == pytest.approx(6.0)
    assert {round(p[0]) for p in narrow.segment} == {30, 36}


def test_a_building_over_the_line_has_no_setback_at_all() -> None:
    assert _rows([_stack("a", (-5, 10, 30, 30), 2)], setback_min=8)["setback"].value == 0.0


HEAD = '[scheme]\nname = "A"\nremove = ["old", "odl"]\n'


def _read(root: Path, text: str) -> tuple[list[Stack], list[Stack], list[Fault]]:
    (root / "schemes").mkdir(exist_ok=True)
    path = root / "schemes" / "a.toml"
    path.write_text(text, encoding="utf-8")
    scheme, faults = read_scheme(path)
    spec = ParkSpec(root=root, id="p", name="P", name_zh=None, crs="EPSG:4549", origin=(519200.0, 3342600.0, 0.0))
    old, stays = _stack("old", (0, 0, 10, 10), 2, is_new=False), _stack("stays", (50, 0, 60, 10), 2, is_new=False)
    around = Surroundings(stacks=(old, stays), greens=())
    stacks, removed, _ = apply_scheme(scheme, added_stacks(scheme, spec, around, faults), around, faults)
    return stacks, removed, faults


def test_an_unknown_id_to_remove_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    text = HEAD + '[[building]]\nid = "n"\nfootprint = [[0, 0], [20, 0], [20, 20], [0, 20]]\nstoreys = 3\n'
    stacks, removed, faults = _read(tmp_path, text)
    assert [s.id for s in removed] == ["old"]
    assert {s.id for s in stacks} == {"stays", "n"}
    (fault,) = faults
    assert "'odl'" in fault.what
    assert "'old'" in fault.mend
    assert fault.line == 3


def test_a_building_over_what_stays_is_left_out_by_name(tmp_path: Path) -> None:
    text = HEAD.replace(', "odl"', "") + (
        '[[building]]\nid = "n"\nfootprint = [[45, 0], [70, 0], [70, 20], [45, 20]]\nstoreys = 3\n'
        '[[building]]\nid = "m"\nfootprint = [[80, 0], [95, 0], [95, 20], [80, 20]]\nheight = 12.0\n')
    stacks, _, faults = _read(tmp_path, text)
    assert {s.id for s in stacks} == {"stays", "m"}
    (fault,) = faults
    assert fault.line == 4
    assert "n overlaps stays" in fault.what
    assert "remove" in fault.mend


@pytest.mark.parametrize(("line", "words"), [
    ('footprint = [[0, 0], [10, 10], [10, 0], [0, 10]]\nstoreys = 3', "not an area"),
    ('footprint = "here"\nstoreys = 3', "not a ring"),
    ('footprint = [[80, 0], [95, 0], [95, 20], [80, 20]]', "neither storeys nor height"),
    ('ifc = "missing.ifc"', "there is no file"),
    ('ifc = "../../etc/passwd"', "there is no file"),
    ("storeys = 3", "neither footprint nor ifc"),
    ('footprint = [[80, 0], [95, 0], [95, 20], [80, 20]]\nstoreys = -2', "at least 1"),
])
def test_a_wrong_building_is_told_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    _, _, faults = _read(tmp_path, f'[scheme]\nname = "A"\n[[building]]\nid = "n"\n{line}\n')
    assert any(words in fault.what and fault.line >= 3 and fault.mend for fault in faults), faults


def test_a_broken_ifc_is_told_and_the_others_stand(tmp_path: Path) -> None:
    (tmp_path / "bad.ifc").write_text("ISO-10303-21; this is not a building")
    stacks, _, faults = _read(tmp_path, '[scheme]\nname = "A"\n[[building]]\nid = "n"\nifc = "bad.ifc"\n'
                                        '[[building]]\nid = "m"\n'
                                        "footprint = [[80, 0], [95, 0], [95, 20], [80, 20]]\nstoreys = 2\n")
    assert "m" in {s.id for s in stacks}
    assert any(f.line == 3 and f.what.startswith("n: ") for f in faults)


def test_broken_toml_has_a_line(tmp_path: Path) -> None:
    _, _, faults = _read(tmp_path, '[scheme]\nname = "A\n')
    assert faults[0].line == 2


def test_rules_say_what_they_do_not_know(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[rules]\nfar_max = 2.5\nfar_mx = 3\nheight_max = "high"\n[sunlight]\nday = "20 January"\n')
    rules, faults = read_rules(path)
    assert rules.limits == {"far_max": 2.5}
    assert [f.line for f in faults] == [3, 4, 6]


@pytest.mark.parametrize(("text", "day", "hours"), [
    ("", (1, 20), (8.0, 16.0)), ('day = "12-22"', (12, 22), (9.0, 15.0)),
    ('day = "12-22"\nfrom_hour = 10\nto_hour = 14', (12, 22), (10.0, 14.0))])
def test_a_day_brings_its_hours(tmp_path: Path, text: str, day: tuple[int, int], hours: tuple[float, float]) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"[sunlight]\n{text}\n")
    rules, faults = read_rules(path)
    assert (rules.month_day, rules.hours, faults) == (day, hours, [])
    assert rules.hours_on(day) == hours
    assert rules.hours_on((12, 21)) == (9.0, 15.0)
    assert rules.hours_on((6, 1)) == (8.0, 16.0)


def test_hours_in_the_wrong_order_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[sunlight]\nday = "02-30"\nfrom_hour = 16\nto_hour = 8\n')
    rules, faults = read_rules(path)
    assert (rules.month_day, rules.hours) == ((1, 20), (8.0, 16.0))
    assert [f.line for f in faults] == [2, 4]


def test_no_rules_is_one_warning(tmp_path: Path) -> None:
    rules, faults = read_rules(tmp_path / "rules.toml")
    assert rules.limits == {}
    assert [f.severity for f in faults] == ["warning"]
