"""Texts and positions: as numbers through the live columns and the history, against plain dictionaries."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.history.exchange import import_table, point_ids, tables, write_table
from twin.history.store import History
from twin.live.state import StateStore
from twin.packs import PackError, load_pack, load_packs
from twin.ports import Readings
from twin.registry import Device, PointTable
from twin.texts import FILE, MAX_CHARS, Texts
from twin.wire import Quality

PACK = """id = "tags"
name = "Tags"
name_zh = "标签"
[[kinds]]
id = "tag"
name = "Tag"
name_zh = "标签"
symbol = "meter"
points = [{ key = "temp", name = "T", name_zh = "温", deadband = 0 },
  { key = "note", name = "Note", name_zh = "备注", type = "text"%s },
  { key = "at", name = "Position", name_zh = "位置", type = "position" }]
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pack") / "tags.toml"
    made.write_text(PACK % "", "utf-8")
    return made


def table_of(path: Path) -> PointTable:
    return PointTable([Device(id=name, kind="tag", name=name) for name in ("A", "B")], load_packs([path]).kinds)


TEXT = st.one_of(st.text(max_size=8), st.sampled_from(["", "0", "NaN", "<b>", "x" * (MAX_CHARS + 1), 5.0, None]))
PLACE = st.one_of(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), st.lists(st.floats(0, 1), max_size=2),
                  st.just("here"))
TOLD = st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 30), st.one_of(
    st.tuples(st.just("note"), TEXT), st.tuples(st.just("at"), PLACE), st.tuples(st.just("temp"), st.floats(-9, 9)))),
    max_size=40)


@settings(max_examples=60, deadline=None)
@given(TOLD, st.integers(1, 5))
def test_what_every_point_says_is_what_a_plain_oracle_says(path: Path, told: list, size: int) -> None:
    points = table_of(path)
    state = StateStore(points)
    oracle: dict[tuple[str, str], tuple[int, object]] = {}
    for j in range(0, len(told), size):
        rows = []
        for device, time, (key, value) in told[j:j + size]:
            rows += [(slot, points.number(slot, part), float(time)) for slot, part in points.heard(device, key, value)]
            if time > oracle.get((device, key), (0, None))[0]:
                oracle[device, key] = time, value
        number = np.array([row[1] for row in rows], np.float64)
        quality = np.where(np.isfinite(number), int(Quality.GOOD), int(Quality.BAD)).astype(np.uint8)
        state.apply(Readings(np.array([row[0] for row in rows], np.uint32), number, quality,
                             np.array([row[2] for row in rows], np.float64)), 100.0)
    for (device, key), (time, value) in oracle.items():
        slots = [slot for slot, _ in points.heard(device, key, value)]
        assert all(state.source[slots] == time)
        if key == "note":
            is_one = isinstance(value, str) and len(value) <= MAX_CHARS
            assert not is_one or points.texts.text(state.value[slots[0]]) == value
        else:
            whole = value if isinstance(value, list) else [value]
            is_one = len(whole) == len(slots) and all(isinstance(part, float) for part in whole)
            assert not is_one or state.value[slots].tolist() == whole
        assert all((state.quality[slots] == Quality.GOOD) == is_one)


def test_a_text_is_kept_as_of_then_through_a_restart_and_out_and_in(path: Path, tmp_path: Path) -> None:
    def opened(root: Path) -> tuple[History, PointTable]:
        points = table_of(path)
        return History(root, points.ids, texts=points.texts, text_ids=[points.ids[s] for s in points.text_slots]), points

    words = ["idle", "<script>", "停机\n", "idle"]
    history, points = opened(tmp_path / "h")
    slot = points.slot_of("B.note")
    assert slot is not None
    at = 1.8e9 + np.arange(4.0)
    history.put(Readings(np.full(4, slot, np.uint32), np.array([points.texts.code(word) for word in words]),
                         np.zeros(4, np.uint8), at))
    history.put(Readings(np.array([0], np.uint32), np.array([7.5]), np.zeros(1, np.uint8), at[:1]))
    assert history.flush()
    history.close()
    with (tmp_path / "h" / FILE).open("ab") as file:
        file.write(b'"torn')
    history, points = opened(tmp_path / "h")
    assert [points.texts.text(history.as_of(time + 0.5).value[slot]) for time in at] == words
    assert points.texts.code("new") == 3.0, "what was torn has no number"
    history.close()
    for form in ("parquet", "csv"):
        out = io.BytesIO()
        span = {"from_ms": 0, "to_ms": int(2e12)}
        assert write_table(tables(tmp_path / "h", point_ids(tmp_path / "h"), **span), out, form) == 5
        (tmp_path / f"x.{form}").write_bytes(out.getvalue())
        fresh, _ = opened(tmp_path / form)
        fresh.close()
        assert import_table(tmp_path / form, tmp_path / f"x.{form}", points.ids).rows == 5
        again, there = opened(tmp_path / form)
        assert [there.texts.text(again.as_of(time + 0.5).value[slot]) for time in at] == words
        assert again.as_of(at[-1]).value[0] == 7.5
        again.close()
    table = pq.read_table(tmp_path / "x.parquet")
    assert pa.types.is_dictionary(table.schema.field("text").type)
    rows = table.to_pylist()
    assert [(row["value"], row["text"]) for row in rows] == [(7.5, None), *((None, word) for word in words)]


def test_there_is_an_end_to_texts_and_a_number_never_changes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.texts.MAX_TEXTS", 2)
    texts = Texts().open(tmp_path / FILE)
    assert [texts.code(word) for word in ("a", "b", "a")] == [0.0, 1.0, 0.0]
    for wrong in ("c", "a" * 300, "\ud800", 5, None, ["a"]):
        assert np.isnan(texts.code(wrong))
    texts.sync()
    assert [json.loads(line) for line in (tmp_path / FILE).read_text("utf-8").splitlines()] == ["a", "b"]
    assert texts.text(7.0) is texts.text(float("nan")) is None


def test_a_pack_that_treats_a_text_as_a_number_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "tags.toml"
    made.write_text(PACK % ", high = 3", "utf-8")
    with pytest.raises(PackError, match="figures of a number"):
        load_pack(made)
