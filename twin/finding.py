"""What a build or a check found wrong in somebody's files: one row of report.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from twin.errors import TwinError

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
        code, fill: names it for pages, where it is shown on one (as those of `TwinError`).
    """

    level: Level
    what: str
    where: str
    mend: str = ""
    count: int = 1
    code: str = ""
    fill: dict[str, str] = field(default_factory=dict, hash=False)


def as_finding(error: TwinError) -> Finding:
    """What ended one source, as a row of the report."""
    return Finding("error", error.what, error.where or "", error.mend, code=error.code,
                   fill={name: str(value) for name, value in error.fill.items()})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a declaration is left out: what is wrong, what to change, and the same by code for pages (`refusal.<code>`)."""

    what: str
    mend: str
    code: str
    fill: dict[str, str] = field(default_factory=dict)
