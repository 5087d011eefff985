"""History out of a running server and by the command line, with what a person might do wrong."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from served_park import Served, serving, until


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "parktwin", "history", *words], capture_output=True, text=True, timeout=120,
                          check=False)


def test_a_table_from_the_running_server_is_what_charts_are_drawn_from(served: Served) -> None:
    browser, now = served.browser(), time.time() * 1000
    span = {"points": "ENV-*.temp", "from_ms": now - 3_600_000, "to_ms": now}
    until(lambda: len(browser.http.get("/api/v1/history/export", params=span | {"to_ms": time.time() * 1000}).text) > 100, 20,
          "something is on record")
    span["to_ms"] = time.time() * 1000
    answer = browser.http.get("/api/v1/history/export", params=span)
    assert (answer.status_code, "history.csv" in answer.headers["content-disposition"]) == (200, True)
    table = pacsv.read_csv(io.BytesIO(answer.content))
    assert set(table["point"].to_pylist()) <= {"ENV-1.temp", "ENV-2.temp"}
    assert set(table["quality"].to_pylist()) <= {"good", "uncertain", "bad", "stale"}
    columns = pq.read_table(io.BytesIO(browser.http.get("/api/v1/history/export", params=span | {"form": "parquet"}).content))
    assert columns.num_rows == table.num_rows > 0
    assert served.browser().http.get("/api/v1/history/export", params={"from_ms": "x", "to_ms": 1}).status_code == 422


def test_the_command_line_takes_history_out_in_and_to_a_lake(built: Path, tmp_path: Path) -> None:
    park = tmp_path / "park"
    with serving(built, park) as served:
        until(lambda: served.services.history.durable > 3, 20, "something is on record")
        running = run("import", str(park), str(tmp_path / "nothing.csv"))
        assert running.returncode == 2
        assert "another server writes the history" in running.stderr
    served.services.history.close()
    out = run("export", str(park), str(tmp_path / "all.csv"))
    assert out.returncode == 0, out.stderr
    rows = pacsv.read_csv(tmp_path / "all.csv").num_rows
    assert f"✓ {rows:,} readings" in out.stdout
    (tmp_path / "more.csv").write_text("time,point,value\n2024-05-01T08:00:00+08:00,ENV-1.temp,21.5\n2024-05-01,GHOST.x,1\n",
                                       "utf-8")
    taken = run("import", str(park), str(tmp_path / "more.csv"))
    assert taken.returncode == 0, taken.stderr
    assert "✓ 1 readings taken" in taken.stdout
    assert "GHOST.x" in taken.stdout
    day = run("export", str(park), str(tmp_path / "day.csv"), "--since", "2024-05-01", "--until", "2024-05-02")
    assert "✓ 1 readings" in day.stdout, day.stderr
    assert "2024-05-01 00:00:00" in (tmp_path / "day.csv").read_text("utf-8")
    lake = run("publish", str(park), str(tmp_path / "lake"))
    assert "✓ 1 days written" in lake.stdout, lake.stderr
    assert "up to date" in run("publish", str(park), str(tmp_path / "lake")).stdout
    for wrong, says in ((("export", str(park), "x.docx"), "neither .csv"), (("publish", str(park)), "where to publish"),
                        (("export", str(park), str(tmp_path / "a.csv"), "--since", "yesterday"), "no day or instant")):
        answer = run(*wrong)
        assert (answer.returncode, says in answer.stderr) == (2, True), answer.stderr
