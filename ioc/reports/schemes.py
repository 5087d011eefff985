"""The comparison of two schemes as PDF: pictures, the table, breaches one by one, sunlight before and after, method."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import assets
from ioc.reports.report import Bar, Report
from scenes.schemes.file import GREAT_COLD
from scenes.schemes.still import Still, scheme_still

#: A picture across the page with its heading, down to the edge of the paper.
PICTURE_MM = 146.0
_PERCENT = ("density", "green")
_DIGITS = {"far": 2, "height": 1, "setback": 1, "spacing": 1, "density": 1, "green": 1, "sun_own": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeReport:
    """What the report is made from: worked-out schemes in the order A, B."""

    build: Path
    results: Sequence[dict[str, Any]]
    park: str
    author: str
    made: dt.datetime
    lang: Literal["zh", "en"]


class _Words:
    """The planner's words in one language."""

    def __init__(self, lang: Literal["zh", "en"]) -> None:
        folder = Path(assets.__file__).parent / "i18n"
        self.lang = lang
        self._book: dict[str, str] = json.loads((folder / f"planner.{lang}.json").read_text(encoding="utf-8"))

    def __call__(self, key: str, **fill: str | int) -> str:
        text = self._book.get(f"planner.{key}", key)
        for name, value in fill.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def named(self, thing: dict[str, Any], key: str = "name") -> str:
        return str((thing.get(f"{key}_zh") if self.lang == "zh" else "") or thing.get(key) or "")


def scheme_report(source: SchemeReport) -> bytes:
    """The PDF."""
    say = _Words(source.lang)
    first = source.results[0]
    report = Report(title=say("report.title"), park=source.park, author=source.author, made=source.made, lang=source.lang)
    report.paragraph(" · ".join(x for x in (say.named(first, "site_name"), say.named(first, "rules")) if x))
    names = [f"{letter} {say.named(result)}" for letter, result in zip("AB", source.results, strict=False)]
    stills = [scheme_still(source.build, result) for result in source.results]
    report.pictures([(still.png, name) for still, name in zip(stills, names, strict=True)])
    report.paragraph(say("report.picture", day=_day(first["sunlight"], say)), is_soft=True)
    report.heading(say("indicators"))
    _table(report, source.results, names, say)
    number = 1
    for result, name, still in zip(source.results, names, stills, strict=True):
        number = _breaches(report, result, name, still, number, say)
    _faults(report, source.results, say)
    report.heading(say("sun.title"))
    for result, name in zip(source.results, names, strict=True):
        _sunlight(report, result, name, say)
    sun = first["sunlight"]
    report.paragraph(say("report.method", day=_day(sun, say), begin=_clock(sun["hours"][0]), end=_clock(sun["hours"][1]),
                         sill=f"{sun['sill']:g}", where=_where(sun, say), turn=f"{sun['convergence']:.2f}"), is_soft=True)
    if not sun["rule_day"]:
        report.paragraph(say("report.unjudged"), is_soft=True)
    return report.finish()


def _day(sun: dict[str, Any], say: _Words) -> str:
    """The day of the sunlight in words: Great Cold 20 Jan."""
    on = dt.date.fromisoformat(sun["date"])
    text = f"{on.month}月{on.day}日" if say.lang == "zh" else f"{on.day} {on:%b}"
    if (on.month, on.day) == GREAT_COLD and sun["latitude"] > 0:
        return say("greatcold", day=text)
    is_shortest = (on.month, on.day) == ((12, 22) if sun["latitude"] >= 0 else (6, 21))
    return say("solstice", day=text) if is_shortest else text


def _where(sun: dict[str, Any], say: _Words) -> str:
    lat, lon = sun["latitude"], sun["longitude"]
    return say("sun.where", ns=say("south" if lat < 0 else "northern"), ew=say("west" if lon < 0 else "east"),
               lat=f"{abs(lat):.2f}", lon=f"{abs(lon):.2f}")


def _clock(hour: float) -> str:
    return f"{int(hour)}:{round(hour % 1 * 60):02d}"


def shown(row: dict[str, Any], value: float | None) -> str:
    """A figure of an indicator as people read it, without its unit."""
    if value is None:
        return "—"
    return f"{value * 100 if row['key'] in _PERCENT else value:,.{_DIGITS.get(row['key'], 0)}f}"


def _limit(row: dict[str, Any]) -> str:
    return "—" if row["limit"] is None else f"{'≤' if row['is_upper'] else '≥'} {shown(row, row['limit'])}"


def _table(report: Report, results: Sequence[dict[str, Any]], names: list[str], say: _Words) -> None:
    other = [{row["key"]: row for row in result["indicators"]} for result in results]
    body, wrong = [], set()
    for number, key in enumerate(dict.fromkeys(key for column in other for key in column)):
        cells = []
        for column, rows in enumerate(other):
            row = rows.get(key)
            mark = {True: " ✓", False: " ×"}.get(row["passes"], "") if row else ""
            cells.append((shown(row, row["value"]) if row else "—") + mark)
            if row and row["passes"] is False:
                wrong.add((number, column + 2))
        row = next(rows[key] for rows in other if key in rows)
        unit = say("unit.cells") if row["unit"] == "cells" else row["unit"]
        body.append([say(f"row.{key}") + (f" ({unit})" if unit else ""), _limit(row), *cells])
    report.rows([say("indicator"), say("limit"), *names], body, widths=[34, 18, 24, 24], breaches=frozenset(wrong))


def _breaches(report: Report, result: dict[str, Any], name: str, still: Still, first: int, say: _Words) -> int:
    """One scheme's breaches, numbered on through both schemes as on the page; the number the next one starts with."""
    rows = [(row, breach) for row in result["indicators"] for breach in row["breaches"]]
    report.heading(f"{name} · {say('breaches', n=len(rows))}", 2, room_mm=PICTURE_MM if still.spots else 50)
    if not rows:
        report.paragraph(say("breaches.none"))
        return first
    if still.spots:
        report.picture(report.numbered(still.png, [(first + k, x, y) for k, x, y in still.spots]))
    report.rows(["#", say("where"), say("indicator"), say("value"), say("limit")], [
        [str(k), f"{say.named(breach) or say('site')} {breach['storeys']}".strip(), say(f"row.{row['key']}"),
         shown(row if row["unit"] != "cells" else {"key": "sun_own"}, breach["value"]),
         _limit(row) if row["unit"] != "cells" else f"≥ {result['sunlight']['limit']:g} h"]
        for k, (row, breach) in enumerate(rows, first)], widths=[6, 34, 24, 18, 18])
    return first + len(rows)


def _faults(report: Report, results: Sequence[dict[str, Any]], say: _Words) -> None:
    """What was wrong in the files and is therefore not in the figures; nothing where all was well."""
    faults = {(f["file"], f["line"], f["what"]): f for result in results for f in result["faults"]}
    if not faults:
        return
    report.heading(say("faults", n=len(faults)), 2)
    report.rows([say("report.file"), say("report.what"), say("report.mend")], [
        [f["file"] + (f":{f['line']}" if f["line"] else ""), say.named(f, "what"), say.named(f, "mend")]
        for f in faults.values()], widths=[20, 44, 36])


def _sunlight(report: Report, result: dict[str, Any], name: str, say: _Words) -> None:
    sun = result["sunlight"]
    own = {k for k, key in enumerate(sun["stacks"]) if key in {b["id"] for b in result["buildings"]}}
    hours = [h for h, stack, front in zip(sun["hours_after"], sun["stack"], sun["front"], strict=True)
             if stack in own and front]
    rows = {row["key"]: row for row in result["indicators"]}
    report.heading(name, 2)
    lost = rows["sun_lost"]
    report.paragraph(say("report.lost", n=lost["failed"], total=lost["total"]) if sun["rule_day"] else say("report.unlost"))
    _neighbours(report, result, say)
    if hours:
        bands, limit = Counter(min(7, int(h)) for h in hours), sun["limit"] or 0.0
        if report.get_y() + 70 > report.page_break_trigger:
            report.add_page()
        report.paragraph(say("report.bands"), is_soft=True)
        report.bars([Bar(label=say("report.band", low=k, high=k + 1), value=bands.get(k, 0), shown=f"{bands.get(k, 0):,}",
                         is_breach=bands.get(k, 0) > 0 and k + 1 <= limit) for k in range(8)],
                    unit=say("unit.cells"))


def _neighbours(report: Report, result: dict[str, Any], say: _Words) -> None:
    """The neighbours that lose most sun: hours at their sunward façades before and after, mean and least."""
    sun = result["sunlight"]
    stack, front = np.array(sun["stack"]), np.array(sun["front"], bool)
    before = np.array([np.nan if h is None else h for h in sun["hours_before"]], float)
    after = np.array(sun["hours_after"], float)
    rows = []
    for k, key in enumerate(sun["stacks"]):
        cells = np.flatnonzero((stack == k) & front & np.isfinite(before))
        if len(cells) and (loss := float(np.mean(before[cells] - after[cells]))) > 0.005:
            rows.append((loss, key, len(cells), before[cells], after[cells]))
    if not rows:
        report.paragraph(say("report.same"))
        return
    rows.sort(key=lambda row: -row[0])
    names = {key: say.named({"name": name, "name_zh": zh}) for key, name, zh in zip(
        sun["stacks"], sun["names"], sun["names_zh"], strict=True)}
    report.rows([say(key) for key in ("report.neighbour", "unit.cells", "report.before", "report.after", "report.worst")], [
        [names[key], str(count), f"{was.mean():.2f} h", f"{now.mean():.2f} h", f"{was.min():.2f} → {now.min():.2f} h"]
        for _, key, count, was, now in rows[:8]], widths=[36, 12, 16, 16, 20])
