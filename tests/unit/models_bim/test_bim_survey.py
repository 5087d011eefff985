"""What a BIM manager is told of each file, counted."""

from pathlib import Path

from ifc_maker import Maker

from models_bim.federate import federate
from models_bim.survey import FileSurvey, Issue, survey
from models_bim.worker import read_discipline


def _surveyed(*makers: Maker, folder: Path) -> tuple[FileSurvey, ...]:
    return survey(federate([read_discipline(m.write(folder / f"d{k}.ifc")) for k, m in enumerate(makers)]))


def _issue(found: FileSurvey, code: str) -> Issue | None:
    return next((issue for issue in found.issues if issue.code == code), None)


def test_gaps_are_counted_against_all_there_are(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    walls = [maker.box("IfcWall", (k, 0, 0), (0.5, 0.5, 3), storey, Name=f"W{k}") for k in range(4)]
    maker.box("IfcBuildingElementProxy", (9, 0, 0), (1, 1, 1), storey)
    kind = maker.root("IfcWallType", Name="T", PredefinedType="STANDARD")
    maker.root("IfcRelDefinesByType", RelatedObjects=walls, RelatingType=kind)
    maker.properties(walls[0], "Pset_WallCommon", {"IsExternal": maker.new("IfcBoolean", True)})
    found = _surveyed(maker, folder=tmp_path)[0]
    assert {code: (i.count, i.of) for code in ("proxies", "type", "pset", "name", "common.IfcWall", "material")
            for i in [_issue(found, code)] if i} == {
        "proxies": (1, 5), "type": (1, 5), "pset": (4, 5), "name": (1, 5), "common.IfcWall": (3, 4), "material": (5, 5)}
    assert found.coverage == {"name": 0.8, "type": 0.8, "material": 0.0, "pset": 0.2, "classification": 0.0}
    assert found.classes == (("IfcWall", 4), ("IfcBuildingElementProxy", 1))
    assert [i.level for i in found.issues] == sorted((i.level for i in found.issues), reverse=True), "warnings first"


def test_what_stands_in_its_like_is_told_and_what_stands_beside_is_not(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k, x in enumerate((0.0, 0.0, 0.002)):
        maker.box("IfcColumn", (x, 0, 0), (0.4, 0.4, 3), storey, Name=f"C{k}")
    maker.box("IfcPile", (0, 0, 0), (0.4, 0.4, 3), storey, Name="P")
    twice = _issue(_surveyed(maker, folder=tmp_path)[0], "twice")
    assert twice is not None
    assert (twice.count, twice.sample[0].split()[:2]) == (1, ["IfcColumn", '"C1"'])


def test_pipes_without_a_system_are_told_and_walls_are_not(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    pipes = [maker.box("IfcPipeSegment", (k, 0, 0), (1, 0.1, 0.1), storey, Name=f"P{k}") for k in range(2)]
    maker.box("IfcWall", (0, 5, 0), (1, 0.2, 3), storey, Name="W")
    maker.root("IfcRelAssignsToGroup", RelatingGroup=maker.root("IfcSystem", Name="S"), RelatedObjects=[pipes[0]])
    found = _issue(_surveyed(maker, folder=tmp_path)[0], "system")
    assert found is not None
    assert (found.count, found.of) == (1, 2)


def test_rooms_and_storeys_that_help_nobody_are_told(tmp_path: Path) -> None:
    maker = Maker()
    storey, _ = maker.storey("L1", 0.0), maker.storey("L2", 3.0)
    for k in range(2):
        maker.box("IfcSpace", (5 * k, 0, 0), (4, 4, 3), storey, Name="101")
    maker.aggregate(storey, [maker.root("IfcSpace")])
    found = _surveyed(maker, folder=tmp_path)[0]
    counts = {i.code: i.count for i in found.issues if i.code.startswith(("room", "storey"))}
    assert counts == {"room.same": 1, "room.name": 1, "room.outline": 1, "storey.empty": 1}


def test_each_file_of_a_building_is_told_apart(tmp_path: Path) -> None:
    one, other = Maker(), Maker()
    one.box("IfcWall", (0, 0, 0), (4, 0.2, 3), one.storey("L1", 0.0), Name="W")
    other.box("IfcPipeSegment", (60_000, 0, 0), (1, 0.1, 0.1), other.storey("L1", 0.0), Name="P")
    first, second = _surveyed(one, other, folder=tmp_path)
    assert (first.name, first.elements, second.elements) == ("d0.ifc", 1, 1)
    assert _issue(first, "far") is None
    assert _issue(second, "far") is not None
