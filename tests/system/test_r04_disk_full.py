"""R4: the disk of a running park fills: live goes on, an alarm says so, nothing that was taken is lost, no file is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from faults_park import POSTED, TOKEN, batch, kept, post
from full_size import measured
from served_park import first_frame, serving, until, values

from twin.history.store import History
from twin.history.wal import read_wal

DISK_BYTES = 64 * 1024 * 1024
KEY = "system:history"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """64 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own takes root to mount")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_r04_a_full_disk_is_an_alarm_and_live_goes_on(built: Path, disk: Path) -> None:
    """R4: a disk of 64 MB that is full for some seconds."""
    at = shutil.copytree(built, disk / "park")
    (at / "park.toml").write_text(POSTED, "utf-8")
    (at / "push.token").write_text(TOKEN, "utf-8")
    begin, said = time.time(), {}

    def say(value: float) -> int:
        now = time.time()
        said[round(now * 1000)] = value
        return post(served, batch(now, "ENV-1", temp=value)).status_code

    with serving(at, at) as served:
        core, browser = served.services.runner.core, served.browser()
        assert say(20.0) == 200
        with browser.live() as page:
            first_frame(page)
            ballast = disk / "ballast"
            with ballast.open("wb") as out:
                while (left := shutil.disk_usage(disk).free) > 0:
                    out.write(b"\1" * min(left, 1 << 20))
                    out.flush()
            full = time.monotonic()
            filler = [batch(begin - 1000 + k, "ENV-2", temp=15.0 + k % 2 * 9) for k in range(800)]  # more than a block
            assert post(served, filler).status_code == 503, "what is not on disk is not acknowledged"
            for k in range(12):
                value = 10.0 + k
                say(value)
                values(page, served.slot("ENV-1.temp"), lambda v, _, value=value: v == value, 5)
        until(lambda: any(a.key == KEY and a.is_active for a in core.alarms()), 10, "an alarm says so")
        told_secs = time.monotonic() - full
        view = next(a for a in core.alarms() if a.key == KEY)
        assert (view.title, view.title_zh, view.place) == ("History cannot write", "历史无法写入", "Parktwin")
        assert browser.http.get("/readyz").status_code == 503
        assert browser.http.get("/api/v1/alarms").status_code == 200
        ballast.unlink()
        freed = time.monotonic()
        until(lambda: not core.book.of_key(KEY) or not core.book.of_key(KEY).is_active, 30, "it is over")  # type: ignore[union-attr]
        until(lambda: browser.http.get("/readyz").status_code == 200, 15, "ready again")
        measured("R4 recovered after there is room again", time.monotonic() - freed, "s", 30)
        measured("R4 an alarm about the full disk after", told_secs, "s", 10)
        assert say(23.5) == 200
        assert dict(kept(served, "ENV-1.temp", begin - 5, time.time() + 5)) == said, "what waited is written"
        assert len(kept(served, "ENV-1.temp", begin - 5, time.time() + 5)) == len(said), "once"
        until(lambda: any(row["what"] == "alarm.raised" and row["subject"] == KEY
                          for row in browser.http.get("/api/v1/trail").json()), 10, "the alarm is on record")
        assert served.services.runner.faults == 0
        assert core.events.verify() == []
        ids = served.services.points.ids
    root = at / "state" / "history"
    again = History(root, ids)  # the logs of before become segments
    try:
        slot = np.array([ids.index("ENV-1.temp")])
        found = again.readings_of(slot, round(begin * 1000) - 5000, round(time.time() * 1000))
        assert dict(zip(np.rint(found.source_time * 1000).astype(int).tolist(), found.value.tolist(), strict=True)) == said
    finally:
        again.close()
    for path in root.rglob("*.parquet"):
        assert pq.read_table(path).num_rows > 0, path
    assert all(sum(len(batch) for batch in read_wal(path)) >= 0 for path in root.rglob("*.log"))
