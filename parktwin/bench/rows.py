"""What every bench prints: rows of {what, ours, peer, ratio, target, met}, as a table for people or as JSON."""

from __future__ import annotations

import json
import math
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured thing. `ratio` is ours / peer; a row without a peer says so with None.

    Args:
        what: the thing measured, with its unit.
        ours, peer: the two figures, same unit, same run; NaN where ours could not be measured (the note says why).
        target: what `bound` compares against: the ratio where there is a peer, else our figure.
        bound: whether the target is a ceiling or a floor.
        note: conditions a reader must know.
    """

    what: str
    ours: float
    unit: str
    peer: float | None = None
    peer_name: str = ""
    target: float | None = None
    bound: Literal["at most", "at least"] = "at most"
    note: str = ""
    conditions: str = field(default_factory=lambda: f"{platform.machine()}, Python {platform.python_version()}")

    @property
    def ratio(self) -> float | None:
        """ours / peer."""
        return None if not self.peer else self.ours / self.peer

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None where there is no target or nothing was measured."""
        if self.target is None or math.isnan(self.ours):
            return None
        measured = self.ratio if self.ratio is not None else self.ours
        return measured <= self.target if self.bound == "at most" else measured >= self.target


def as_dict(row: Row) -> dict[str, object]:
    """The row as machines read it: the six promised keys first."""
    ours = None if math.isnan(row.ours) else row.ours
    promised = {"what": f"{row.what} [{row.unit}]", "ours": ours, "peer": row.peer, "ratio": row.ratio, "target": row.target,
                "met": row.met}
    return {**promised, **{k: v for k, v in asdict(row).items() if k not in promised}}


def print_rows(rows: list[Row], title: str, json_to: str | None = None) -> None:
    """A table on the terminal; with `json_to` the list as JSON ('-' is standard output)."""
    text = json.dumps([as_dict(row) for row in rows], indent=1, ensure_ascii=False)
    if json_to == "-":
        sys.stdout.write(text + "\n")
        return
    if json_to:
        Path(json_to).write_text(text, encoding="utf-8")
    table = Table(title=title)
    for column in ("what", "ours", "peer", "ratio", "target", "met"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        verdict = {True: "yes", False: "NO", None: "–"}[row.met]
        peer = "–" if row.peer is None else f"{_figure(row.peer)} ({row.peer_name})"
        target = "–" if row.target is None else f"{row.bound} {row.target:g}"
        table.add_row(escape(f"{row.what} [{row.unit}]"), _figure(row.ours), peer,
                      "–" if row.ratio is None else f"{row.ratio:.2f}", target, verdict)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.note, row.what)
    for note, what in first.items():
        if note:
            console.print(f"  {what}: {note}", highlight=False, markup=False)


def _figure(value: float) -> str:
    """Two decimals; two digits where that would leave nothing."""
    if math.isnan(value):
        return "–"
    return f"{value:,.2f}" if value == 0 or not abs(value) < 0.1 else f"{value:.2g}"
