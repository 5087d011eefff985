"""An incident's life, as pure steps: opened by an alarm or a person, joined by alarms near it, closed by a person.

    open → (linkage: asked → running → done | failed) (plan: steps ticked) → closed, with a note, once its alarms are cleared

Values are `twin.wire.IncidentView`, frozen; times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from twin.access import decide, denial
from twin.commands import APPROVE_SECS
from twin.errors import AccessDenied, TwinError
from twin.plans import PlanSpec
from twin.wire import AlarmView, IncidentView, LinkageRun, LinkageStep, LinkageTarget, PlanRun, PlanStep

JOIN_MINS = 15.0
JOIN_PRIORITY = 3
#: rank of a target's state; a step stands where its slowest target does
_ORDER = ("waiting", "sent", "acknowledged")
_ENDS = frozenset({"confirmed", "failed", "expired", "shown", "none"})


class IncidentError(TwinError):
    """An incident cannot take this step."""


def opened(*, number: int, alarm: AlarmView, rule: str, plans: Iterable[str], now_ms: float) -> IncidentView:
    """An incident opened by an alarm at its place."""
    return IncidentView(
        id=number, title=alarm.title, title_zh=alarm.title_zh, priority=alarm.priority, state="open", opened_ms=now_ms,
        closed_ms=None, alarms=[alarm.id], node=alarm.node, device=alarm.device, place=alarm.place,
        place_zh=alarm.place_zh, joined_ms=now_ms, plans=list(plans), rule=rule)


def joined(incident: IncidentView, alarm: AlarmView, now_ms: float) -> IncidentView:
    """The incident with one more alarm; the worst priority counts."""
    if alarm.id in incident.alarms:
        return incident
    return replace(incident, alarms=[*incident.alarms, alarm.id], priority=min(incident.priority, alarm.priority),
                   joined_ms=now_ms)


def closed(incident: IncidentView, *, by: str, note: str, live: frozenset[int], now_ms: float) -> IncidentView:
    """The incident closed.

    Args:
        live: numbers of the alarms that are not cleared.

    Raises:
        IncidentError: it is closed, an alarm of it is not cleared, or the note is missing.
    """
    if incident.state != "open":
        raise IncidentError(f"incident {incident.id} is closed", mend="read the list again", code="incident.closed",
                            fill={"number": incident.id})
    waiting = [number for number in incident.alarms if number in live]
    if waiting:
        raise IncidentError(f"{len(waiting)} of its alarms are not cleared ({', '.join(map(str, waiting))})",
                            mend="acknowledge them and wait until their cause is gone", code="incident.alarms_live",
                            fill={"n": len(waiting)})
    if len(note.strip()) < 3:
        raise IncidentError("closing an incident needs a note", mend="say in 'note' what it was", code="incident.no_note")
    return replace(incident, state="closed", closed_ms=now_ms, closed_by=by, note=note.strip())


def with_plan(incident: IncidentView, plan: PlanSpec, *, by: str, now_ms: float) -> IncidentView:
    """The incident with a plan started.

    Raises:
        IncidentError: it is closed or has a plan.
    """
    _need_open(incident)
    if incident.plan is not None:
        raise IncidentError(f"plan '{incident.plan.plan}' is already started", mend="go on with that one",
                            code="plan.started", fill={"plan": incident.plan.plan})
    roles = {role.id: role for role in plan.roles}
    steps = [PlanStep(key=s.key, what=s.what, what_zh=s.what_zh or s.what, role=roles[s.role].name,
                      role_zh=roles[s.role].name_zh or roles[s.role].name, limit_mins=s.limit_mins, linked=s.linked)
             for s in plan.steps]
    run = PlanRun(plan=plan.id, name=plan.name, name_zh=plan.name_zh or plan.name, owner=plan.owner,
                  owner_zh=plan.owner_zh or plan.owner, by=by, started_ms=now_ms, steps=steps)
    return replace(incident, plan=run)


def ticked(incident: IncidentView, key: str, *, is_done: bool, by: str, note: str, now_ms: float) -> IncidentView:
    """The incident with one plan step done, or not done after all.

    Raises:
        IncidentError: no such step, nothing to change, or an undo without a note.
    """
    _need_open(incident)
    step = next((s for s in incident.plan.steps if s.key == key), None) if incident.plan else None
    if incident.plan is None or step is None:
        raise IncidentError(f"incident {incident.id} has no plan step '{key}'", mend="start the plan, read it again",
                            code="plan.no_step", fill={"key": key})
    if is_done == (step.done_ms is not None):
        raise IncidentError(f"step '{key}' is {'already' if is_done else 'not'} done", mend="read the plan again",
                            code="plan.step_same")
    if not is_done and len(note.strip()) < 3:
        raise IncidentError("undoing a step needs a note", mend="say in 'note' why it was not done", code="plan.no_note")
    after = replace(step, done_ms=now_ms if is_done else None, done_by=by if is_done else "", note=note.strip())
    steps = [after if s.key == key else s for s in incident.plan.steps]
    return replace(incident, plan=replace(incident.plan, steps=steps))


def with_target(step: LinkageStep, device: str, state: str, note: str, now_ms: float, command: str = "") -> LinkageStep:
    """The linkage step with one of its targets one state on."""
    targets = [replace(t, state=state, note=note, command=command or t.command) if t.device == device else t
               for t in step.targets]
    return settled(replace(step, targets=targets), now_ms)


def settled(step: LinkageStep, now_ms: float) -> LinkageStep:
    """The step with the state its targets give it: the slowest one under way, else the worst end."""
    states = {t.state for t in step.targets}
    state = next((s for s in _ORDER if s in states), None) or next(
        (s for s in ("failed", "expired", "confirmed", "shown") if s in states), "none")
    ended = (step.ended_ms or now_ms) if state in _ENDS else None
    return replace(step, state=state, ended_ms=ended)


def late(step: LinkageStep, now_ms: float) -> LinkageStep:
    """The step with targets that passed the step's own limit expired."""
    if step.started_ms is None or step.state in _ENDS or now_ms < step.started_ms + step.limit_secs * 1000:
        return step
    targets = [t if t.state in _ENDS else replace(t, state="expired", note="not within the limit of the step")
               for t in step.targets]
    return settled(replace(step, targets=targets), now_ms)


def run_state(run: LinkageRun, now_ms: float) -> LinkageRun:
    """The run ended when all its steps are; failed when one of them did not do what it should."""
    if run.state != "running" or any(s.state not in _ENDS for s in run.steps):
        return run
    is_bad = any(s.state in ("failed", "expired") for s in run.steps)
    return replace(run, state="failed" if is_bad else "done", ended_ms=now_ms)


def worded(run: LinkageRun, *, by: str, role: str, now_ms: float) -> LinkageRun:
    """The linkage that asks, with one person's word: running, or waiting for a second person's.

    Args:
        role: of the person; the last word is a commander's.

    Raises:
        IncidentError: it does not ask, the same person gave the first word, or the word may not be the last.
    """
    if run.state != "asked":
        raise IncidentError(f"linkage '{run.linkage}' does not wait for a word", mend="read it again",
                            code="linkage.not_asking")
    is_second = run.asked_by and run.approve_before_ms is not None and now_ms < run.approve_before_ms
    if is_second and by == run.asked_by:
        raise AccessDenied(f"{by} gave the first word and cannot give the second",
                           mend="have a second person, of another account, confirm it", code="approval.same_person",
                           fill={"by": by})
    if run.needs_two and not is_second:
        return replace(run, asked_by=by, approve_before_ms=now_ms + APPROVE_SECS * 1000)
    if not decide(role, "incident").allowed:
        raise denial("a linkage is confirmed by a commander", role, "incident")
    return replace(run, state="running", by=f"{run.asked_by}, {by}" if is_second else by, started_ms=now_ms)


def target(device: str, name: str, name_zh: str, metres: float) -> LinkageTarget:
    """A target before its order; inf metres is no way."""
    return LinkageTarget(device=device, name=name, name_zh=name_zh or name,
                         metres=round(metres, 1) if metres < float("inf") else None)


def _need_open(incident: IncidentView) -> None:
    if incident.state != "open":
        raise IncidentError(f"incident {incident.id} is closed", mend="open another", code="incident.closed",
                            fill={"number": incident.id})
