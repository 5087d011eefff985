"""Edits beside the sources: parsed, checked, kept in their file; and which thing each of them means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.matching import Match, Miss, Thing, find
from twin.overrides import DrawnZone, Override, OverrideError, Place, Rename, Target, key_of, parse, parse_file, written

ROOM = Target(kind="space", building="a", guid="G1", size=(5.0, 4.0, 3.0), at=(2.5, 2.0, 1.5), corner=(0.0, 0.0, 0.0))


def room(row: int, *, guid: str = "", at: tuple[float, float, float] = (2.5, 2.0, 1.5),
         size: tuple[float, float, float] = (5.0, 4.0, 3.0), building: str = "a") -> Thing:
    return Thing(kind="space", building=building, guid=guid, size=size, at=at, row=row)


def test_a_guid_wins_over_shape_and_place() -> None:
    found = find(ROOM, [room(0), room(1, guid="G1", at=(50.0, 0.0, 0.0), size=(1.0, 1.0, 1.0))], {})
    assert isinstance(found, Match)
    assert (found.thing.row, found.by) == (1, "guid")


def test_new_guids_are_matched_by_shape_and_place() -> None:
    things = [room(0, guid="N1", at=(2.52, 2.0, 1.5)), room(1, guid="N2", at=(8.0, 2.0, 1.5)),
              room(2, guid="N3", size=(5.0, 3.0, 3.0))]
    found = find(ROOM, things, {})
    assert isinstance(found, Match)
    assert (found.thing.row, found.by) == (0, "shape")


def test_a_file_exported_from_another_origin_is_matched_by_its_corner() -> None:
    things = [room(0, guid="N1", at=(1002.5, 502.0, 1.5)), room(1, guid="N2", at=(1010.0, 502.0, 1.5))]
    found = find(ROOM, things, {"a": (1000.0, 500.0, 0.0)})
    assert isinstance(found, Match)
    assert found.thing.row == 0
    assert find(ROOM, things, {"a": (0.0, 0.0, 0.0)}) == Miss(0)


def test_nothing_alike_is_a_miss_and_so_are_two_in_one_place() -> None:
    assert find(ROOM, [room(0, guid="N", size=(9.0, 9.0, 3.0))], {}) == Miss(0)
    assert find(ROOM, [room(0, guid="N1"), room(1, guid="N2", at=(2.6, 2.0, 1.5))], {}) == Miss(2)
    assert find(ROOM, [room(0, guid="G1"), room(1, guid="G1")], {}) == Miss(2), "one GUID twice tells nothing"


def test_buildings_go_by_id_then_guid_then_by_the_only_one_of_their_shape() -> None:
    def building(row: int, key: str, guid: str, at: tuple[float, float, float] | None) -> Thing:
        return Thing(kind="building", building=key, guid=guid, size=(20.0, 10.0, 8.0), at=at, row=row)

    target = Target(kind="building", building="old", guid="B", size=(20.0, 10.0, 8.0), at=(100.0, 0.0, 4.0))
    assert find(target, [building(0, "old", "x", None), building(1, "new", "B", None)], {}) == Match(
        building(0, "old", "x", None), "id")
    assert find(target, [building(0, "p", "x", None), building(1, "new", "B", None)], {}) == Match(
        building(1, "new", "B", None), "guid")
    twins = [building(0, "p", "x", (101.0, 0.0, 4.0)), building(1, "q", "y", (300.0, 0.0, 4.0))]
    assert find(target, twins, {}) == Match(twins[0], "shape")
    assert find(target, [building(0, "p", "x", None), building(1, "q", "y", None)], {}) == Miss(2)


@pytest.mark.parametrize(("row", "code"), [
    ({"what": "zone", "id": "z", "name": "Z", "ring": [[0, 0], [2, 2], [2, 0], [0, 2]]}, "edit.crossed"),
    ({"what": "zone", "id": "z", "name": "Z", "ring": [[0, 0], [2, 2]]}, "edit.corners"),
    ({"what": "zone", "id": "z/../", "name": "Z", "ring": [[0, 0], [2, 0], [2, 2]]}, "edit.id"),
    ({"what": "device", "id": "d", "kind": "camera", "at": [float("nan"), 0, 0]}, "edit.numbers"),
    ({"what": "device", "id": "d", "kind": "camera", "at": [0, 0, 1e300]}, "edit.numbers"),
    ({"what": "place", "target": {"kind": "space", "building": "a"}, "at": [0, 0, 0], "anchor": [0, 0, 0]}, "edit.place"),
    ({"what": "name", "target": {"kind": "space", "building": "a"}, "name": "  "}, "edit.no_name"),
    ({"what": "group", "id": "g", "name": "G", "members": []}, "edit.empty"),
    ({"what": "demolish", "id": "g"}, "edit.shape"),
    ({"what": "zone", "id": "z", "name": "Z", "ring": [[0, 0], [2, 0], [2, 2]], "colour": "red"}, "edit.shape"),
    (["zone"], "edit.shape"),
])
def test_an_edit_that_does_not_hold_together_is_refused_with_its_code(row: object, code: str) -> None:
    with pytest.raises(OverrideError) as caught:
        parse(row)
    assert caught.value.code == code
    assert caught.value.mend


ZONE = DrawnZone(id="z1", name="North", name_zh="北区", ring=((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)))
RENAME = Rename(target=ROOM, name="Lab", by="demo", when="2026-11-21T10:00:00Z")


def test_the_file_keeps_comments_and_entries_it_cannot_read() -> None:
    text = written("", {key_of(o): o for o in (ZONE, RENAME)})
    text = text.replace('name = "Lab"', 'name = "Lab" # agreed with the tenant') + '\n[[override]]\nwhat = "later"\nx = 1\n'
    kept, told = parse_file(text)
    assert kept == {key_of(ZONE): ZONE, key_of(RENAME): RENAME}
    assert [f.level for f in told] == ["error"]
    again = written(text, {key_of(RENAME): RENAME})
    assert "agreed with the tenant" in again
    assert 'what = "later"' in again
    assert "北区" not in again
    assert parse_file(again)[0] == {key_of(RENAME): RENAME}


def test_a_file_that_is_not_toml_is_told_and_never_written_over() -> None:
    kept, told = parse_file("[[override]\n")
    assert not kept
    assert told[0].level == "error"
    with pytest.raises(OverrideError):
        written("[[override]\n", {key_of(ZONE): ZONE})


metres = st.floats(-1e5, 1e5, allow_nan=False)
xyz = st.tuples(metres, metres, metres)
text = st.text(st.characters(codec="utf-8"), max_size=30)
names = text.filter(lambda t: bool(t.strip()))
targets = st.builds(Target, kind=st.just("building"), building=text, guid=text, size=st.none() | xyz, at=st.none() | xyz)
edits: st.SearchStrategy[Override] = st.one_of(
    st.builds(Place, target=targets, at=xyz, anchor=xyz, heading=st.floats(0, 360), by=text),
    st.builds(Rename, target=targets, name=names, name_zh=text))


@given(st.lists(edits, max_size=6))
def test_whatever_is_written_is_read_back_the_same(found: list[Override]) -> None:
    wanted = {key_of(o): o for o in found}
    kept, told = parse_file(written("", wanted))
    assert kept == wanted
    assert not told
