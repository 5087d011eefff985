"""The journal of edits: undo and redo, two people at once, restarts, and edits made in the file itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.edits import EditBook, EditConflict
from twin.overrides import DrawnZone, Override, OverrideError, key_of, parse_file
from twin.shared.papers import Paper

RING = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))


def zone(key: str, name: str = "Z") -> DrawnZone:
    return DrawnZone(id=key, name=name, ring=RING)


def book(root: Path) -> EditBook:
    return EditBook(root, Paper(root / "state" / "edits.jsonl"), 0.0)


steps = st.lists(st.one_of(st.tuples(st.just("edit"), st.sampled_from("abc"), st.sampled_from("xyz")),
                           st.tuples(st.just("remove"), st.sampled_from("abc"), st.just("")),
                           st.tuples(st.just("undo"), st.just(""), st.just("")),
                           st.tuples(st.just("redo"), st.just(""), st.just(""))), max_size=25)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_undo_and_redo_go_through_the_states_there_were(tmp_path_factory: pytest.TempPathFactory,
                                                        done: list[tuple[str, str, str]]) -> None:
    root = tmp_path_factory.mktemp("edits")
    edits = book(root)
    past: list[dict[str, Override]] = [{}]  # a plain list of states and a place in it
    here = 0
    for do, key, name in done:
        if do == "edit":
            edits.edit(zone(key, name), "ann", 1.0, edits.version)
            past[here + 1:] = [{**past[here], f"zone:{key}": zone(key, name)}]
            here += 1
        elif do == "remove" and f"zone:{key}" in past[here]:
            edits.remove(f"zone:{key}", "ann", 1.0, edits.version)
            past[here + 1:] = [{k: v for k, v in past[here].items() if k != f"zone:{key}"}]
            here += 1
        elif do == "undo" and here:
            edits.undo("ann", 1.0, edits.version)
            here -= 1
        elif do == "redo" and here + 1 < len(past):
            edits.redo("ann", 1.0, edits.version)
            here += 1
        elif do != "edit":
            with pytest.raises(OverrideError):
                edits.remove(f"zone:{key}", "ann", 1.0, edits.version) if do == "remove" else getattr(edits, do)(
                    "ann", 1.0, edits.version)
        assert edits.draft == past[here]
    again = book(root)
    assert again.draft == edits.draft
    assert again.changes == edits.changes
    assert (again.next_undo, again.next_redo) == (edits.next_undo, edits.next_redo)


def test_two_people_at_one_thing_is_refused_by_name_and_at_two_things_is_not(tmp_path: Path) -> None:
    edits = book(tmp_path)
    edits.edit(zone("a"), "ann", 1.0, 0)
    edits.edit(zone("b"), "bob", 1.0, 0)
    with pytest.raises(EditConflict) as caught:
        edits.edit(zone("a", "mine"), "bob", 1.0, 0)
    assert caught.value.fill == {"by": "ann", "key": "zone:a"}
    edits.edit(zone("a", "mine"), "bob", 1.0, edits.version)
    with pytest.raises(EditConflict):
        edits.undo("ann", 1.0, 1)
    assert edits.draft["zone:a"] == zone("a", "mine")


def test_publishing_writes_the_draft_and_a_failed_build_puts_the_file_back(tmp_path: Path) -> None:
    edits = book(tmp_path)
    edits.edit(zone("a"), "ann", 1.0, 0)
    before = edits.write_file()
    assert parse_file((tmp_path / "overrides.toml").read_text())[0] == {"zone:a": zone("a")}
    edits.put_back(before)
    assert not (tmp_path / "overrides.toml").exists()
    edits.write_file()
    edits.note_published(1, "ann", 2.0)
    assert not edits.is_dirty
    edits.edit(zone("b"), "ann", 3.0, edits.version)
    again = book(tmp_path)
    assert again.is_dirty
    assert again.published == {"zone:a": zone("a")}
    assert set(again.draft) == {"zone:a", "zone:b"}


def test_an_edit_made_in_the_file_is_taken_and_can_be_undone(tmp_path: Path) -> None:
    edits = book(tmp_path)
    edits.edit(zone("a"), "ann", 1.0, 0)
    edits.write_file()
    edits.note_published(1, "ann", 2.0)
    edits.edit(zone("draft"), "ann", 3.0, edits.version)
    path = tmp_path / "overrides.toml"
    path.write_text(path.read_text().replace('name = "Z"', 'name = "By hand"'))
    again = book(tmp_path)
    assert again.draft == {"zone:a": zone("a", "By hand"), "zone:draft": zone("draft")}
    assert {change.by for change in again.changes[3:]} == {"overrides.toml"}
    assert book(tmp_path).changes == again.changes, "taken once"
    again.undo("ann", 4.0, again.version)
    assert again.draft["zone:a"] == zone("a")
    assert book(tmp_path).draft["zone:a"] == zone("a"), "and stays undone"


def test_a_park_that_comes_with_its_file_alone_starts_from_it(tmp_path: Path) -> None:
    edits = book(tmp_path)
    edits.edit(zone("a"), "ann", 1.0, 0)
    edits.write_file()
    (tmp_path / "state" / "edits.jsonl").unlink()
    again = book(tmp_path)
    assert again.draft == {key_of(zone("a")): zone("a")}
    assert not again.is_dirty


def test_a_torn_last_line_costs_that_line_alone(tmp_path: Path) -> None:
    edits = book(tmp_path)
    edits.edit(zone("a"), "ann", 1.0, 0)
    edits.edit(zone("b"), "ann", 1.0, 1)
    journal = tmp_path / "state" / "edits.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    again = book(tmp_path)
    assert set(again.draft) == {"zone:a"}
    assert again.findings
    again.edit(zone("c"), "ann", 2.0, again.version)
    assert set(book(tmp_path).draft) == {"zone:a", "zone:c"}
