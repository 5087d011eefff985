"""Whether a kind holds together: every reference met, every alarm answered by somebody."""

from __future__ import annotations

import string
from collections.abc import Iterator
from itertools import pairwise

from twin.expressions import ExpressionError, compile_expression
from twin.pack_spec import (
    AlarmRule,
    Behaviour,
    CommandSpec,
    Constant,
    DeviceKind,
    Follow,
    Integrate,
    PointSpec,
    States,
    argument_of,
)


def faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    """Everything in a kind that does not hold together, as (what, mend)."""
    keys = [point.key for point in kind.points]
    for group, used in (("point", keys), ("alarm", [a.key for a in kind.alarms]),
                        ("command", [c.key for c in kind.commands]), ("KPI", [k.key for k in kind.kpis])):
        for key in sorted({key for key in used if used.count(key) > 1}):
            yield f"{group} '{key}' exists twice", "rename or remove one of the two"
    for point in kind.points:
        yield from _point_faults(point)
    yield from _derived_faults(kind)
    for rule in kind.alarms:
        yield from _alarm_faults(kind, rule)
    for command in kind.commands:
        yield from _command_faults(kind, command)
    for key, behaviour in kind.simulate.items():
        yield from _behaviour_faults(kind, key, behaviour)
    yield from _figure_faults(kind)
    yield from _reach_faults(kind)
    yield from _metering_faults(kind)


def _figure_faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    """What the kind paints and which cards it gives."""
    painted = kind.overlay
    if painted is not None:
        point = kind.point(painted.point)
        if point is None or point.type != "number":
            yield f"overlay paints '{painted.point}'", f"use a number point: one of {_names(kind)}"
        if len(painted.breaks) != 8 or any(b <= a for a, b in pairwise(painted.breaks)):
            yield f"overlay has {len(painted.breaks)} breaks", "give 8 rising edges of the 7 classes, in the point's unit"
    for card in kind.kpis:
        point = kind.point(card.point)
        if point is None:
            yield f"KPI '{card.key}' reads unknown point '{card.point}'", f"use one of {_names(kind)}"
        elif card.how == "share" and card.state not in point.states:
            yield f"KPI '{card.key}' counts state '{card.state}'", f"use one of {', '.join(point.states) or 'none'}"


def _reach_faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    if kind.optics is not None and not (kind.optics.range_m > 0 and 0 < kind.optics.fov_deg <= 360):
        yield "optics need range_m above 0 and fov_deg within 0..360", "correct the figures"
    if kind.sense is not None and not kind.sense.radius_m > 0:
        yield "sense needs radius_m above 0", "give the radius a code allows for it, in metres"


def _metering_faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    metering = kind.metering
    if metering is None:
        return
    counter = kind.point(metering.counter)
    units = ("m³", "L") if metering.medium in ("water", "gas") else ("kWh", "MWh", "Wh", "MJ", "GJ")
    if counter is None or counter.type != "number":
        yield f"metering counts unknown point '{metering.counter}'", f"use a number point: one of {_names(kind)}"
    elif counter.unit not in units:
        yield f"metering of {metering.medium} counts '{counter.key}' in '{counter.unit}'", f"use one of {', '.join(units)}"
    if metering.rate and kind.point(metering.rate) is None:
        yield f"metering has unknown rate '{metering.rate}'", f"use one of {_names(kind)}, or remove it"
    if metering.rolls_at is not None and not metering.rolls_at > 0:
        yield "metering rolls over at zero or below", "give the figure after which the counter begins again"


def _point_faults(point: PointSpec) -> Iterator[tuple[str, str]]:
    if (point.type == "state") != bool(point.states):
        yield f"point '{point.key}' must list states exactly when its type is state", "add or remove 'states'"
    if point.states_zh and len(point.states_zh) != len(point.states):
        yield (f"point '{point.key}' names {len(point.states)} states, {len(point.states_zh)} in Chinese",
               "name each once")
    if not point.period_secs > 0 or point.deadband < 0:
        yield f"point '{point.key}' needs period_secs > 0 and deadband ≥ 0", "correct the figures"
    if point.type == "text" and (point.deadband or point.low is not None or point.high is not None or point.is_derived):
        yield f"text point '{point.key}' has figures of a number", "remove deadband, low, high and expr"
    if "." in point.key or "/" in point.key:
        yield f"point key '{point.key}' may hold neither '.' nor '/'", "rename it"


def _alarm_faults(kind: DeviceKind, rule: AlarmRule) -> Iterator[tuple[str, str]]:
    point = kind.point(rule.point)
    if point is None:
        yield f"alarm '{rule.key}' watches unknown point '{rule.point}'", f"use one of {_names(kind)}"
        return
    yield from _expression_faults(kind, rule)
    if rule.rule in ("high", "low", "rate", "deviation") and (rule.limit is None or point.type != "number"):
        yield f"alarm '{rule.key}' ({rule.rule}) needs a 'limit' on a number point", "add 'limit' or change 'rule'"
    if point.type == "text" and rule.rule != "stale":
        yield f"alarm '{rule.key}' ({rule.rule}) watches text '{rule.point}'", "watch only its silence (stale)"
    if rule.rule == "state" and rule.state not in point.states:
        yield f"alarm '{rule.key}' waits for state '{rule.state}'", f"use one of {', '.join(point.states) or 'none'}"
    if min(rule.hysteresis, rule.on_delay_secs, rule.off_delay_secs, rule.suppress_off_delay_secs) < 0:
        yield f"alarm '{rule.key}' has a negative hysteresis or delay", "make it zero or more"
    response = rule.response
    if not all((response.steps, response.steps_zh, response.owner, response.owner_zh)) or response.deadline_mins <= 0:
        yield (f"alarm '{rule.key}' has no full response: an alarm nobody must answer is not an alarm",
               "give it an owner, owner_zh, steps, steps_zh and a deadline_mins above zero, or remove it")


def _expression_faults(kind: DeviceKind, rule: AlarmRule) -> Iterator[tuple[str, str]]:
    """What the rule is worked out from."""
    if rule.rule == "deviation":
        against = kind.point(rule.against)
        if against is None or against.type != "number" or rule.against == rule.point:
            yield f"alarm '{rule.key}' compares with '{rule.against}'", f"give 'against' another number point: {_names(kind)}"
    elif rule.against:
        yield f"alarm '{rule.key}' ({rule.rule}) has 'against'", "remove it, or use rule = \"deviation\""
    if (rule.rule == "expression") != bool(rule.when):
        yield f"alarm '{rule.key}' ({rule.rule}) needs 'when' exactly when its rule is expression", "add or remove 'when'"
    names = {point.key: point.states for point in kind.points if point.type != "text"}
    for what, text in (("when", rule.when), ("suppress_when", rule.suppress_when)):
        if text:
            try:
                compile_expression(text, names)
            except ExpressionError as error:
                yield f"alarm '{rule.key}': {what}: {error.what}", error.mend


def _derived_faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    """Points worked out from others: each from points there are, none from itself."""
    names = {point.key: point.states for point in kind.points if point.type != "text"}
    needs: dict[str, set[str]] = {}
    for point in kind.points:
        if point.how and kind.pack != "park":
            yield f"point '{point.key}' has 'how'", "totals over places belong in the park's points.toml"
        if not point.expr or kind.pack == "park":
            continue
        if point.inputs or point.set or point.key in kind.simulate:
            yield (f"derived point '{point.key}' has 'inputs', 'set' or a behaviour in simulate",
                   "remove them: a kind's derived points are worked out from its own points")
        try:
            needs[point.key] = set(compile_expression(point.expr, names).inputs)
        except ExpressionError as error:
            yield f"derived point '{point.key}': {error.what}", error.mend
    for key in sorted(needs):
        if key in _reached(key, needs):
            yield f"derived point '{key}' depends on itself", "take it out of its own 'expr', or out of those it is made of"


def _reached(key: str, needs: dict[str, set[str]]) -> set[str]:
    """Everything a derived point needs, directly or by way of others."""
    found: set[str] = set()
    ways = [key]
    while ways:
        fresh = needs.get(ways.pop(), set()) - found
        found |= fresh
        ways += fresh
    return found


def _command_faults(kind: DeviceKind, command: CommandSpec) -> Iterator[tuple[str, str]]:
    args = {arg.key for arg in command.args}
    for point_key, value in command.sets.items():
        point = kind.point(point_key)
        if point is None:
            yield f"command '{command.key}' sets unknown point '{point_key}'", f"use one of {_names(kind)}"
        elif isinstance(value, str) and argument_of(value) not in args and value not in point.states:
            yield f"command '{command.key}' sets '{point_key}' to '{value}'", "use an argument as {key} or a state"
    point = kind.point(command.confirm.point)
    if point is None:
        yield (f"command '{command.key}' is confirmed by unknown point '{command.confirm.point}'",
               f"use one of {_names(kind)}")
    elif (command.confirm.state is None) == (command.confirm.value is None):
        yield f"command '{command.key}': confirm needs either 'state' or 'value'", "give exactly one"
    for text in (command.effect, command.effect_zh):
        unknown = {name for _, name, _, _ in string.Formatter().parse(text) if name} - args - {"device", "place"}
        if unknown:
            yield f"command '{command.key}': effect names {sorted(unknown)}", "use {device}, {place} or an argument"


def _behaviour_faults(kind: DeviceKind, key: str, behaviour: Behaviour) -> Iterator[tuple[str, str]]:
    if kind.point(key) is None:
        yield f"simulate moves unknown point '{key}'", f"use one of {_names(kind)}"
        return
    point = kind.point(key)
    assert point is not None
    other = key
    if isinstance(behaviour, Follow | Integrate):
        other = behaviour.target if isinstance(behaviour, Follow) else behaviour.of
    if kind.point(other) is None:
        yield f"simulate '{key}' follows unknown point '{other}'", f"use one of {_names(kind)}"
    states = set(behaviour.dwell_secs) | set(behaviour.weights) if isinstance(behaviour, States) else set()
    if isinstance(behaviour, Constant) and isinstance(behaviour.value, str):
        states = {behaviour.value}
    if point.type == "text" and not isinstance(behaviour, Constant):
        yield f"simulate moves text '{key}'", 'use model = "constant" with the text as value'
    elif point.type != "text" and states - set(point.states):
        yield f"simulate '{key}' uses states {sorted(states - set(point.states))}", f"use {', '.join(point.states)}"


def _names(kind: DeviceKind) -> str:
    return ", ".join(point.key for point in kind.points)
