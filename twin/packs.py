"""Packs: device kinds as data, one TOML file a system of the park, checked as a whole when loaded.

A pack says what a kind measures (points), what is wrong with it (alarm rules, each with the answer expected of a
person), what it can be told (commands, each with the telemetry that proves it) and how the simulator moves it.

States travel as numbers everywhere in the live core: the index into `PointSpec.states`.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from twin.errors import PackError


class _Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of everything a pack file says."""


class PointSpec(_Value, frozen=True, kw_only=True):
    """One measured or set quantity of a kind.

    `low`/`high`: the plausible range in `unit`, for gauges, not for alarms. `deadband`: smaller changes are not passed
    on (in `unit`). `period_secs`: how often the device reports; a value older than three periods is stale.
    `set`: a person may set it by a command.
    """

    key: str
    name: str
    name_zh: str
    unit: str = ""
    type: Literal["number", "state"] = "number"
    states: tuple[str, ...] = ()
    states_zh: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    period_secs: float = 10.0
    set: bool = False

    def number_of(self, value: float | str | bool) -> float:
        """A value as the live core carries it; NaN when a state name is not one of this point's."""
        if isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            return float(self.states.index(value)) if value in self.states else float("nan")
        return float(value)


class Response(_Value, frozen=True, kw_only=True):
    """What a person does about an alarm: who, which steps in order, and by when."""

    owner: str
    owner_zh: str
    steps: tuple[str, ...]
    steps_zh: tuple[str, ...]
    deadline_mins: float


class AlarmRule(_Value, frozen=True, kw_only=True):
    """When a point is wrong.

    `high`/`low`: beyond `limit`, and back by more than `hysteresis` (both in the point's unit) to return.
    `rate`: changes faster than `limit` units a minute. `state`: in `state`. `stale`: silent for three periods.
    Both delays are in seconds and count source time.
    """

    key: str
    point: str
    rule: Literal["high", "low", "state", "stale", "rate"]
    name: str
    name_zh: str
    priority: Literal[1, 2, 3, 4]
    response: Response
    limit: float | None = None
    state: str | None = None
    hysteresis: float = 0.0
    on_delay_secs: float = 0.0
    off_delay_secs: float = 0.0


class ArgSpec(_Value, frozen=True, kw_only=True):
    """One argument of a command: a number within low..high (in `unit`) or one of `choices`."""

    key: str
    name: str
    name_zh: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


class Confirm(_Value, frozen=True, kw_only=True):
    """The telemetry that proves a command: `point` reads `state`, or `value` ± `tolerance`, within `within_secs`.

    `state` and `value` may name an argument as `{key}`.
    """

    point: str
    state: str | None = None
    value: float | str | None = None
    tolerance: float = 0.0
    within_secs: float = 30.0


class CommandSpec(_Value, frozen=True, kw_only=True):
    """Something a device can be told.

    `effect` is the sentence a person reads before sending; `{device}`, `{place}` and any argument's `{key}` are filled
    in. `sets`: point key → the value or state it takes (`{key}` for an argument).
    """

    key: str
    name: str
    name_zh: str
    effect: str
    effect_zh: str
    sets: dict[str, float | str]
    confirm: Confirm
    danger: Literal["normal", "dangerous"] = "normal"
    args: tuple[ArgSpec, ...] = ()
    ack_within_secs: float = 10.0
    expires_secs: float = 60.0


class Constant(_Value, frozen=True, kw_only=True, tag_field="model", tag="constant"):
    """Stays at `value` (number or state name) with Gaussian `noise` (sigma, in the point's unit)."""

    value: float | str
    noise: float = 0.0


class Diurnal(_Value, frozen=True, kw_only=True, tag_field="model", tag="diurnal"):
    """`base + amplitude · (day curve peaking at peak_hour, 0..1) · weights`, plus noise.

    `occupancy` and `weather` (0..1) say how much of the amplitude follows the people present and the outdoor load.
    """

    base: float
    amplitude: float
    peak_hour: float = 14.0
    occupancy: float = 0.0
    weather: float = 0.0
    noise: float = 0.0


class Follow(_Value, frozen=True, kw_only=True, tag_field="model", tag="follow"):
    """Approaches another point of the same device plus `offset`, first order with `tau_secs`."""

    target: str
    tau_secs: float
    offset: float = 0.0
    noise: float = 0.0


class Integrate(_Value, frozen=True, kw_only=True, tag_field="model", tag="integrate"):
    """Running total: `of` (per hour) over time, e.g. kW into kWh; starts at `start`."""

    of: str
    start: float = 0.0


class States(_Value, frozen=True, kw_only=True, tag_field="model", tag="states"):
    """Changes state by chance: state → mean seconds in it; the next is drawn by `weights` (default: even).

    `busy` (0..1): how much faster it moves when people are about.
    """

    dwell_secs: dict[str, float]
    weights: dict[str, float] = {}
    busy: float = 0.0


Behaviour = Constant | Diurnal | Follow | Integrate | States


class DeviceKind(_Value, frozen=True, kw_only=True):
    """A kind of device: `symbol` names an icon, `ifc` classes and `brick` tag match it; the loader sets `pack`."""

    id: str
    name: str
    name_zh: str
    symbol: str
    points: tuple[PointSpec, ...]
    alarms: tuple[AlarmRule, ...] = ()
    commands: tuple[CommandSpec, ...] = ()
    simulate: dict[str, Behaviour] = {}
    ifc: tuple[str, ...] = ()
    brick: str = ""
    pack: str = ""

    def point(self, key: str) -> PointSpec | None:
        """The point of a key; None when this kind has no such point."""
        return next((point for point in self.points if point.key == key), None)

    def command(self, key: str) -> CommandSpec | None:
        """The command of a key; None when this kind cannot be told that."""
        return next((command for command in self.commands if command.key == key), None)


class Pack(_Value, frozen=True, kw_only=True):
    """One system of the park: its device kinds."""

    id: str
    name: str
    name_zh: str
    kinds: tuple[DeviceKind, ...]


@dataclass(frozen=True, slots=True)
class PackSet:
    """Every pack of a park and its kinds by id."""

    packs: tuple[Pack, ...]
    kinds: dict[str, DeviceKind]


def packs_dir() -> Path:
    """The packs that come with Parktwin."""
    return Path(__file__).resolve().parent.parent / "assets" / "packs"


def load_packs(directories: Iterable[Path] | None = None) -> PackSet:
    """Every `*.toml` of the directories (by default the packs that come with Parktwin), checked.

    Raises:
        PackError: a file cannot be read, says something unknown, or does not hold together.
    """
    packs: dict[str, Pack] = {}
    kinds: dict[str, DeviceKind] = {}
    for path in _files([packs_dir()] if directories is None else directories):
        pack = load_pack(path)
        if pack.id in packs:
            raise PackError(f"pack '{pack.id}' exists twice", mend="give it another id", where=str(path))
        packs[pack.id] = pack
        for kind in pack.kinds:
            if kind.id in kinds:
                raise PackError(f"kind '{kind.id}' is already in pack '{kinds[kind.id].pack}'",
                                mend="rename or remove one of the two", where=str(path))
            kinds[kind.id] = kind
    return PackSet(tuple(packs.values()), kinds)


def load_pack(path: Path) -> Pack:
    """One pack file, parsed and checked.

    Raises:
        PackError: naming the file, the kind and key at fault, and the mend.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"cannot be read ({error})", mend="make it valid TOML in UTF-8", where=str(path)) from error
    try:
        pack = msgspec.convert(raw, Pack)
    except msgspec.ValidationError as error:
        raise PackError(_explain(str(error), raw), mend="correct that entry", where=str(path)) from error
    pack = msgspec.structs.replace(
        pack, kinds=tuple(msgspec.structs.replace(kind, pack=pack.id) for kind in pack.kinds))
    for kind in pack.kinds:
        for what, mend in _faults(kind):
            raise PackError(f"kind '{kind.id}': {what}", mend=mend, where=str(path))
    return pack


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        yield from sorted(Path(directory).glob("*.toml")) if Path(directory).is_dir() else (Path(directory),)


def _explain(message: str, raw: dict[str, object]) -> str:
    """msgspec's '… - at `$.kinds[2].alarms[0].response`' with the ids put in place of the figures."""
    text, _, place = message.partition(" - at `")
    here: object = raw
    names: list[str] = []
    for step in place.rstrip("`").replace("[", ".[").split(".")[1:]:
        try:
            here = here[int(step[1:-1])] if step.startswith("[") else here[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError, ValueError):
            here = None
        if step.startswith("["):
            label = here.get("id", here.get("key")) if isinstance(here, dict) else None
            names[-1] += f" '{label}'" if label else step
        else:
            names.append(step)
    return f"{', '.join(names)}: {text}" if names else text


def _faults(kind: DeviceKind) -> Iterator[tuple[str, str]]:
    """Everything in a kind that does not hold together, as (what, mend)."""
    keys = [point.key for point in kind.points]
    for group, used in (("point", keys), ("alarm", [a.key for a in kind.alarms]),
                        ("command", [c.key for c in kind.commands])):
        for key in sorted({key for key in used if used.count(key) > 1}):
            yield f"{group} '{key}' exists twice", "rename or remove one of the two"
    for point in kind.points:
        yield from _point_faults(point)
    for rule in kind.alarms:
        yield from _alarm_faults(kind, rule)
    for command in kind.commands:
        yield from _command_faults(kind, command)
    for key, behaviour in kind.simulate.items():
        yield from _behaviour_faults(kind, key, behaviour)


def _point_faults(point: PointSpec) -> Iterator[tuple[str, str]]:
    if (point.type == "state") != bool(point.states):
        yield f"point '{point.key}' must list states exactly when its type is state", "add or remove 'states'"
    if point.states_zh and len(point.states_zh) != len(point.states):
        yield (f"point '{point.key}' names {len(point.states)} states, {len(point.states_zh)} in Chinese",
               "name each once")
    if not point.period_secs > 0 or point.deadband < 0:
        yield f"point '{point.key}' needs period_secs > 0 and deadband ≥ 0", "correct the figures"
    if "." in point.key or "/" in point.key:
        yield f"point key '{point.key}' may hold neither '.' nor '/'", "rename it"


def _alarm_faults(kind: DeviceKind, rule: AlarmRule) -> Iterator[tuple[str, str]]:
    point = kind.point(rule.point)
    if point is None:
        yield f"alarm '{rule.key}' watches unknown point '{rule.point}'", f"use one of {_names(kind)}"
        return
    if rule.rule in ("high", "low", "rate") and (rule.limit is None or point.type != "number"):
        yield f"alarm '{rule.key}' ({rule.rule}) needs a 'limit' on a number point", "add 'limit' or change 'rule'"
    if rule.rule == "state" and rule.state not in point.states:
        yield f"alarm '{rule.key}' waits for state '{rule.state}'", f"use one of {', '.join(point.states) or 'none'}"
    if min(rule.hysteresis, rule.on_delay_secs, rule.off_delay_secs) < 0:
        yield f"alarm '{rule.key}' has a negative hysteresis or delay", "make it zero or more"
    response = rule.response
    if not response.steps or not response.steps_zh or not response.owner or response.deadline_mins <= 0:
        yield (f"alarm '{rule.key}' has no full response: an alarm nobody must answer is not an alarm",
               "give it an owner, steps, steps_zh and a deadline_mins above zero, or remove it")


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
    if states - set(point.states):
        yield f"simulate '{key}' uses states {sorted(states - set(point.states))}", f"use {', '.join(point.states)}"


def argument_of(value: float | str | None) -> str | None:
    """The argument key inside `{key}`; None when the value is a plain one."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return value[1:-1]
    return None


def _names(kind: DeviceKind) -> str:
    return ", ".join(point.key for point in kind.points)
