"""What goes out comes back the same; a table that is wrong takes nothing; other engines read the lake without us."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from twin.history import files, read
from twin.history.exchange import ExchangeError, import_table, point_ids, tables, write_table
from twin.history.lake import publish
from twin.history.store import History, HistoryError
from twin.ports import Readings
from twin.texts import Texts
from twin.wire import Quality

IDS = ["a.x", "a.y", "b.x"]
DAY = 86_400.0
START = 19_600 * DAY
END_MS = int((START + 9 * DAY) * 1000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two and a half days of two points; the last half day still in its log."""
    history = History(tmp_path / "history", IDS)
    for slot in (0, 2):
        at = START + np.arange(0, 2.5 * DAY, 600)
        quality = np.where(np.arange(len(at)) % 7 == 0, int(Quality.BAD), 0).astype(np.uint8)
        history.put(Readings(np.full(len(at), slot, np.uint32), np.sin(at) * 100, quality, at))
    assert history.flush()
    history.close()
    return tmp_path / "history"


def written(root: Path, form: str, **more: object) -> bytes:
    out = io.BytesIO()
    write_table(tables(root, point_ids(root), **{"from_ms": 0, "to_ms": END_MS, **more}), out, form)
    return out.getvalue()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_goes_out_comes_back_the_same(root: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"out.{form}"
    file.write_bytes(written(root, form))
    done = import_table(tmp_path / "other", file, ["b.x", "a.x"])
    assert (done.rows, done.left_out, done.unknown) == (720, {}, ())
    first, second = pq.read_table(io.BytesIO(written(root, "parquet"))), pq.read_table(
        io.BytesIO(written(tmp_path / "other", "parquet")))
    by = [("point", "ascending"), ("time", "ascending")]
    assert first.sort_by(by).equals(second.sort_by(by))
    again = import_table(tmp_path / "other", file, ["b.x", "a.x"])
    assert again.rows == 720
    assert len(read.rows_between(tmp_path / "other", 1, 0, END_MS)["value"]) == 720, "a second import doubles nothing"


def test_a_pattern_and_a_span_choose(root: Path) -> None:
    table = pacsv.read_csv(io.BytesIO(written(root, "csv", points=("a.*",), from_ms=int(START * 1000) + 600_000,
                                              to_ms=int(START * 1000) + 1_800_001)))
    assert table["point"].to_pylist() == ["a.x"] * 3
    assert table.column_names == ["time", "point", "value", "quality", "text"]
    assert written(root, "csv", points=("nothing*",)).count(b"\n") <= 1


def test_rows_that_cannot_be_used_are_told_and_the_rest_is_taken(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "mixed.csv"
    file.write_text("time,point,value,quality\n2023-01-01T00:00:00Z,a.x,1.5,good\n2023-01-01T00:00:01Z,ghost.x,1,good\n"
                    "2023-01-01T00:00:02Z,a.x,2,splendid\n,a.x,3,good\n2023-01-01T00:00:03Z,a.x,,good\n", "utf-8")
    done = import_table(root, file, IDS)
    assert done.rows == 2
    assert done.left_out == {"unknown point": 1, "no such quality": 1, "no time": 1}
    assert done.unknown == ("ghost.x",)
    rows = read.rows_between(root, 1, 1_672_531_200_000, 1_672_531_300_000)
    assert rows["quality"].tolist() == [Quality.GOOD, Quality.BAD], "no value is no good reading"


@pytest.mark.parametrize(("name", "text", "says"), [
    ("a.csv", "time,value\n2023-01-01T00:00:00Z,1\n", "no column point"), ("b.csv", "", "cannot be read"),
    ("c.csv", "time,point,value\nyesterday,a.x,1\n", "cannot be read"), ("d.txt", "", "neither"),
    ("e.parquet", "not parquet", "cannot be read")])
def test_a_file_that_is_no_such_table_takes_nothing(root: Path, tmp_path: Path, name: str, text: str, says: str) -> None:
    before = written(root, "csv")
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ExchangeError, match=says) as caught:
        import_table(root, tmp_path / name, IDS)
    assert caught.value.mend
    assert written(root, "csv") == before


def test_nothing_is_imported_under_a_running_server(root: Path, tmp_path: Path) -> None:
    history = History(root, IDS)
    (tmp_path / "a.csv").write_text("time,point,value\n2023-01-01T00:00:00Z,a.x,1\n", "utf-8")
    with pytest.raises(HistoryError, match="another server"):
        import_table(root, tmp_path / "a.csv", IDS)
    history.close()


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # Dask's own
def test_the_lake_holds_ended_days_once_and_late_rows_after(root: Path, tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    url = str(tmp_path / "lake")
    History(root, IDS).close()
    until = int((START + 2.5 * DAY) * 1000)
    assert publish(root, url, until_ms=until) == 2
    assert publish(root, url, until_ms=until) == 0
    lake = deltalake.DeltaTable(url)
    table = pa.table(lake.to_pyarrow_table())
    assert (len(table), set(table["day"].to_pylist())) == (576, {"2023-08-31", "2023-09-01"})
    assert lake.version() == 1
    late = tmp_path / "late.csv"
    late.write_text("time,point,value\n2023-08-31T00:00:01Z,a.y,42\n", "utf-8")
    import_table(root, late, IDS)
    assert publish(root, url, until_ms=until) == 1
    again = pa.table(deltalake.DeltaTable(url).to_pyarrow_table())
    assert len(again) == 577
    dask = pytest.importorskip("dask.dataframe")
    frame = dask.read_parquet(deltalake.DeltaTable(url).file_uris())
    ours = read.means(root, np.array([0], np.uint32), np.array([int(START * 1000), int((START + DAY) * 1000)]))[0, 0]
    good = frame[(frame["point"] == "a.x") & (frame["quality"] == "good") & (frame["time"] < "2023-09-01")]
    assert float(good["value"].mean().compute(scheduler="synchronous")) == pytest.approx(ours)


def test_a_lake_written_before_there_were_texts_gets_the_column(tmp_path: Path) -> None:
    """One old day stays as it was written, one is written again for what came late, one is new and has words."""
    deltalake = pytest.importorskip("deltalake")
    url, root = str(tmp_path / "lake"), tmp_path / "history"
    history = History(root, ["a.x", "a.note"], texts=(texts := Texts()), text_ids=["a.note"])
    for day in range(2):
        history.put(Readings(np.zeros(3, np.uint32), np.arange(3.0), np.zeros(3, np.uint8), START + day * DAY + np.arange(3)))
    assert history.flush()
    history.close()
    before = pa.concat_tables(list(tables(root, point_ids(root), from_ms=0, to_ms=END_MS))).drop_columns(["text"])
    days = pa.array(["2023-08-31"] * 3 + ["2023-09-01"] * 3)
    logs = files.last_log(root)
    deltalake.write_deltalake(url, before.append_column("day", days).append_column("log", pa.array([logs] * 6)),
                              partition_by=["day", "log"])
    history = History(root, ["a.x", "a.note"], texts=texts, text_ids=["a.note"])
    history.put(Readings(np.array([1, 1], np.uint32), np.array([texts.code("door 3 stuck"), texts.code("门已修复")], float),
                         np.zeros(2, np.uint8), START + DAY * np.array([1.5, 2.5])))
    assert history.flush()
    history.close()
    History(root, ["a.x", "a.note"]).close()
    assert publish(root, url, until_ms=END_MS) == 2
    rows = pa.table(deltalake.DeltaTable(url).to_pyarrow_table()).sort_by("time").to_pylist()
    numbers = [row for row in rows if row["point"] == "a.x"]
    assert [(row["value"], row["text"]) for row in numbers] == [(0, None), (1, None), (2, None)] * 2
    assert [(row["day"], row["value"], row["text"]) for row in rows if row["point"] == "a.note"] == [
        ("2023-09-01", None, "door 3 stuck"), ("2023-09-02", None, "门已修复")]
    assert publish(root, url, until_ms=END_MS) == 0
