"""What a build or a check found wrong in somebody's files: one row of report.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something skipped, moved, repaired, degraded or unbound. The build goes on; a person should know.

    Args:
        level: note (done as asked, worth knowing), warning (degraded), error (left out).
        what: one clause with the names involved.
        where: file, file:line or `<layer>:<feature>` that holds the fault.
        mend: what to change to make the finding go away; "" where nothing needs to be done.
        count: how many things of the same sort this row speaks for.
    """

    level: Level
    what: str
    where: str
    mend: str = ""
    count: int = 1
