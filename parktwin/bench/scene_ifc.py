"""IFC in, tiles out, beside the peers: seconds, CPU, memory, bytes; small real files, and growth to 300 MB."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from parktwin.bench.contenders import ifc_contenders
from parktwin.bench.ifc_replica import replicate
from parktwin.bench.race import race, versus
from parktwin.bench.rows import Row

SMALL_MB = (1.4, 10.0)
TOO_SLOW = ("ifcopenshell GLB", "@xeokit/xeokit-convert")  # for files of more than 30 MB
FULL = "ours is the whole build: graph, tables, far, shell and storey tiles with baked light, walking graph, brotli and gzip"
Tell = Callable[[str], None]


def small_rows(files: Sequence[Path], scratch: Path, rounds: int, conditions: str, tell: Tell) -> list[Row]:
    """Each file alone in a fresh process, summed; then all of them as one job."""
    fitting = [f for f in files if SMALL_MB[0] <= f.stat().st_size / 1e6 <= SMALL_MB[1]] or list(files)
    size = sum(f.stat().st_size for f in fitting) / 1e6
    named = f"{len(fitting)} files, {size:.1f} MB: {', '.join(f.name for f in fitting)}"
    contenders = ifc_contenders()
    alone = race(contenders, [[f] for f in fitting], scratch, rounds, tell)
    note = f"each file alone in a fresh process, start and imports included; {named}; {FULL}"
    rows = versus(alone, "build, file by file", "s", lambda m: m.cost.wall_s, targets={"@thatopen/fragments": 0.9}, note=note,
                  conditions=conditions)
    rows += versus(alone, "CPU of the build, file by file", "CPU s", lambda m: m.cost.cpu_s, conditions=conditions)
    rows += versus(alone, "bytes as sent (brotli)", "MB", lambda m: m.sent_bytes / 1e6,
                   targets={"@thatopen/fragments": 0.5, "@xeokit/xeokit-convert": 0.6},
                   note="GLB with property tables, and the node, property and space tables", conditions=conditions)
    rows += versus(alone, "bytes as they lie on disk", "MB", lambda m: m.raw_bytes / 1e6, conditions=conditions)
    if len(fitting) > 1:
        job = race(contenders, [fitting], scratch, rounds, tell)
        note = "one process converts all of them; ours reads and draws buildings on two cores, as it does by default"
        rows += versus(job, "build, all files as one job", "s", lambda m: m.cost.wall_s, targets={"@thatopen/fragments": 0.9},
                       note=note, conditions=conditions)
        rows += versus(job, "CPU of the build, one job", "CPU s", lambda m: m.cost.cpu_s, conditions=conditions)
    return rows


def growth_rows(seed: Path, megabytes: Sequence[float], scratch: Path, conditions: str, tell: Tell) -> list[Row]:
    """One real file replicated to each size, one round a size; peak memory is judged from 50 MB on."""
    rows: list[Row] = []
    for mb in megabytes:
        folder = scratch / "replica"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"replica-{mb:g}.ifc"
        tell(f"replica of {seed.name}, {mb:g} MB")
        copies = replicate(seed, file, int(mb * 1e6))
        size = file.stat().st_size / 1e6
        contenders = [c for c in ifc_contenders() if mb <= 30 or c.name not in TOO_SLOW]
        results = race(contenders, [[file]], scratch, 1, tell)
        note = f"synthetic: {copies} × {seed.name}, {size:.1f} MB"
        target = {"@thatopen/fragments": 1.0} if mb >= 300 else {}
        label = f"{size:.0f} MB"
        rows += versus(results, f"build, {label}", "s", lambda m: m.cost.wall_s, targets=target, note=note,
                       conditions=conditions)
        rows += versus(results, f"CPU, {label}", "CPU s", lambda m: m.cost.cpu_s, conditions=conditions)
        rows += versus(results, f"bytes as sent, {label}", "MB", lambda m: m.sent_bytes / 1e6,
                       targets={"@thatopen/fragments": 0.5} if mb >= 300 else {}, conditions=conditions)
        if not results[0].fault:
            peak = results[0].figure(lambda m: m.cost.peak_mb)
            rows.append(Row(what=f"peak memory over file size, {label}", unit="×", ours=peak / size, conditions=conditions,
                            target=6.0 if mb >= 50 else None, note=f"{peak:,.0f} MB, all our processes together"))
        shutil.rmtree(folder)
    return rows
