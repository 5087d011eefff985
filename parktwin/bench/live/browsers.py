"""Fan-out: what many browsers cost the server, how old a value is when they have it, and what one that stalls changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from parktwin.bench.child import Failed
from parktwin.bench.rows import Row

COUNTS = (10, 100, 1000)
SECS = 8.0


def measure(scratch: Path, quick: bool) -> list[Row]:
    """Ours and sequential sends, by number of browsers; then with one that stalls."""
    rows = []
    for count in COUNTS[:2] if quick else COUNTS:
        ours, peer = _run("hub", count, 0, quick), _run("sequential", count, 0, quick)
        is_all = count == COUNTS[-1]
        note = (f"{ours['updates']:.0f} values/s, 10 ticks a second, {ours['mb_s']:.1f} MB/s in all; "
                f"age p50 {ours['p50']:.0f} ms")
        rows += [Row(what=f"{count:,} browsers, the server's core", unit="%", ours=ours["cpu"] * 100, peer=peer["cpu"] * 100,
                     peer_name="await send to one after the other", note=note),
                 Row(what=f"{count:,} browsers, age of a value p99", unit="ms", ours=ours["p99"], peer=peer["p99"],
                     peer_name="await send to one after the other")]
        if is_all:
            rows += [Row(what="1,000 browsers, the server's core, against its own target", unit="%", ours=ours["cpu"] * 100,
                         target=25.0),
                     Row(what="1,000 browsers, age of a value p99, against its own target", unit="ms", ours=ours["p99"],
                         target=200.0)]
    count = COUNTS[0] if quick else COUNTS[1]
    calm, stalled = _run("hub", count, 0, quick), _run("hub", count, 1, quick)
    frozen = _run("sequential", count, 1, quick)
    rows.append(Row(what=f"age p99 of {count} browsers while another stalls", unit="ms", ours=stalled["p99"],
                    peer=frozen["p99"], peer_name="await send to one after the other",
                    note=f"without it: {calm['p99']:.0f} ms"))
    return rows


def _run(server: str, count: int, stalled: int, quick: bool) -> dict[str, float]:
    """One server in a process, its browsers in another."""
    secs = 3.0 if quick else SECS
    served = subprocess.Popen([sys.executable, "-m", "parktwin.bench.live.fanout", server], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    assert served.stdout is not None
    try:
        port = served.stdout.readline().strip()
        if not port:
            raise Failed((served.communicate()[1].strip().splitlines() or ["the server ended"])[-1])
        command = [sys.executable, "-m", "parktwin.bench.live.crowd", port,
                   *(str(word) for word in (count, stalled, secs, served.pid))]
        watched = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if watched.returncode != 0:
            raise Failed((watched.stderr.strip().splitlines() or ["the browsers ended"])[-1])
        found: dict[str, float] = json.loads(watched.stdout)
        return found
    finally:
        served.kill()
        served.communicate()
