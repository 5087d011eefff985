"""How large a fault is: at its full figure under `make faults`, scaled down where CI runs it.

What was measured is told beside its target at the end of a full run, as the benches tell theirs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from parktwin.bench.rows import Row

FULL = os.environ.get("PARKTWIN_FAULTS") == "full"
ROWS: list[Row] = []


def size(full: int, scaled: int) -> int:
    """The figure of trust.md, or the one that fits a quick run."""
    return full if FULL else scaled


def measured(what: str, ours: float, unit: str, target: float | None = None,
             bound: Literal["at most", "at least"] = "at most", note: str = "") -> None:
    """One figure for the table at the end."""
    ROWS.append(Row(what=what, ours=ours, unit=unit, target=target, bound=bound, note=note))


def resident_mb(pid: int | str = "self") -> float:
    """Memory of a process that is its own, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
