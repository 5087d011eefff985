"""A drill recorded before the first start, so that a fresh demo has something to replay: the simulator and a live core run
through some past minutes with a clock of their own, and a script acts for the people. Everything of it is marked as a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.simulator.engine import Simulator
from connectors.simulator.incidents import SCRIPTS
from twin.dispatch import DispatchError
from twin.history.store import History
from twin.live.core import LiveCore
from twin.ports import SAMPLE, Clock
from twin.wire import AlarmView, IncidentView

KEY, OPERATOR, COMMANDER = "fire", "sample:operator", "sample:commander"
QUIET_SECS, BURN_SECS, LONGEST_SECS = 20.0, 190.0, 420.0
FIRST_SECS = 60.0       # stepped by the second; after it by two, so that a first start is not held up
ANSWER_SECS = 9.0       # how long the operator takes to acknowledge an alarm
#: seconds after the incident opened → what is done
_PLAN, _GUARD = 14.0, 32.0
#: plan steps that people tick: key, seconds after the incident opened, by, role, note
_TICKS = (("verify", 24.0, OPERATOR, "operator", "smoke on camera · 画面可见烟"), ("119", 75.0, COMMANDER, "commander", ""),
          ("muster", 170.0, COMMANDER, "commander", ""))
NOTE = ("Sample drill '{name}', recorded from the simulator at the first start; it did not happen",
        "示例演练「{name}」：首次启动时由模拟器录制，并未真实发生")


@dataclass(slots=True)
class HandClock:
    """A clock that stands until it is moved (seconds since 1970 UTC)."""

    time: float

    def now(self) -> float:
        """Where it stands."""
        return self.time


@dataclass(slots=True)
class _Script:
    """What the people of the sample did so far."""

    done: set[str] = field(default_factory=set)

    def is_due(self, what: str, age: float, after: float) -> bool:
        """Whether something is to be done now, for the first time."""
        if age < after or what in self.done:
            return False
        self.done.add(what)
        return True


def record_sample(simulator: Simulator, core_of: Callable[[Clock], LiveCore], history: History, begin: float) -> float:
    """Record a fire drill from an instant on; gives when the record ends (seconds), `begin` when there is nothing to burn.

    Args:
        simulator: the park's field; it stays as it is.
        core_of: makes a live core for a clock, with the store the server will use.
        history: gets readings and positions of the span.
    """
    clock = HandClock(begin)
    simulated = simulator.apart(clock)
    if not simulated.can_burn:
        return begin
    core, script = core_of(clock), _Script()
    name = next(s for s in SCRIPTS if s.key == KEY)
    while clock.time - begin < LONGEST_SECS:
        age = clock.time - begin
        if script.is_due("start", age, QUIET_SECS):
            simulated.start_incident(KEY)
            text, text_zh = NOTE[0].format(name=name.name), NOTE[1].format(name=name.name_zh)
            core.note(SAMPLE, "drill.started", KEY, text=text, text_zh=text_zh)
        if script.is_due("stop", age, QUIET_SECS + BURN_SECS):
            simulated.stop_incident(KEY)
        _tick(simulated, core, history, clock, 1.0 if age < FIRST_SECS else 2.0)
        _act(core, script, clock.time)
        if age > QUIET_SECS + BURN_SECS + 20.0 and not core.alarms() and not (core.incidents and core.incidents.open()):
            break
    core.note(SAMPLE, "drill.stopped", KEY, text="End of the sample drill", text_zh="示例演练结束")
    return clock.time


def _tick(simulated: Simulator, core: LiveCore, history: History, clock: HandClock, step_secs: float) -> None:
    """One step of field, core and disk."""
    clock.time += step_secs
    simulated.feed(core, simulated.step(clock.time))
    tick = core.tick()
    history.put(tick.readings)
    history.put_positions(tick.positions, tick.shown)
    for order in tick.orders:
        simulated.take(order)
    for sending in tick.sendings:
        simulated.go(sending)


def _act(core: LiveCore, script: _Script, now: float) -> None:
    """What operator and commander do."""
    alarms = core.alarms()
    for alarm in alarms:
        if alarm.state in ("unacknowledged", "returned") and now - alarm.raised_ms / 1000 > ANSWER_SECS:
            core.acknowledge_alarm(alarm.id, by=OPERATOR, role="operator")
    for incident in core.incidents.open() if core.incidents else ():
        _answer(core, script, incident, alarms, now)


def _answer(core: LiveCore, script: _Script, incident: IncidentView, alarms: list[AlarmView], now: float) -> None:
    desk, age = core.incidents, now - incident.opened_ms / 1000
    assert desk is not None
    if incident.plan is None and incident.plans and script.is_due(f"plan {incident.id}", age, _PLAN):
        desk.start_plan(incident.id, incident.plans[0], by=OPERATOR, role="operator", now=now)
    for key, after, by, role, note in _TICKS:
        has_it = incident.plan is not None and any(step.key == key for step in incident.plan.steps)
        if has_it and script.is_due(f"{key} {incident.id}", age, after):
            desk.tick_step(incident.id, key, is_done=True, note=note, by=by, role=role, now=now)
    if script.is_due(f"guard {incident.id}", age, _GUARD):
        try:
            core.send(person="", role="guard", node=incident.node, reason="look and report · 到场查看并回报",
                      incident=incident.id, by=OPERATOR, by_role="operator")
        except DispatchError:  # nobody is free or has a way: the sample goes on without
            return
    is_calm = "stop" in script.done and not any(alarm.id in incident.alarms for alarm in alarms)
    if is_calm and script.is_due(f"closed {incident.id}", age, 0.0):
        core.close_incident(incident.id, by=COMMANDER, role="commander", note="Sample over · 示例结束")
