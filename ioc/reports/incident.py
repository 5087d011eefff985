"""The report of an incident as PDF: what happened, stills, timeline, plan, commands, people, and how to check it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import assets
from ioc.incident_facts import IncidentFacts, Lang, Still
from ioc.reports.report import Curve, Report
from scenes.moment_still import RAMP
from twin.live.views import ROLES_ZH
from twin.wire import CommandView

_LIVE_COMMAND = frozenset({"requested", "approved", "sent", "acknowledged"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """What the document needs besides the facts."""

    facts: IncidentFacts
    park: str
    author: str
    made: dt.datetime
    zone: ZoneInfo
    lang: Lang


class _Words:
    """The replay's words in one language, and times in the park's zone."""

    def __init__(self, lang: Lang, zone: ZoneInfo, opened_ms: float) -> None:
        folder = Path(assets.__file__).parent / "i18n"
        self.lang, self._zone, self._opened = lang, zone, opened_ms
        self._book: dict[str, str] = json.loads((folder / f"replay.{lang}.json").read_text(encoding="utf-8"))

    def __call__(self, key: str, **fill: str | int) -> str:
        text = self._book.get(f"replay.report.{key}", key)
        for name, value in fill.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def named(self, thing: Any, key: str = "name") -> str:
        """A thing's name (or other text) in the language."""
        return str((getattr(thing, f"{key}_zh", "") if self.lang == "zh" else "") or getattr(thing, key, "") or "")

    def clock(self, at_ms: float | None, *, with_day: bool = False) -> str:
        """An instant on the park's clock; a dash for none."""
        if at_ms is None:
            return "—"
        return dt.datetime.fromtimestamp(at_ms / 1000, self._zone).strftime("%Y-%m-%d %H:%M:%S" if with_day else "%H:%M:%S")

    def after(self, at_ms: float | None) -> str:
        """Time since the incident opened, +m:ss."""
        if at_ms is None:
            return "—"
        secs = round((at_ms - self._opened) / 1000)
        return f"{'-' if secs < 0 else '+'}{abs(secs) // 60}:{abs(secs) % 60:02d}"

    def who(self, by: str) -> str:
        """Who did it: a person, a linkage, or the field itself."""
        kind, _, rest = by.partition(":")
        if kind in ("linkage", "sample"):
            return self(f"who.{kind}", name=rest)
        return self("kind.dispatch") if by == "dispatch" else by or self("who.field")


def incident_report(source: IncidentReport) -> bytes:
    """The PDF."""
    facts = source.facts
    say = _Words(source.lang, source.zone, facts.incident.opened_ms)
    title = f"{say('title')} · {say.named(facts.incident, 'title')}"
    report = Report(title=title, park=source.park, author=source.author, made=source.made, lang=source.lang)
    report.paragraph(say.named(facts.incident, "place"))
    if facts.is_sample:
        report.notice(say("sample"))
    if not facts.is_over:
        report.notice(say("open", at=say.clock(facts.to_ms)))
    _summary(report, facts, say)
    _stills(report, facts, say)
    report.heading(say("timeline"))
    report.rows([say("time"), say("since"), say("kind"), say("what"), say("who")], [
        [say.clock(line.at_ms), say.after(line.at_ms), say(f"kind.{line.kind}"), say.named(line, "text"), say.who(line.who)]
        for line in facts.lines], widths=[12, 9, 9, 52, 18])
    _plan(report, facts, say)
    _commands(report, facts.commands, say)
    _people(report, facts, say)
    _curves(report, facts, say)
    report.heading(say("check"))
    report.paragraph(say("method", zone=source.zone.key), is_soft=True)
    report.rows([say("time"), say("hash")], [[f"{say.clock(s.moment.at_ms, with_day=True)}", s.hash] for s in facts.stills],
                widths=[24, 76])
    return report.finish()


def _summary(report: Report, facts: IncidentFacts, say: _Words) -> None:
    incident, run = facts.incident, facts.incident.linkage
    by = say.who(facts.acknowledged[1]) if facts.acknowledged else ""
    confirmed = sum(c.state == "confirmed" for c in facts.commands)
    arrived = [step[1] for d in facts.dispatches for step in d.steps if step[0] == "arrived"]
    done = [step for step in incident.plan.steps if step.done_ms is not None] if incident.plan else []
    device = incident.device.replace("fence:", "")
    rows = [
        [say("priority"), f"P{incident.priority}"],
        [say("opened"), f"{say.clock(incident.opened_ms, with_day=True)} · {incident.by or device}"],
        [say("acknowledged"), f"{say.after(facts.acknowledged[0])} · {by}" if facts.acknowledged else say("never")],
        [say("closed"), f"{say.clock(incident.closed_ms, with_day=True)} ({say.after(incident.closed_ms)}) · "
                        f"{say.who(incident.closed_by)} · {incident.note}" if incident.closed_ms else say("still.open")],
        [say("alarms"), str(len(facts.alarms))],
        [say("linkage"), f"{say.named(run)} · {say(f'run.{run.state}')}" if run else "—"],
        [say("commands"), say("of", n=confirmed, m=len(facts.commands)) if facts.commands else "—"],
        [say("people"), say("arrived.of", n=len(arrived), m=len(facts.dispatches)) +
         (f" · {say.after(min(arrived))}" if arrived else "") if facts.dispatches else "—"],
        [say("plan"), f"{say.named(incident.plan)} · {say('done.of', n=len(done), m=len(incident.plan.steps))}"
         if incident.plan else "—"]]
    report.rows([say("fact"), say("value")], rows, widths=[22, 78])


def _stills(report: Report, facts: IncidentFacts, say: _Words) -> None:
    if not facts.stills:
        return
    report.heading(say("stills"))
    for k, still in enumerate(facts.stills, 1):
        report.picture(still.picture, f"{k} · {_caption(still, say)}", share=0.76)
    if facts.breaks:
        report.legend(say("temperature"), RAMP, [f"{edge:g}" for edge in facts.breaks], "°C")
    report.paragraph(say("signs"), is_soft=True)


def _caption(still: Still, say: _Words) -> str:
    why = say(f"at.{still.moment.why}", about=say.named(still.moment, "about"))
    parts = [f"{say.clock(still.moment.at_ms)} ({say.after(still.moment.at_ms)})", why, say("n.alarms", n=still.alarms),
             say("n.people", n=still.people)]
    return " · ".join(parts + ([f"{still.temperature:.1f} °C"] if still.temperature is not None else []))


def _plan(report: Report, facts: IncidentFacts, say: _Words) -> None:
    plan = facts.incident.plan
    if plan is None:
        return
    report.heading(f"{say('plan')} · {say.named(plan)}")
    late, body = set[tuple[int, int]](), []
    for row, step in enumerate(plan.steps):
        due = plan.started_ms + step.limit_mins * 60_000
        if (step.done_ms or facts.to_ms) > due:
            late.add((row, 3))
        body.append([say.named(step, "what"), say.named(step, "role"), f"{step.limit_mins:g} min",
                     say.after(step.done_ms) if step.done_ms is not None else say("undone"),
                     say.who(step.done_by) if step.done_by else "—", step.note])
    report.rows([say("step"), say("role"), say("limit"), say("done"), say("who"), say("note")], body,
                widths=[34, 14, 10, 12, 14, 16], breaches=frozenset(late))
    by = say("plan.by", who=say.who(plan.by), at=say.after(plan.started_ms))
    report.paragraph(by + (say("late") if late else ""), is_soft=True)


def _commands(report: Report, commands: Sequence[CommandView], say: _Words) -> None:
    if not commands:
        return
    report.heading(say("commands"))
    wrong = {(row, 5) for row, c in enumerate(commands) if c.state not in _LIVE_COMMAND and c.state != "confirmed"}
    report.rows([say("time"), say("command"), say("device"), say("who"), say("answered"), say("result")], [
        [say.clock(c.steps[0][1]), say.named(c, "title"), c.device, say.who(c.by), _took(c, "acknowledged"),
         f"{say(f'command.{c.state}')} {_took(c, c.state)}"] for c in commands],
        widths=[13, 20, 24, 16, 13, 17], breaches=frozenset(wrong))


def _took(command: CommandView, state: str) -> str:
    at = next((step[1] for step in command.steps if step[0] == state), None)
    return "—" if at is None else f"{(at - command.steps[0][1]) / 1000:.1f} s"


def _people(report: Report, facts: IncidentFacts, say: _Words) -> None:
    if not facts.dispatches:
        return
    report.heading(say("dispatches"))
    body = []
    for d in facts.dispatches:
        at = {state: ms for state, ms, _ in reversed(d.steps)}
        role = ROLES_ZH.get(d.role, d.role) if say.lang == "zh" else d.role
        body.append([f"{say.named(d)} ({d.person})", role, f"{d.metres:.0f} m", say.clock(at.get("requested")),
                     say.after(at.get("accepted")), say.after(at.get("arrived")), say.who(d.by), d.reason])
    head = ("person", "role", "way", "asked", "accepted", "arrived", "who", "note")
    report.rows([say(word) for word in head], body, widths=[22, 10, 9, 13, 11, 11, 12, 14])


def _curves(report: Report, facts: IncidentFacts, say: _Words) -> None:
    quarter = (facts.to_ms - facts.from_ms) / 4
    ticks = [(facts.from_ms + quarter * k, say.clock(facts.from_ms + quarter * k)) for k in range(5)]
    if any(people is not None for _, people, _ in facts.counts):
        report.heading(say("counts"), 2, room_mm=84)
        report.curves([Curve(label=say("counts.people"), points=[(at, n) for at, n, _ in facts.counts]),
                       Curve(label=say("counts.alarms"), points=[(at, float(n)) for at, _, n in facts.counts],
                             is_reference=True)], unit="", x_ticks=ticks)
    if any(value is not None for _, value in facts.curve):
        name, name_zh, unit = facts.curve_name
        report.heading(f"{facts.incident.device} · {name_zh if say.lang == 'zh' else name}", 2, room_mm=84)
        points = [(facts.from_ms, None), *facts.curve, (facts.to_ms, None)]
        report.curves([Curve(label=say("counts.device", unit=unit or "—"), points=points)], unit=unit, x_ticks=ticks)
