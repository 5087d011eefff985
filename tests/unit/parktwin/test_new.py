"""`parktwin new`: what it writes can be checked at once, and means what its comments say once the # is taken off."""

from __future__ import annotations

import re
from pathlib import Path

from parktwin.check import check_park
from parktwin.new import make_park
from scenes.schemes.file import read_rules, read_scheme


def test_a_new_park_has_rules_that_judge_nothing_yet(tmp_path: Path) -> None:
    make_park(tmp_path / "park")
    rules, faults = read_rules(tmp_path / "park" / "rules.toml")
    assert (rules.limits, rules.site, faults) == ({}, None, [])
    assert [f.what for f in check_park(tmp_path / "park")[0]] == ["the park names no building and no layer"]


def test_every_line_of_the_rules_works_once_its_mark_is_off(tmp_path: Path) -> None:
    make_park(tmp_path)
    path = tmp_path / "rules.toml"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"^# (?=\[|[a-z_]+ =)", "", text, flags=re.M), "utf-8")
    rules, faults = read_rules(path)
    assert faults == []
    assert len(rules.limits) == 9
    assert rules.site is not None
    assert rules.month_day == (1, 20)
    scheme = "\n".join(line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   "))
    (tmp_path / "bim" / "n2.ifc").touch()
    (tmp_path / "gis" / "scheme.geojson").touch()
    (tmp_path / "schemes" / "a.toml").write_text(scheme, "utf-8")
    found, wrong = read_scheme(tmp_path / "schemes" / "a.toml")
    assert wrong == []
    assert ([b.id for b in found.buildings], len(found.footprints), len(found.greens)) == (["n1", "n2"], 1, 1)


def test_rules_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[rules]\nfar_max = 1.0\n", "utf-8")
    make_park(tmp_path)
    assert read_rules(tmp_path / "rules.toml")[0].limits == {"far_max": 1.0}


def test_check_tells_what_is_wrong_in_rules_and_schemes(tmp_path: Path) -> None:
    make_park(tmp_path)
    (tmp_path / "rules.toml").write_text("[rules]\nfar_mx = 1.0\n", "utf-8")
    (tmp_path / "schemes" / "a.toml").write_text('[scheme]\nname = "A"\n[[building]]\nid = "n"\nstoreys = 3\n', "utf-8")
    told = {f.where: (f.level, f.what) for f in check_park(tmp_path)[0]}
    assert told["rules.toml:2"] == ("warning", "no rule is called 'far_mx'")
    assert told["schemes/a.toml:3"] == ("error", "n has neither footprint nor ifc")
