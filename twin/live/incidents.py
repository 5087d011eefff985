"""The incident desk: opens, joins, links, plans and closes incidents; every step is on disk before it counts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from twin.access import RULE, require
from twin.commands import Command, CommandConflict, CommandError
from twin.database import StoreDown
from twin.errors import AccessDenied
from twin.events import EventStore, Note, Records
from twin.finding import Finding
from twin.incidents import (
    JOIN_MINS,
    JOIN_PRIORITY,
    IncidentError,
    closed,
    joined,
    late,
    opened,
    run_state,
    settled,
    target,
    ticked,
    with_plan,
    with_target,
    worded,
)
from twin.linkages import LinkageSpec, StepSpec
from twin.live.desk import CommandDesk
from twin.live.views import Views
from twin.plans import RESPONSE, PlanSpec, of_response
from twin.reach import Reach
from twin.wire import AlarmView, IncidentView, LinkageRun, LinkageStep, TrailEntry

_log = logging.getLogger(__name__)
ORDERS_A_TICK = 6
_OF_COMMAND = {"requested": "waiting", "approved": "waiting", "sent": "sent", "acknowledged": "acknowledged",
               "confirmed": "confirmed", "failed": "failed", "unknown": "failed", "refused": "failed",
               "expired": "expired"}
STEP_WORDS = {"waiting": ("begins", "开始执行"), "confirmed": ("confirmed by telemetry", "遥测确认"),
              "failed": ("failed", "失败"), "expired": ("not within its time", "超时"), "shown": ("shown", "已弹出"),
              "none": ("nothing of the kind here", "此处无此类设备")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a park answers incidents with. `findings`: declarations left out, and why."""

    reach: Reach
    linkages: dict[str, LinkageSpec]
    plans: dict[str, PlanSpec]
    findings: tuple[Finding, ...] = ()


class IncidentDesk:
    """Incidents of one running core. One thread uses it.

    Args:
        events: where every step is written first.
        desk: gives the commands of linkages.
        views: titles and places.
        answers: linkages, plans and distances of the park.
        opening: `kind.alarm` rules that open an incident.
    """

    def __init__(self, events: EventStore, desk: CommandDesk, views: Views, answers: Answers,
                 opening: frozenset[str]) -> None:
        self._events, self._desk, self._views, self.answers, self._opening = events, desk, views, answers, opening
        self._alarms: dict[int, AlarmView] = {}
        self._changed: list[IncidentView] = []
        self._trail: list[TrailEntry] = []
        self.reread()

    # ---- what the core calls ------------------------------------------------------------------------------------
    def tick(self, now: float, alarms: Sequence[AlarmView], commands: Sequence[Command]) -> None:
        """Alarms that changed, commands that went on, time that passed."""
        self._waiting += alarms
        try:
            while self._waiting:
                self._take(self._waiting[0], now * 1000)
                self._waiting.pop(0)
            for command in commands:
                if command.by.startswith("linkage:"):
                    self._of_command(command)
            for incident in list(self._open.values()):
                self._drive(incident, now * 1000)
        except StoreDown as error:  # nothing has become true, the next tick tries again
            _log.debug("incidents wait: %s", error)

    def drain(self) -> tuple[list[IncidentView], list[TrailEntry]]:
        """Incidents that changed and trail lines since the last drain."""
        out = self._changed, self._trail
        self._changed, self._trail = [], []
        return out

    def open(self) -> list[IncidentView]:
        """Every incident not closed."""
        return list(self._open.values())

    # ---- what people do -----------------------------------------------------------------------------------------
    def get(self, number: int) -> IncidentView:
        """An open incident.

        Raises:
            IncidentError: no open incident has this number.
        """
        if number not in self._open:
            raise IncidentError(f"no open incident has number {number}", mend="read the list again",
                                code="incident.not_open", fill={"number": number})
        return self._open[number]

    def declare(self, *, node: int, title: str, priority: int, alarm: AlarmView | None, by: str, role: str,
                now: float) -> IncidentView:
        """A person opens an incident at a node, or for an alarm that has none."""
        require(role, "plan")
        if alarm is not None:
            known = next((i for i in self._open.values() if alarm.id in i.alarms), None)
            if known is not None:
                return known
            self._alarms[alarm.id] = alarm
            made = opened(number=self._next, alarm=alarm, rule=self._rule(alarm), plans=self._plans(self._rule(alarm)),
                          now_ms=now * 1000)
        else:
            place, place_zh, device = self._views.place_of(node)
            made = IncidentView(id=self._next, title=title, title_zh=title, priority=priority, state="open",
                                opened_ms=now * 1000, closed_ms=None, alarms=[], node=node, device=device, place=place,
                                place_zh=place_zh, joined_ms=now * 1000, plans=list(self.answers.plans))
        self._next += 1
        return self._keep(replace(made, by=by), now * 1000, "incident.opened", by, "declared", "人工立案")

    def close(self, number: int, *, by: str, role: str, note: str, live: frozenset[int], now: float) -> IncidentView:
        """A commander closes it. Raises AccessDenied, or IncidentError as `closed`."""
        require(role, "incident")
        after = closed(self.get(number), by=by, note=note, live=live, now_ms=now * 1000)
        return self._keep(after, now * 1000, "incident.closed", by, f"closed: {after.note}", f"已结束：{after.note}")

    def start_plan(self, number: int, plan: str, *, by: str, role: str, now: float) -> IncidentView:
        """A plan is started; 'response' is the one the first alarm declares."""
        require(role, "plan")
        incident = self.get(number)
        spec = self.answers.plans.get(plan)
        if plan == RESPONSE and incident.alarms:
            alarm = self._alarms.get(incident.alarms[0])
            spec = of_response(alarm) if alarm is not None and alarm.steps else None
        if spec is None:
            known = ", ".join([*self.answers.plans, RESPONSE])
            raise IncidentError(f"no plan '{plan}'", mend=f"use one of {known}", code="plan.unknown",
                                fill={"plan": plan, "known": known})
        after = self._linked(with_plan(incident, spec, by=by, now_ms=now * 1000), now * 1000)
        return self._keep(after, now * 1000, "plan.started", by, f"plan '{spec.name}' started",
                          f"启动预案「{spec.name_zh or spec.name}」")

    def tick_step(self, number: int, key: str, *, is_done: bool, note: str, by: str, role: str,
                  now: float) -> IncidentView:
        """A plan step is done, or not after all."""
        require(role, "plan")
        after = ticked(self.get(number), key, is_done=is_done, by=by, note=note, now_ms=now * 1000)
        step = next(s for s in after.plan.steps if s.key == key) if after.plan else None
        what, what_zh = (step.what, step.what_zh) if step else (key, key)
        word, word_zh = ("done", "完成") if is_done else ("undone", "撤销")
        return self._keep(after, now * 1000, f"plan.{word}", by, f"{what}: {word}{f' ({note})' if note else ''}",
                          f"{what_zh}：{word_zh}{f'（{note}）' if note else ''}")

    def confirm_linkage(self, number: int, *, by: str, role: str, now: float) -> IncidentView:
        """A commander's word for a linkage that asked; one with dangerous steps takes two people's."""
        incident = self.get(number)
        run = incident.linkage
        require(role, "plan" if run is not None and run.needs_two else "incident")
        if run is None:
            raise IncidentError(f"incident {number} has no linkage that waits for a word", mend="read it again",
                                code="linkage.not_asking")
        word = worded(run, by=by, role=role, now_ms=now * 1000)
        after = replace(incident, linkage=word)
        if word.state == "asked":
            return self._keep(after, now * 1000, "linkage.asked", by,
                              f"{run.name}: asked for by {by}, waits for a second person",
                              f"{run.name_zh}：{by} 申请执行，待第二人复核")
        return self._keep(after, now * 1000, "linkage.started", by, f"{run.name}: confirmed by {word.by}",
                          f"{run.name_zh}：{word.by} 确认执行")

    def dispatched(self, number: int, what: str, now: float) -> None:
        """A dispatch of this incident came to be ('dispatch') or got there ('arrived'): ticks the steps linked to it."""
        incident = self._open.get(number)
        if incident is not None:
            self._tick_linked(incident, what, "dispatch", now * 1000)

    # ---- inside: alarms -----------------------------------------------------------------------------------------
    def _catch_up(self) -> None:
        """After a restart: what the commands of running linkages came to meanwhile."""
        for incident in list(self._open.values()):
            run = incident.linkage
            for step in run.steps if run else ():
                for one in step.targets:
                    command = self._events.command_of(_key(incident, run.linkage, step, one.device)) if run else None
                    if command is not None and not command.is_live:
                        self._of_command(command)

    def reread(self) -> None:
        """Every open incident as it stands on record. Raises StoreDown."""
        self._open = {incident.id: incident for incident in self._events.open_incidents()}
        newest = self._events.recent_incidents(1)
        self._next = newest[0].id + 1 if newest else 1
        self._waiting: list[AlarmView] = []

    def restore(self, alarms: Sequence[AlarmView], now: float) -> None:
        """The live alarms of a former run or server; those that should have opened an incident do so now."""
        try:
            self._catch_up()
        except StoreDown as error:  # the steps go on with what the commands come to from here
            _log.warning("linkages go on without what their commands came to meanwhile: %s", error)
        self.tick(now, alarms, ())

    def mirror(self, incidents: Sequence[IncidentView]) -> None:
        """Show what another server put on record."""
        self._changed += incidents
        self._open.update({incident.id: incident for incident in incidents})
        self._open = {key: incident for key, incident in self._open.items() if incident.state == "open"}

    def _rule(self, alarm: AlarmView) -> str:
        device, _, key = alarm.key.partition(".")
        index = self._views.points.device_index(device)
        return f"{self._views.points.kind[index].id}.{key}" if index is not None else ""

    def _plans(self, rule: str) -> list[str]:
        return [*(p.id for p in self.answers.plans.values() if rule in p.alarms), RESPONSE]

    def _take(self, alarm: AlarmView, now_ms: float) -> None:
        self._alarms[alarm.id] = alarm
        if alarm.state not in ("unacknowledged", "acknowledged") or any(alarm.id in i.alarms for i in self._open.values()):
            return
        rule = self._rule(alarm)
        home = next((i for i in self._open.values() if self._belongs(alarm, i, now_ms)), None)
        if home is not None and alarm.priority <= JOIN_PRIORITY and alarm.raised_ms >= home.opened_ms - JOIN_MINS * 60_000:
            self._keep(joined(home, alarm, now_ms), now_ms, "incident.joined", "", f"joined by {alarm.title}, {alarm.place}",
                       f"并入：{alarm.place_zh} {alarm.title_zh}")
        elif rule in self._opening or (not rule and alarm.priority == 1):
            made = opened(number=self._next, alarm=alarm, rule=rule, plans=self._plans(rule), now_ms=now_ms)
            if not made.place:  # outdoors: the thing itself is the place
                place, place_zh, _ = self._views.place_of(made.node)
                made = replace(made, place=place, place_zh=place_zh)
            linkage = next((spec for spec in self.answers.linkages.values() if rule in spec.alarms), None)
            if linkage is not None:
                made = replace(made, linkage=_begun(linkage, now_ms))
            self._next += 1
            self._keep(made, now_ms, "incident.opened", "", "incident opened", "事件已立案")

    def _belongs(self, alarm: AlarmView, incident: IncidentView, now_ms: float) -> bool:
        graph = self.answers.reach.graph
        for kind in ("storey", "building"):
            here, there = graph.ancestor(alarm.node, kind), graph.ancestor(incident.node, kind)
            if here and here == there and (kind == "storey" or now_ms - incident.joined_ms < JOIN_MINS * 60_000):
                return True
        return alarm.node == incident.node

    # ---- inside: linkage ----------------------------------------------------------------------------------------
    def _drive(self, incident: IncidentView, now_ms: float) -> None:
        run, spec = incident.linkage, self.answers.linkages.get(incident.linkage.linkage) if incident.linkage else None
        if run is None or run.state != "running" or spec is None:
            return
        room = ORDERS_A_TICK
        for at, declared in enumerate(spec.steps[: len(run.steps)]):
            before = step = run.steps[at]
            if step.started_ms is None and now_ms >= run.started_ms + declared.after_secs * 1000:
                step = self._selected(incident, declared, step, now_ms)
            if room > 0 and step.started_ms is not None and declared.command:
                step, used = self._ordered(incident, run, declared, step, room, now_ms)
                room -= used
            step = late(step, now_ms)
            if step != before:
                incident = self._stepped(incident, at, before, step, now_ms)
                run = incident.linkage or run

    def _selected(self, incident: IncidentView, declared: StepSpec, step: LinkageStep, now_ms: float) -> LinkageStep:
        points = self._views.points
        found = self.answers.reach.devices(incident.node, declared.kind, declared.where, count=declared.count,
                                           besides=incident.device)
        targets = []
        for near in found:
            index = points.device_index(near.device)
            device = points.devices[index] if index is not None else None
            one = target(near.device, device.name if device else near.device, device.name_zh if device else "", near.metres)
            targets.append(one if declared.command else replace(one, state="shown"))
        return settled(replace(step, started_ms=now_ms, targets=targets), now_ms)

    def _ordered(self, incident: IncidentView, run: LinkageRun, declared: StepSpec, step: LinkageStep, room: int,
                 now_ms: float) -> tuple[LinkageStep, int]:
        used = 0
        for one in [t for t in step.targets if t.state == "waiting" and not t.command][:room]:
            used += 1
            try:
                command = self._desk.request(
                    device=one.device, key=declared.command, args=dict(declared.args), by=f"linkage:{run.linkage}",
                    role=RULE, idempotency_key=_key(incident, run.linkage, step, one.device), now=now_ms / 1000)
                step = with_target(step, one.device, _OF_COMMAND[command.state], "", now_ms, command.id)
            except (CommandConflict, CommandError, AccessDenied) as error:
                step = with_target(step, one.device, "failed", error.what, now_ms)
        return step, used

    def _of_command(self, command: Command) -> None:
        """What a command came to, on the step that gave it."""
        for incident in list(self._open.values()):
            for at, step in enumerate(incident.linkage.steps if incident.linkage else ()):
                if any(t.command == command.id for t in step.targets):
                    now_ms = command.steps[-1][1] * 1000
                    after = with_target(step, command.device, _OF_COMMAND[command.state], command.steps[-1][2], now_ms)
                    self._stepped(incident, at, step, after, now_ms)
                    return

    def _stepped(self, incident: IncidentView, at: int, before: LinkageStep, step: LinkageStep,
                 now_ms: float) -> IncidentView:
        run = incident.linkage
        assert run is not None
        steps = [step if k == at else s for k, s in enumerate(run.steps)]
        after = replace(incident, linkage=run_state(replace(run, steps=steps), now_ms))
        if step.state == before.state or step.state not in STEP_WORDS:
            return self._keep(after, now_ms, "", "", "", "")
        word, word_zh = STEP_WORDS[step.state]
        proved = sum(t.state in ("confirmed", "shown") for t in step.targets)
        share = f" {proved}/{len(step.targets)}" if step.targets and step.state != "waiting" else ""
        after = self._keep(after, now_ms, f"linkage.{step.state}", f"linkage:{run.linkage}", f"{step.name}: {word}{share}",
                           f"{step.name_zh}：{word_zh}{share}")
        return self._tick_linked(after, step.key, f"linkage:{run.linkage}", now_ms) if step.state == "confirmed" else after

    # ---- inside: plan -------------------------------------------------------------------------------------------
    def _linked(self, incident: IncidentView, now_ms: float) -> IncidentView:
        """A plan just started: steps whose linkage step is already confirmed are done."""
        done = {s.key for s in incident.linkage.steps if s.state == "confirmed"} if incident.linkage else set()
        for step in incident.plan.steps if incident.plan and incident.linkage else ():
            if step.linked in done and incident.linkage:
                incident = ticked(incident, step.key, is_done=True, by=f"linkage:{incident.linkage.linkage}", note="",
                                  now_ms=now_ms)
        return incident

    def _tick_linked(self, incident: IncidentView, linked: str, by: str, now_ms: float) -> IncidentView:
        for step in incident.plan.steps if incident.plan else ():
            if step.linked == linked and step.done_ms is None:
                after = ticked(incident, step.key, is_done=True, by=by, note="", now_ms=now_ms)
                incident = self._keep(after, now_ms, "plan.done", by, f"{step.what}: done", f"{step.what_zh}：完成")
        return incident

    def _keep(self, incident: IncidentView, now_ms: float, what: str, who: str, text: str, text_zh: str) -> IncidentView:
        """Write first; only what is on disk becomes true here."""
        head, head_zh = f"{incident.title}, {incident.place}: ", f"{incident.place_zh} {incident.title_zh}："
        notes = [Note(time=now_ms / 1000, who=who, what=what, subject=f"incident:{incident.id}", node=incident.node,
                      text=head + text, text_zh=head_zh + text_zh)] if what else []
        self._trail += self._events.write(Records(incidents=[incident], notes=notes))
        self._changed.append(incident)
        if incident.state == "open":
            self._open[incident.id] = incident
        else:
            self._open.pop(incident.id, None)
        return incident


def _begun(spec: LinkageSpec, now_ms: float) -> LinkageRun:
    steps = [LinkageStep(key=s.key, name=s.name, name_zh=s.name_zh or s.name, state="waiting", limit_secs=s.limit_secs)
             for s in spec.steps]
    return LinkageRun(linkage=spec.id, name=spec.name, name_zh=spec.name_zh or spec.name,
                      needs_two=spec.mode == "ask" and spec.is_dangerous,
                      state="asked" if spec.mode == "ask" else "running", by=f"linkage:{spec.id}", started_ms=now_ms,
                      steps=steps)


def _key(incident: IncidentView, linkage: str, step: LinkageStep, device: str) -> str:
    return f"linkage:{incident.id}:{linkage}:{step.key}:{device}"
