"""park.toml: everything wrong is told at once, with its line and its mend."""

from pathlib import Path

import pytest

from parktwin.new import make_park
from twin.errors import ParkFileError
from twin.park import Placement
from twin.parkfile import load_park, read_park

HEAD = """[park]
id = "demo"
name = "Demo"
name_zh = "示范园"
crs = "EPSG:4549"
origin = [500000, 3400000, 0]
"""


def _park(folder: Path, text: str, *files: str) -> Path:
    (folder / "park.toml").write_text(text, encoding="utf-8")
    for name in files:
        (folder / name).write_text("")
    return folder


def test_whole_park_is_read_into_types(tmp_path: Path) -> None:
    park = load_park(
        _park(
            tmp_path,
            HEAD
            + """
packs = ["fire"]
registry = "devices.csv"
demo = true
[live]
source = "mqtt://127.0.0.1:1883"
[[zone]]
id = "n"
name = "North"
[[building]]
id = "a1"
ifc = ["a.ifc", "b.ifc"]
zone = "n"
placement = { at = [1, 2.5, 3], rotation = 90 }
[[layer]]
id = "roads"
source = "r.geojson"
kind = "roads"
crs = "GCJ-02"
width_field = "w"
""",
            "a.ifc",
            "b.ifc",
            "r.geojson",
            "devices.csv",
        ),
        known_packs=["fire"],
    )
    assert (park.id, park.name_zh, park.origin, park.demo, park.packs) == (
        "demo",
        "示范园",
        (500000.0, 3400000.0, 0.0),
        True,
        ("fire",),
    )
    assert park.live.source == "mqtt://127.0.0.1:1883"
    assert park.buildings[0].placement == Placement(at=(1.0, 2.5, 3.0), rotation_deg=90.0)
    assert [p.name for p in park.buildings[0].ifc] == ["a.ifc", "b.ifc"]
    assert park.buildings[0].ifc[0].is_absolute()
    assert (park.layers[0].crs, park.layers[0].width_field, park.layers[0].line) == ("GCJ-02", "w", 21)


def test_every_fault_is_told_in_one_go_with_its_line(tmp_path: Path) -> None:
    text = (
        HEAD.replace('name = "Demo"', 'nmae = "Demo"').replace("EPSG:4549", "EPSG:454900")
        + """packs = ["fier"]
[[building]]
id = "a1"
ifc = "gone.ifc"
zone = "nowhere"
[[building]]
id = "a1"
ifc = []
placement = [1, 2]
[[layer]]
id = "roads"
source = "r.geojson"
kind = "raods"
[lvie]
source = "x"
"""
    )
    spec, faults = read_park(_park(tmp_path, text, "r.geojson"), known_packs=["fire", "energy"])
    assert spec is None
    told = {(f.line, f.what.split(" (")[0]) for f in faults}
    assert {(3, "'nmae' is not known here"), (1, "park 'demo' has no name")} <= told
    assert {line for line, _ in told} >= {3, 5, 7, 10, 11, 13, 14, 15, 19, 20}
    mends = {f.line: f.mend for f in faults if f.mend.startswith("did you mean")}
    assert mends[3] == "did you mean 'name'?"
    assert mends[7] == "did you mean 'fire'?"
    assert mends[19] == "did you mean 'roads'?"
    assert mends[20] == "did you mean 'live'?"


def test_load_raises_all_of_them_together(tmp_path: Path) -> None:
    with pytest.raises(ParkFileError) as caught:
        load_park(_park(tmp_path, HEAD + '[[layer]]\nid = "a"\nsource = "x"\nkind = "y"\n[[zone]]\nid = "b"\n'))
    assert str(caught.value).count("\n") == 2
    assert caught.value.where == f"{tmp_path / 'park.toml'}:9"


def test_missing_source_matters_to_a_build_but_not_to_a_server(tmp_path: Path) -> None:
    _park(tmp_path, HEAD + '[[layer]]\nid = "a"\nsource = "roads.geojson"\nkind = "roads"\n', "road.geojson")
    with pytest.raises(ParkFileError, match=r"did you mean 'road\.geojson'"):
        load_park(tmp_path)
    assert load_park(tmp_path, strict=False).layers[0].id == "a"


@pytest.mark.parametrize("line", ['crs = "EPSG:4326"', 'crs = "EPSG:2230"', 'crs = "the usual"'])
def test_park_needs_a_projected_crs_in_metres(tmp_path: Path, line: str) -> None:
    spec, faults = read_park(_park(tmp_path, HEAD.replace('crs = "EPSG:4549"', line)))
    assert spec is None
    assert [f.line for f in faults] == [5]


@pytest.mark.parametrize("origin", ["[1, 2]", '[1, 2, "3"]', "[1, 2, true]", "7", "[1, 2, inf]"])
def test_origin_is_three_numbers(tmp_path: Path, origin: str) -> None:
    _, faults = read_park(_park(tmp_path, HEAD.replace("[500000, 3400000, 0]", origin)))
    assert [(f.line, "three numbers" in f.what) for f in faults] == [(6, True)]


def test_syntax_error_names_its_line(tmp_path: Path) -> None:
    spec, faults = read_park(_park(tmp_path, HEAD + "[[layer]\n"))
    assert spec is None
    assert [f.line for f in faults] == [7]


def test_no_park_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ParkFileError, match="parktwin new"):
        load_park(tmp_path)


def test_one_bracket_for_a_list_is_said(tmp_path: Path) -> None:
    _, faults = read_park(_park(tmp_path, HEAD + '[building]\nid = "a"\n'))
    assert faults[0].mend == "write [[building]] with two brackets"


def test_new_park_is_valid_and_never_overwrites(tmp_path: Path) -> None:
    folder = tmp_path / 'My "park" 园'
    make_park(folder)
    spec, faults = read_park(folder)
    assert faults == []
    assert spec is not None
    assert spec.id == "My-park"
    with pytest.raises(ParkFileError, match="already holds a park"):
        make_park(folder)


def test_a_park_without_an_id_is_called_after_its_name(tmp_path: Path) -> None:
    _park(tmp_path, '[park]\nname = "River Side"\ncrs = "EPSG:4549"\norigin = [0.0, 0.0, 0.0]\n')
    assert load_park(tmp_path).id == "river-side"


def test_a_typo_in_the_park_table_leaves_the_rest_usable(tmp_path: Path) -> None:
    _park(tmp_path, HEAD.replace("[park]\n", "[park]\nflavour = 1\n"))
    assert load_park(tmp_path, strict=False).crs
    with pytest.raises(ParkFileError, match="flavour"):
        load_park(tmp_path)


def test_history_and_database_are_read_and_a_password_is_never_in_the_file(tmp_path: Path) -> None:
    park = load_park(_park(tmp_path, HEAD + """[history]
thin = [[365, 900], [30, 60]]
positions_days = 30
[database]
url = "postgresql://parktwin@db.local:5433/park"
password = "env:PARK_DATABASE"
"""))
    assert (park.history.thin, park.history.days, park.history.positions_days) == (((30, 60), (365, 900)), 0, 30)
    assert park.database is not None
    assert (park.database.url, park.database.password) == ("postgresql://parktwin@db.local:5433/park", "env:PARK_DATABASE")


@pytest.mark.parametrize(("text", "line", "says"), [
    ('[database]\nurl = "postgresql://li:geheim@db/park"\n', 8, "li:…@db"),
    ('[database]\nurl = "mysql://db/park"\n', 8, "not understood"),
    ('[database]\nurl = "postgresql://db/park"\npassword = "geheim"\n', 9, "read by everyone"),
    ("[[database]]\n", 7, "is a list"), ("[history]\nthin = [30, 60]\n", 8, "not days and seconds"),
    ("[history]\nthin = [[30, 7]]\n", 8, "not days and seconds"), ("[history]\ndays = -1\n", 8, "days")])
def test_a_wrong_database_or_history_is_told_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    spec, faults = read_park(_park(tmp_path, HEAD + text))
    assert spec is not None
    assert faults[0].line == line
    assert says in faults[0].what
    assert "geheim" not in str(faults)
