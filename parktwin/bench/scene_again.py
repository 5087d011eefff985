"""A park rebuilt after one of its buildings changed, beside that building built alone."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import ifcopenshell

from parktwin.bench.child import Cost, python, run
from parktwin.bench.contenders import park_of
from parktwin.bench.rows import Row

Tell = Callable[[str], None]
ROW = 1
SAMPLE, STEP_M = "a2", 0.1


def again_rows(files: Sequence[Path], scratch: Path, rounds: int, conditions: str, tell: Tell) -> list[Row]:
    """One row of seconds and one of CPU; nothing is kept between the rounds."""
    park, alone = [], []
    for turn in range(rounds):
        folder = scratch / f"again-{turn}"
        (folder / "ifc").mkdir(parents=True)
        copies = [Path(shutil.copy(f, folder / "ifc" / f"{k}-{f.name}")) for k, f in enumerate(files)]
        for copy in copies:
            copy.chmod(0o644)
        whole = park_of(copies, folder / "park")
        tell(f"a park of {len(copies)} buildings, built and rebuilt")
        _build(whole, folder / "cache")
        with copies[ROW].open("a", encoding="ascii") as out:
            out.write("\n")
        park.append(_build(whole, folder / "cache"))
        single = park_of([copies[ROW]], folder / "alone")
        alone.append(_build(single, folder / "cache-alone"))
        shutil.rmtree(folder)
    note = f"{len(files)} buildings, {files[ROW].name} changed; alone means a park of that building, nothing kept from before"
    wall, cpu = (lambda c: c.wall_s), (lambda c: c.cpu_s)
    return [Row(what="rebuild after one changed building", unit="s", ours=_median(park, wall), peer=_median(alone, wall),
                peer_name="that building alone", target=1.2, note=note, conditions=conditions),
            Row(what="CPU of that rebuild", unit="CPU s", ours=_median(park, cpu), peer=_median(alone, cpu),
                peer_name="that building alone", conditions=conditions)]


def sample_rows(scratch: Path, rounds: int, conditions: str, tell: Tell) -> list[Row]:
    """The sample park after one wall of one building was moved, beside that building alone; and with nothing changed."""
    folder = scratch / "again-sample"
    folder.mkdir(parents=True)
    tell("the sample park, built once")
    run(python("parktwin", "demo", str(folder / "park")))
    _build(folder / "park", folder / "cache")
    changed = folder / "park" / "bim" / f"{SAMPLE}.ifc"
    park, alone, still = [], [], []
    for turn in range(rounds):
        tell(f"the sample park, a wall of {SAMPLE} moved")
        move_a_wall(changed)
        park.append(_build(folder / "park", folder / "cache"))
        still.append(_build(folder / "park", folder / "cache"))
        alone.append(_build(park_of([changed], folder / f"alone-{turn}"), folder / f"cache-{turn}"))
    shutil.rmtree(folder)
    note = f"a wall of {changed.name} moved by {STEP_M:g} m; alone means a park of that building, nothing kept from before"
    wall, cpu = (lambda c: c.wall_s), (lambda c: c.cpu_s)
    return [Row(what="sample park: CPU of a rebuild after one changed building", unit="CPU s", ours=_median(park, cpu),
                peer=_median(alone, cpu), peer_name="that building alone", target=1.2, note=note, conditions=conditions),
            Row(what="sample park: rebuild after one changed building", unit="s", ours=_median(park, wall),
                peer=_median(alone, wall), peer_name="that building alone", conditions=conditions),
            Row(what="sample park: build with nothing changed", unit="s", ours=_median(still, wall), conditions=conditions,
                note=f"{_median(still, cpu):.2f} CPU s, start and imports included")]


def move_a_wall(path: Path) -> None:
    """Write a model anew, with its first wall a little further on."""
    model = ifcopenshell.open(path)
    at = model.by_type("IfcWall")[0].ObjectPlacement.RelativePlacement.Location
    at.Coordinates = (at.Coordinates[0] + STEP_M, *at.Coordinates[1:])
    model.write(str(path))


def _build(park: Path, cache: Path) -> Cost:
    cache.mkdir(exist_ok=True)
    return run(python("parktwin", "build", str(park)), environment={"XDG_CACHE_HOME": str(cache)})


def _median(costs: list[Cost], of: Callable[[Cost], float]) -> float:
    return statistics.median(of(c) for c in costs)
