"""What a BIM manager reads after a build: every file of every building, what was odd about it and what to change where."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2

from models_bim.model import BimModel
from twin.errors import NotBuiltError
from twin.finding import Finding

REPORT = "bim-report.json"
Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("en", "zh")
_ASSETS = Path(__file__).resolve().parent.parent / "assets"
_pages = jinja2.Environment(loader=jinja2.FileSystemLoader(_ASSETS / "templates"), autoescape=True, trim_blocks=True)


@dataclass(frozen=True, slots=True)
class Reported:
    """A building as the report knows it."""

    id: str
    name: str
    model: BimModel


def bim_report(park: str, build: str, buildings: Sequence[Reported], findings: Sequence[Finding]) -> dict[str, Any]:
    """The report as plain values (bim-report.json).

    Args:
        findings: everything the build had to say; those about a building's files are told with them.
    """
    from models_bim.survey import survey  # slow to load, and a server only reads the report

    told = {id(f) for f in findings}
    rows = []
    for building in buildings:
        files = []
        for surveyed in survey(building.model):
            own = [f for f in findings if f.where.split("#")[0] == surveyed.name]
            told -= {id(f) for f in own}
            tally = Counter([*(f.level for f in own), *(i.level for i in surveyed.issues)])
            files.append({**asdict(surveyed), "findings": [_row(f) for f in own],
                          "tally": {level: tally[level] for level in ("error", "warning", "note")}})
        whole = [f for f in building.model.findings if not f.where]
        rows.append({"id": building.id, "name": building.name, "files": files, "findings": [_row(f) for f in whole]})
    lost = [f for f in findings if id(f) in told and f.level == "error" and f.where.lower().endswith((".ifc", ".ifczip"))]
    return {"park": park, "build": build, "buildings": rows, "lost": [_row(f) for f in lost]}


def read_bim_report(build_dir: Path) -> dict[str, Any]:
    """The report of a compiled park.

    Raises:
        NotBuiltError: there is none.
    """
    path = build_dir / REPORT
    if not path.is_file():
        raise NotBuiltError("there is no BIM report", mend="run `parktwin build` on the park folder", where=str(path))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def as_html(report: dict[str, Any], lang: Lang) -> str:
    """One page that needs nothing else; names out of files are escaped."""
    words: dict[str, str] = {}
    for book in ("bim", "findings"):
        words |= json.loads((_ASSETS / "i18n" / f"{book}.{lang}.json").read_text(encoding="utf-8"))

    def told(row: dict[str, Any], mend: bool = False) -> str:
        """What a finding says in the page's language; as the reader said it where there are no words for it."""
        code = f"finding.{row.get('code') or '-'}"
        if code not in words:
            return str(row["mend" if mend else "what"])
        return words.get(f"{code}.mend", "") if mend else _filled(words[code], row.get("fill") or {})

    return _pages.get_template("bim_report.html.j2").render(
        **report, lang=lang, hint=hint, say=lambda key: words.get(f"bim.{key}", key), told=told,
        is_plain=lambda rows: any(f"finding.{row.get('code')}" not in words for row in rows))


def _filled(text: str, fill: dict[str, str]) -> str:
    """Words with their holes filled; names that hold braces themselves stay as they are."""
    return re.sub(r"\{(\w+)\}", lambda hole: str(fill.get(hole[1], hole[0])), text)


def hint(mend: str, application: str) -> str:
    """The parts of a hint that are for the program a file came from; all of them where it is none of those named."""
    parts = mend.split(" · ")
    own = [part for part in parts if part.split(":")[0].split("：")[0].casefold() in application.casefold()]
    return " · ".join(own) or mend


def page_name(lang: Lang) -> str:
    """The report's page in the build folder."""
    return f"bim-report.{lang}.html"


def _row(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("level", "what", "where", "mend", "count", "code", "fill")}
