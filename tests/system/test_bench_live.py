"""The live bench runs and prints each of its rows; how large they are is for people to read."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from parktwin.bench.live import browsers

ROWS = {"history": ["bytes a sample", "as of an instant", "ten minutes", "one point", "jump inside"],
        "mqtt": ["one value a message", "500 values a message"]}


@pytest.mark.parametrize("group", sorted(ROWS))
def test_every_row_is_printed_with_its_peer(group: str, tmp_path: Path) -> None:
    if group == "mqtt":
        try:
            socket.create_connection(("127.0.0.1", 1883), timeout=1).close()
        except OSError:
            pytest.skip("no broker on 127.0.0.1:1883")
    done = subprocess.run([sys.executable, "-m", "parktwin", "bench", "live", "--quick", "--only", group, "--out",
                           str(tmp_path / "rows.json")], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text("utf-8"))
    for part in ROWS[group]:
        found = [row for row in rows if part in row["what"]]
        assert found, part
        assert all(math.isfinite(row["ours"]) and row["ours"] > 0 for row in found)
    assert [row for row in rows if row["peer"]], "beside a peer"


@pytest.mark.parametrize("server", ["hub", "sequential"])
def test_browsers_get_values_and_the_server_says_what_it_took(server: str) -> None:
    found = browsers._run(server, 3, 0, True)
    assert found["updates"] > 0
    assert 0 < found["p50"] <= found["p99"] < 60_000
    assert found["mb_s"] > 0


def test_an_unknown_group_is_told() -> None:
    done = subprocess.run([sys.executable, "-m", "parktwin", "bench", "live", "--only", "stats"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "use some of state, mqtt, browsers, history" in done.stderr
