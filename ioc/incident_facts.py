"""What an incident report is made from, gathered from the record: timeline, key moments, pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ioc.live.replay import past_of, views_of
from ioc.services import Services
from scenes.moment_still import AlarmMark, MomentStudio, Seen, class_colour
from twin.events import DISPATCH_LIVE
from twin.marks import Mark, Marks
from twin.ports import SAMPLE
from twin.replay import Past, ReplayError, range_of
from twin.wire import AlarmView, Channel, CommandView, DispatchView, IncidentView, TrailEntry

Lang = Literal["zh", "en"]
BEFORE_SECS, AFTER_SECS, LONGEST_SECS = 60.0, 30.0, 6 * 3600.0
MOST_MOMENTS, APART_MS = 6, 5_000.0
CURVE_POINTS, SIZE = 48, (1280, 720)
#: Trail lines that say again what another line, or a table of the report, says better.
_SAID_ELSEWHERE = ("incident.joined", "command.requested", "command.approved", "command.sent", "command.acknowledged")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMoment:
    """An instant worth a picture, and the word for why (`replay.report.at.<why>`), with what fills it."""

    at_ms: int
    why: str
    about: str = ""
    about_zh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A key moment as it was: its picture, counts, and the hash of everything."""

    moment: KeyMoment
    picture: bytes
    alarms: int
    people: int
    temperature: float | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline."""

    at_ms: float
    kind: str               # alarm | incident | plan | linkage | dispatch | command | drill | mark
    text: str
    text_zh: str
    who: str


@dataclass(slots=True, kw_only=True)
class IncidentFacts:
    """Everything a report says. Times in milliseconds since 1970 UTC."""

    incident: IncidentView
    from_ms: int
    to_ms: int
    is_over: bool
    is_sample: bool
    alarms: list[AlarmView]
    acknowledged: tuple[float, str] | None
    commands: list[CommandView]
    dispatches: list[DispatchView]
    lines: list[Line]
    stills: list[Still] = field(default_factory=list)
    breaks: tuple[float, ...] = ()
    #: (time ms, people in the building or near (None: nobody was heard of anywhere), live alarms)
    counts: list[tuple[float, int | None, int]] = field(default_factory=list)
    curve: list[tuple[float, float | None]] = field(default_factory=list)
    curve_name: tuple[str, str, str] = ("", "", "")  # name, name_zh, unit


def key_moments(incident: IncidentView, *, returned_ms: float | None, peak_ms: float | None,
                dispatches: Sequence[DispatchView], marks: Sequence[Mark], end_ms: float,
                most: int = MOST_MOMENTS) -> list[KeyMoment]:
    """The instants of an incident worth a picture, by time: its begin and end first, then what turned it, then marks.

    Args:
        returned_ms: when the last alarm went back to normal, None while one has not.
        peak_ms: when most alarms were active.
    """
    arrived = [step[1] for d in dispatches for step in d.steps if step[0] == "arrived"]
    run = incident.linkage
    wanted: list[tuple[float | None, str, str, str]] = [
        (incident.opened_ms, "opened", incident.title, incident.title_zh),
        (incident.closed_ms, "closed", "", "") if incident.closed_ms else (end_ms, "end", "", ""),
        (returned_ms, "returned", "", ""), (min(arrived, default=None), "arrived", "", ""),
        (run.ended_ms if run else None, "linkage", run.name if run else "", run.name_zh if run else ""),
        (peak_ms, "peak", "", ""), *((mark.at_ms, "mark", mark.text, mark.text) for mark in marks)]
    chosen: list[KeyMoment] = []
    for at, why, about, about_zh in wanted:
        if at is None or at > end_ms or len(chosen) == most or any(abs(at - other.at_ms) < APART_MS for other in chosen):
            continue
        chosen.append(KeyMoment(at_ms=math.ceil(at), why=why, about=about, about_zh=about_zh))
    return sorted(chosen, key=lambda moment: moment.at_ms)


def gather(services: Services, number: int, told: Callable[[str, float], None], *, sees_people: bool) -> IncidentFacts:
    """Everything about one incident, with pictures; seconds of work, on any thread but the core's.

    Args:
        told: hears the step (`replay.report.step.<step>`) and the share done, 0 to 1.
        sees_people: whether the reader may see who was where.

    Raises:
        ReplayError: there is no such incident, or nothing of it is on record.
    """
    told("record", 0.02)
    core = services.runner.core
    found = next((i for i in core.events.recent_incidents(5000) if i.id == number), None)
    if found is None:
        raise ReplayError(f"there is no incident {number}", mend="choose one of the list", code="incident.unknown",
                          fill={"number": number})
    first, last = range_of(services.history, core.clock.now())
    from_ms = max(first, int(found.opened_ms - BEFORE_SECS * 1000))
    to_ms = int(min(last, (found.closed_ms or last) + AFTER_SECS * 1000, from_ms + LONGEST_SECS * 1000))
    if to_ms <= found.opened_ms:
        raise ReplayError("this incident has only just begun", mend="ask again in a few seconds",
                          code="report.early")
    views, names = views_of(services), _subjects(services, found, to_ms)
    steps = [e for e in core.events.alarm_steps(from_ms / 1000, to_ms / 1000) if e.alarm.id in found.alarms]
    alarms = {e.alarm.id: views.alarm(e.alarm) for e in steps}
    commands = [views.command(c) for c in core.events.commands_between(from_ms / 1000, to_ms / 1000)
                if c.id in names.commands or c.device == found.device]
    dispatches = [d for d in core.events.dispatches_between(from_ms / 1000, to_ms / 1000) if d.incident == number]
    marks = [mark for mark in Marks(core.events.database).all() if from_ms <= mark.at_ms <= to_ms]
    trail = core.events.trail_between(from_ms / 1000, to_ms / 1000, 20_000)
    is_sample = any(t.what == "drill.started" and t.who == SAMPLE for t in trail)
    acknowledged = next(((e.time * 1000, e.who) for e in steps if e.what == "acknowledged"), None)
    active: dict[int, bool] = {}
    peak, peak_ms, returned_ms = 0, None, None
    for event in steps:
        active[event.alarm.id] = event.alarm.is_active
        now = sum(active.values())
        returned_ms = event.time * 1000 if not now and event.what == "returned" else None if now else returned_ms
        if now > peak:
            peak, peak_ms = now, event.time * 1000
    facts = IncidentFacts(
        incident=found, from_ms=from_ms, to_ms=to_ms, is_over=found.state == "closed", is_sample=is_sample,
        alarms=sorted(alarms.values(), key=lambda a: a.raised_ms), acknowledged=acknowledged,
        commands=sorted(commands, key=lambda c: c.steps[0][1]), dispatches=sorted(dispatches, key=lambda d: d.steps[0][1]),
        lines=timeline(found, trail, names.of({a.key for a in alarms.values()}), marks))
    moments = key_moments(found, returned_ms=returned_ms, peak_ms=peak_ms, dispatches=dispatches, marks=marks, end_ms=to_ms)
    _picture(services, facts, moments, told, sees_people=sees_people)
    _curve(services, facts)
    return facts if sees_people else services.discretion.of(facts)


@dataclass(frozen=True, slots=True)
class _Subjects:
    """What trail lines of an incident are about."""

    incident: int
    devices: set[str]
    commands: set[str]

    def of(self, keys: set[str]) -> set[str]:
        return {f"incident:{self.incident}", *keys, *self.devices}


def _subjects(services: Services, incident: IncidentView, to_ms: float) -> _Subjects:
    targets = [t for s in (incident.linkage.steps if incident.linkage else []) for t in s.targets if t.command]
    return _Subjects(incident.id, {t.device for t in targets} | {incident.device}, {t.command for t in targets})


def timeline(incident: IncidentView, trail: Sequence[TrailEntry], subjects: set[str], marks: Sequence[Mark]) -> list[Line]:
    """What happened, by time: the trail's lines about the incident, drills, and marks, without what is said elsewhere."""
    head, head_zh = f"{incident.title}, {incident.place}: ", f"{incident.place_zh} {incident.title_zh}："
    lines = [Line(at_ms=t.time_ms, kind=t.what.partition(".")[0], text=t.text.removeprefix(head),
                  text_zh=t.text_zh.removeprefix(head_zh), who=t.who)
             for t in trail if (t.subject in subjects or t.what.startswith("drill.")) and t.what not in _SAID_ELSEWHERE
             and not (t.what.startswith("command.") and t.who.startswith("linkage:"))]
    lines += [Line(at_ms=mark.at_ms, kind="mark", text=mark.text, text_zh=mark.text, who=mark.by) for mark in marks]
    return sorted(lines, key=lambda line: line.at_ms)


def _picture(services: Services, facts: IncidentFacts, moments: Sequence[KeyMoment],
             told: Callable[[str, float], None], *, sees_people: bool) -> None:
    """One pass through the span: pictures at the key moments, counts at even instants."""
    told("scene", 0.08)
    graph, node = services.graph, facts.incident.node or 1
    studio = MomentStudio(services.build_dir, graph, services.spaces, node, size=SIZE)
    try:
        past, by_ms = past_of(services), {moment.at_ms: moment for moment in moments}
        facts.breaks = services.painters.paintings[Channel.TEMPERATURE].breaks if studio.storey else ()
        around = frozenset(graph.subtree(graph.ancestor(node, "building") or graph.ancestor(node, "zone") or 1))
        even = np.linspace(facts.from_ms, facts.to_ms, CURVE_POINTS).astype(np.int64).tolist()
        past.seek(facts.from_ms)
        for at in sorted({*even, *by_ms}):
            past.advance(at)
            here = [int(i) for i in past.present() if services.tracks[i].kind == "person"]
            if at in by_ms:
                told("stills", 0.12 + 0.7 * (at - facts.from_ms) / (facts.to_ms - facts.from_ms + 1))
                facts.stills.append(_still(services, facts, studio, past, by_ms[at], here, sees_people=sees_people))
            if at in even:
                facts.counts.append((float(at), sum(int(past.node[i]) in around for i in here) if here else None,
                                     sum(a.is_live for a in past.alarms.values())))
    finally:
        studio.close()


def _still(services: Services, facts: IncidentFacts, studio: MomentStudio, past: Past, moment: KeyMoment,
           here: Sequence[int], *, sees_people: bool) -> Still:
    seen, temperature = seen_of(services, studio, past, facts.incident.node)
    sent = {d.track for d in past.dispatches.values() if d.incident == facts.incident.id and d.state in DISPATCH_LIVE}
    rows = [i for i in here if i in sent]
    seen = Seen(rooms=seen.rooms, alarms=seen.alarms, people=seen.people,
                sent=past.xyz[rows].astype(np.float64).reshape(-1, 3))
    place = frozenset(services.graph.subtree(studio.storey)) if studio.storey else None
    inside = sum(int(past.node[i]) in place for i in here) if place is not None else len(here)
    picture = studio.shoot(seen if sees_people else blurred(services, seen))
    return Still(moment=moment, picture=picture, alarms=sum(a.is_live for a in past.alarms.values()),
                 people=inside, temperature=temperature, hash=past.hash())


def seen_of(services: Services, studio: MomentStudio, past: Past, node: int) -> tuple[Seen, float | None]:
    """What a picture of the studio's place shows of the past, and the temperature (°C) of `node`'s room, when known."""
    graph, here = services.graph, past.present()
    people = [int(i) for i in here if services.tracks[i].kind == "person"]
    rooms: dict[int, str] = {}
    temperature = None
    if studio.storey:
        channel = services.painters.paintings[Channel.TEMPERATURE]
        nodes, values = services.painters.paint_of(int(Channel.TEMPERATURE), past.at_ms / 1000, past.value, past.quality,
                                                   here, past.node[here])
        known = dict(zip(nodes.tolist(), values.tolist(), strict=True))
        rooms = {n: colour for n, v in known.items() if (colour := class_colour(v, channel.breaks))}
        value = known.get(graph.ancestor(node, "space") or node, math.nan)
        temperature = value if math.isfinite(value) else None
    views, marks = views_of(services), []
    for alarm in (a for a in past.alarms.values() if a.is_live):
        view = views.alarm(alarm)
        at = np.asarray(graph.columns["anchor"][view.node], np.float64)
        if view.node and np.isfinite(at).all() and graph.ancestor(view.node, "storey") == studio.storey:
            marks.append(AlarmMark(at=(float(at[0]), float(at[1]), float(at[2])), priority=view.priority,
                                   is_over=alarm.state == "returned", room=graph.ancestor(view.node, "space")))
    return Seen(rooms=rooms, alarms=marks, people=past.xyz[people].astype(np.float64).reshape(-1, 3),
                sent=np.zeros((0, 3))), temperature


def blurred(services: Services, seen: Seen) -> Seen:
    """The same for a reader who may not follow people: they stand in ten-metre squares, and nobody is marked as sent."""
    xyz, _ = services.discretion.places(seen.people, np.zeros(len(seen.people), np.uint32))
    return Seen(rooms=seen.rooms, alarms=seen.alarms, people=xyz, sent=np.zeros((0, 3)))


def _curve(services: Services, facts: IncidentFacts) -> None:
    """The figures of the device that began it."""
    index = services.points.device_index(facts.incident.device)
    kind = services.points.kind[index] if index is not None else None
    wanted = {a.point for a in facts.alarms if a.device == facts.incident.device}
    numbers = [p for p in kind.points if p.type == "number"] if kind else []
    if kind is None or not numbers:
        return
    chosen = next((p for p in numbers if f"{facts.incident.device}.{p.key}" in wanted), numbers[0])
    series = services.history.query(f"{facts.incident.device}.{chosen.key}", facts.from_ms, facts.to_ms, 120)
    facts.curve = [(float(t), float(v) if math.isfinite(v) else None) for t, v in zip(series.t, series.mean, strict=True)]
    facts.curve_name = (chosen.name, chosen.name_zh or chosen.name, chosen.unit)
