"""What a park adds of its own: points worked out over places (`points.toml`) and alarm rules (`alarms.toml`).

A total joins a point of every device of some kinds under a node: sum, mean, max, min, how many are in a state, or the worst
state. What does not hold together is left out with a finding that has its line and mend; the rest holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from twin.errors import TwinError
from twin.expressions import ExpressionError, compile_expression
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.pack_checks import faults
from twin.pack_spec import AlarmRule, DeviceKind, How, PointSpec
from twin.registry import Device, PointTable, Total

POINTS, ALARMS = "points.toml", "alarms.toml"
#: Kinds that stand for a point of the park, not for things; their one point is `value`.
PREFIX, VALUE = "point:", "value"
_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")


class _Wrong(TwinError):
    """An entry that is left out."""


class ParkPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point of the park's own, `<id>.value`: a total (`how`, `of` as kind.point, under `node` or `each` place), or `expr`
    over points that `inputs` names. `state`: which one `count` counts; `order`: states from best to worst, for `worst`."""

    id: str
    name: str
    name_zh: str = ""
    unit: str = ""
    node: str = ""
    each: Literal["", "zone", "building", "storey", "space"] = ""
    how: How = ""
    of: tuple[str, ...] = ()
    state: str = ""
    order: tuple[str, ...] = ()
    expr: str = ""
    inputs: dict[str, str] = {}
    deadband: float = 0.0
    alarms: tuple[dict[str, Any], ...] = ()


class RuleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a rule is for, its key, and whether it is taken away; what else the entry says are fields of the rule."""

    key: str
    kind: str = ""
    devices: tuple[str, ...] = ()
    off: bool = False


@dataclass(slots=True)
class ParkOwn:
    """Kinds and devices with what the park adds, and everything that was left out."""

    kinds: dict[str, DeviceKind]
    own: dict[str, DeviceKind] = field(default_factory=dict)
    points: list[tuple[ParkPoint, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_own(root: Path, kinds: Mapping[str, DeviceKind], devices: Sequence[Device]) -> ParkOwn:
    """The park's `alarms.toml` and `points.toml`, as far as they hold together without the compiled park."""
    found = ParkOwn(dict(kinds))
    for raw, line in _entries(root / ALARMS, "rule", found.findings):
        try:
            _add_rule(found, raw, {device.id: device for device in devices})
        except (_Wrong, msgspec.ValidationError) as error:
            found.findings.append(_finding(error, f"{ALARMS}:{line}"))
    for raw, line in _entries(root / POINTS, "point", found.findings):
        try:
            found.points.append((_checked(msgspec.convert(raw, ParkPoint), found), line))
        except (_Wrong, msgspec.ValidationError) as error:
            found.findings.append(_finding(error, f"{POINTS}:{line}"))
    return found


def point_table(devices: Sequence[Device], found: ParkOwn, graph: SceneGraph,
                told: Sequence[tuple[Device, DeviceKind, str]] = ()) -> PointTable:
    """Every point of the devices, then the park's own; findings of what the compiled park does not have are added.

    Args:
        told: devices whose points the server tells, last: each with its kind and the node it stands for.
    """
    kinds, rows, homes = dict(found.kinds), list(devices), dict[str, str]()
    made: list[tuple[ParkPoint, str, str, int]] = []
    for spec, line in found.points:
        for name, node in _places(spec, graph, found, line):
            kind = _kind_of(spec, name)
            kinds[kind.id] = kind
            rows.append(Device(id=name, kind=kind.id, name=spec.name, name_zh=spec.name_zh))
            homes[name] = node
            made.append((spec, name, node, line))
    made, rows = _known(made, rows, len(devices), kinds, found)
    kinds.update({kind.id: kind for _, kind, _ in told})
    rows += [device for device, _, _ in told]
    homes.update({device.id: node for device, _, node in told})
    found.kinds = kinds
    points = PointTable(rows, kinds, found.own)
    points.home = homes
    points.totals = tuple(_totals([m for m in made if m[0].how], points, graph, found))
    return points


def _known(made: list[tuple[ParkPoint, str, str, int]], rows: list[Device], heard: int, kinds: dict[str, DeviceKind],
           found: ParkOwn) -> tuple[list[tuple[ParkPoint, str, str, int]], list[Device]]:
    """Without expressions over points there are not, or over themselves by way of others."""
    while True:
        table = PointTable(rows, kinds, found.own)
        fault = next((f for one in made if one[0].expr and (f := _fault(one[0], table, made))), None)
        if fault is None:
            return made, rows
        spec, what, mend = fault
        line = next(line for one, _, _, line in made if one is spec)
        found.findings.append(Finding("error", f"point '{spec.id}' is left out: {what}", f"{POINTS}:{line}", mend))
        gone = {name for one, name, _, _ in made if one is spec}
        made = [one for one in made if one[0] is not spec]
        rows = [*rows[:heard], *(row for row in rows[heard:] if row.id not in gone)]


def _fault(spec: ParkPoint, table: PointTable,
           made: Sequence[tuple[ParkPoint, str, str, int]]) -> tuple[ParkPoint, str, str] | None:
    states = {}
    for name, point in spec.inputs.items():
        slot = table.slot_of(point)
        if slot is None:
            return spec, f"there is no point '{point}'", "name points as <device>.<point>, the park's own as <id>.value"
        states[name] = table.spec[slot].states
    try:
        compile_expression(spec.expr, states)
    except ExpressionError as error:
        return spec, error.what, error.mend
    needs = {f"{name}.{VALUE}": set(one.inputs.values()) for one, name, _, _ in made}
    ways, seen = list(spec.inputs.values()), set[str]()
    while ways:
        here = ways.pop()
        if here == f"{spec.id}.{VALUE}":
            return spec, "it depends on itself", "take it out of its 'inputs', or out of those it is made of"
        ways += needs.get(here, set()) - seen
        seen |= needs.get(here, set())
    return None


def _entries(path: Path, name: str, findings: list[Finding]) -> Iterator[tuple[dict[str, Any], int]]:
    """Each `[[name]]` of a file with its line."""
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8")
        rows = tomllib.loads(text).get(name, [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        findings.append(Finding("error", f"cannot be read ({error})", path.name, "make it valid TOML in UTF-8"))
        return
    lines = [k for k, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{name}\s*\]\]", line)]
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        yield (row if isinstance(row, dict) else {}), lines[number] if number < len(lines) else 1


def _finding(error: Exception, where: str) -> Finding:
    if isinstance(error, TwinError):
        return Finding("error", f"left out: {error.what}", where, error.mend)
    return Finding("error", f"left out: {error}", where, "correct that entry; see docs/how-to/add-an-alarm-rule.md")


def _add_rule(found: ParkOwn, raw: dict[str, Any], devices: Mapping[str, Device]) -> None:
    entry = msgspec.convert(raw, RuleEntry)
    if bool(entry.kind) == bool(entry.devices):
        raise _Wrong(f"rule '{entry.key}' is for nobody, or for both", mend="give either 'kind' or 'devices'")
    if entry.kind:
        if entry.kind not in found.kinds:
            raise _Wrong(f"rule '{entry.key}' is for unknown kind '{entry.kind}'",
                         mend=f"use one of {', '.join(sorted(found.kinds))}")
        kind = _with_rule(found.kinds[entry.kind], entry, raw)
        found.own.update({name: _with_rule(own, entry, raw) for name, own in found.own.items() if own.id == entry.kind})
        found.kinds[entry.kind] = kind
        return
    for name in entry.devices:
        if name not in devices:
            raise _Wrong(f"rule '{entry.key}' is for unknown device '{name}'", mend="use an id of devices.csv")
    found.own.update({name: _with_rule(found.own.get(name) or found.kinds[devices[name].kind], entry, raw)
                      for name in entry.devices})


def _with_rule(kind: DeviceKind, entry: RuleEntry, raw: dict[str, Any]) -> DeviceKind:
    """A kind with a rule added, changed (what the entry does not say stays) or taken away."""
    before = next((rule for rule in kind.alarms if rule.key == entry.key), None)
    others = tuple(rule for rule in kind.alarms if rule.key != entry.key)
    if entry.off:
        if before is None:
            raise _Wrong(f"kind '{kind.id}' has no rule '{entry.key}'", mend="remove the entry")
        return msgspec.structs.replace(kind, alarms=others)
    said = {name: value for name, value in raw.items() if name not in ("kind", "devices", "off")}
    rule = msgspec.convert({**(msgspec.to_builtins(before) if before else {}), **said}, AlarmRule)
    after = msgspec.structs.replace(kind, alarms=(*others, rule))
    known = set(faults(kind))
    for what, mend in faults(after):
        if (what, mend) not in known:
            raise _Wrong(what, mend=mend)
    return after


def _checked(spec: ParkPoint, found: ParkOwn) -> ParkPoint:
    """A park point that holds together as far as can be told without the compiled park. Raises _Wrong."""
    if not _ID.fullmatch(spec.id) or any(spec.id == other.id for other, _ in found.points):
        raise _Wrong(f"point id '{spec.id}' is empty, taken or holds other signs",
                     mend="use letters, digits, '-' and '_', each id once")
    if bool(spec.how) == bool(spec.expr):
        raise _Wrong(f"point '{spec.id}' needs either 'how' (a total) or 'expr'", mend="give exactly one of the two")
    if spec.expr:
        if spec.each or spec.of or not spec.inputs:
            raise _Wrong(f"point '{spec.id}' (expr) takes 'inputs', not 'each' and 'of'", mend="name its points in 'inputs'")
    elif bool(spec.node) == bool(spec.each) or not spec.of:
        raise _Wrong(f"point '{spec.id}' needs 'of' and either 'node' or 'each'", mend="say what it joins, and where")
    for name in spec.of:
        _check_member(spec, name, found.kinds)
    wrong = next(iter(faults(_kind_of(spec, spec.id))), None)
    if wrong is not None:
        raise _Wrong(f"point '{spec.id}': {wrong[0]}", mend=wrong[1])
    return spec


def _check_member(spec: ParkPoint, name: str, kinds: Mapping[str, DeviceKind]) -> None:
    kind = kinds.get(name.partition(".")[0])
    point = kind.point(name.partition(".")[2]) if kind else None
    if point is None:
        raise _Wrong(f"point '{spec.id}' joins unknown '{name}'", mend="name it kind.point, as in the packs")
    if spec.how == "worst" and (len(spec.order) < 2 or not set(spec.order) & set(point.states)):
        raise _Wrong(f"point '{spec.id}' (worst) has no 'order' of states of '{name}'",
                     mend=f"order = [best, …, worst] of {', '.join(point.states) or 'a state point'}")
    if spec.how == "count" and spec.state not in point.states:
        raise _Wrong(f"point '{spec.id}' counts state '{spec.state}' of '{name}'",
                     mend=f"use one of {', '.join(point.states) or 'the states of a state point'}")
    if spec.how in ("sum", "mean", "max", "min") and point.type != "number":
        raise _Wrong(f"point '{spec.id}' ({spec.how}) joins '{name}', which is no number",
                     mend="use count or worst for states")


def _places(spec: ParkPoint, graph: SceneGraph, found: ParkOwn, line: int) -> list[tuple[str, str]]:
    """(device id, node id) of every place the point is for."""
    ids = graph.columns["id"]
    if spec.each:
        return [(f"{spec.id}@{ids[node]}".replace(".", "_"), str(ids[node])) for node in graph.of_kind(spec.each)]
    if spec.node and not graph.index(spec.node):
        found.findings.append(Finding("error", f"point '{spec.id}' is left out: there is no place '{spec.node}'",
                                      f"{POINTS}:{line}", "name the park, a zone, building, storey or space"))
        return []
    return [(spec.id, spec.node or "park")]


def _kind_of(spec: ParkPoint, name: str) -> DeviceKind:
    is_state = spec.how == "worst"
    point = PointSpec(key=VALUE, name=spec.name, name_zh=spec.name_zh or spec.name, unit=spec.unit, deadband=spec.deadband,
                      type="state" if is_state else "number", states=spec.order if is_state else (), expr=spec.expr,
                      inputs=spec.inputs, how=spec.how)
    alarms = tuple(msgspec.convert({"point": VALUE, **raw}, AlarmRule) for raw in spec.alarms)
    return DeviceKind(id=f"{PREFIX}{name}", name=spec.name, name_zh=spec.name_zh or spec.name, symbol="meter",
                      points=(point,), alarms=alarms, pack="park")


def _totals(made: Sequence[tuple[ParkPoint, str, str, int]], points: PointTable, graph: SceneGraph,
            found: ParkOwn) -> Iterator[Total]:
    """Which slots each total joins: a walk from every device up to the places that are asked for."""
    asked: dict[int, list[int]] = {}
    for k, (_, _, node, _) in enumerate(made):
        asked.setdefault(graph.index(node), []).append(k)
    members: list[list[tuple[int, tuple[float, ...]]]] = [[] for _ in made]
    for index, device in enumerate(points.devices):
        for k in [k for step in graph.path(graph.index(device.id)) for k in asked.get(step, ())]:
            spec = made[k][0]
            for name in spec.of:
                slot = points.slot(device.id, name.partition(".")[2]) if device.kind == name.partition(".")[0] else None
                if slot is not None:
                    members[k].append((slot, _scale(spec, points.kind[index].point(name.partition(".")[2]))))
    for (spec, name, node, line), own in zip(made, members, strict=True):
        slot = points.slot(name, VALUE)
        assert slot is not None
        if own:
            yield Total(slot, spec.how, tuple(own))
        elif not spec.each:
            what = f"point '{spec.id}' joins nothing: no {', '.join(spec.of)} under '{node}'"
            found.findings.append(Finding("warning", what, f"{POINTS}:{line}", "name another place or kind"))


def _scale(spec: ParkPoint, point: PointSpec | None) -> tuple[float, ...]:
    assert point is not None
    if spec.how == "count":
        return tuple(float(state == spec.state) for state in point.states)
    if spec.how == "worst":
        return tuple(float(spec.order.index(state)) if state in spec.order else float("nan") for state in point.states)
    return ()
