"""`parktwin bench scene`: the scene half against its targets, peers beside it, one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from parktwin.bench.rows import Row
from twin.errors import SourceError

GROWTH_MB = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
QUICK_MB = (1.0, 10.0)
CITY = (1_000, 10_000, 100_000)
GROUPS = ("small", "growth", "true", "again", "gis", "place", "view")
#: Only when named: a park of a million elements takes its time.
MILLION = "million"
NEED_FILES = {"small", "growth", "true", "again"}


def measure(files: Sequence[Path], scratch: Path, *, only: Sequence[str] = (), quick: bool = False,
            rounds: int = 3, park: Path | None = None, elements: int = 100_000) -> list[Row]:
    """Rows of the groups wanted, in the order of `GROUPS`.

    Args:
        files: IFC files; those beside the checkout (`PARKTWIN_SHARED`) when none are given.
        only: names out of `GROUPS`, and `MILLION`; all of `GROUPS` when empty.
        quick: small sizes and one round, without the sample park's rebuild.
        elements: how many the synthetic park of `MILLION` has at least.
        park: a compiled park for the rows of the view; the sample park is made and built when left out.

    Raises:
        SourceError: a group nobody knows, or no IFC file to measure with.
    """
    known = (*GROUPS, MILLION)
    unknown = [name for name in only if name not in known]
    if unknown:
        raise SourceError(f"bench scene has no rows called {', '.join(unknown)}", mend=f"choose from {', '.join(known)}")
    found = list(files) or shared_files()
    absent = [str(f) for f in found if not f.is_file()]
    if absent or not (found or NEED_FILES.isdisjoint(only or GROUPS)):
        raise SourceError(f"no such IFC file: {', '.join(absent)}" if absent else "no IFC files to measure with",
                          mend="name some: parktwin bench scene FILE.ifc …")
    from parktwin.bench.scene_again import again_rows, sample_rows
    from parktwin.bench.scene_gis import gis_rows, place_rows
    from parktwin.bench.scene_ifc import growth_rows, small_rows
    from parktwin.bench.scene_million import million_rows
    from parktwin.bench.scene_true import true_rows
    from parktwin.bench.scene_view import view_rows

    conditions = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    turns = 1 if quick else rounds
    found.sort(key=lambda f: f.stat().st_size)
    small = [f for f in found if f.stat().st_size > 1.4e6][:2] or found[:2]
    work: dict[str, Callable[[], list[Row]]] = {
        "small": lambda: small_rows(small if quick else found, scratch, turns, conditions, _tell),
        "growth": lambda: growth_rows(_seed(found), QUICK_MB if quick else GROWTH_MB, scratch, conditions, _tell),
        "true": lambda: true_rows(found[:4] if quick else found, conditions, _tell),
        "again": lambda: [*again_rows((found * 4)[:4], scratch, turns, conditions, _tell),
                          *([] if quick else sample_rows(scratch, turns, conditions, _tell))],
        "gis": lambda: gis_rows(CITY[:1] if quick else CITY, scratch, turns, conditions, _tell),
        "place": lambda: place_rows(conditions),
        "view": lambda: view_rows(park, scratch, conditions, _tell),
        MILLION: lambda: million_rows(elements, scratch, conditions, _tell),
    }
    return [row for name in work if name in (only or GROUPS) for row in work[name]()]


def shared_files() -> list[Path]:
    """The real models beside the checkout, where `PARKTWIN_SHARED` names that place."""
    folder = Path(os.environ.get("PARKTWIN_SHARED", "../shared")) / "data" / "ifc"
    return sorted(folder.glob("*.ifc"))


def _seed(files: Sequence[Path]) -> Path:
    """The file nearest to two megabytes: a whole small building, and small enough to be copied to every size."""
    return min(files, key=lambda f: abs(f.stat().st_size - 2.0e6))


def _tell(what: str) -> None:
    sys.stderr.write(f"  {what}\n")
