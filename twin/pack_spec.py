"""What a pack says, as types: kinds, points, alarm rules with their response, commands with their proof, behaviours.

States travel as numbers everywhere in the live core: the index into `PointSpec.states`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

#: What a meter may measure.
Medium = Literal["electricity", "water", "heat", "cooling", "gas"]
#: How a point of the park joins those of a place; empty: it does not.
How = Literal["", "sum", "mean", "max", "min", "count", "worst"]


AXES: tuple[Literal["x", "y", "z"], ...] = ("x", "y", "z")


class _Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of everything a pack file says."""


class PointSpec(_Value, frozen=True, kw_only=True):
    """One measured or set quantity of a kind.

    `low`/`high`: the plausible range in `unit`, for gauges, not for alarms. `deadband`: smaller changes are not passed
    on (in `unit`). `period_secs`: how often the device reports; a value older than three periods is stale.
    `set`: a person may set it by a command. `expr`: it is not heard but worked out from other points of the device
    (`twin.expressions`), in a park file from those `inputs` names (name → `<device>.<point>`). `is_told`: neither, the server
    itself gives it (energy figures). `text`: any words, at most 256 characters. `position`: park metres, in the live columns
    three number points `<key>_x`, `<key>_y`, `<key>_z`, each with its `axis`.
    """

    key: str
    name: str
    name_zh: str
    unit: str = ""
    type: Literal["number", "state", "text", "position"] = "number"
    axis: Literal["", "x", "y", "z"] = ""
    states: tuple[str, ...] = ()
    states_zh: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    period_secs: float = 10.0
    set: bool = False
    expr: str = ""
    inputs: dict[str, str] = {}
    how: How = ""
    is_told: bool = False

    @property
    def is_derived(self) -> bool:
        """Whether it is worked out from other points, not heard from the field."""
        return bool(self.expr or self.how or self.is_told)

    @property
    def slots(self) -> tuple[PointSpec, ...]:
        """The points of the live columns it stands for: itself, or one an axis."""
        if self.type != "position":
            return (self,)
        return tuple(msgspec.structs.replace(
            self, key=f"{self.key}_{axis}", name=f"{self.name} {axis}", name_zh=f"{self.name_zh} {axis}",
            unit=self.unit or "m", type="number", axis=axis) for axis in AXES)

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
    `deviation`: further than `limit` from the point `against`, and back by more than `hysteresis`. `expression`: while `when`
    holds (`twin.expressions`). Both delays are in seconds and count source time.
    `suppress_when`: while it holds, and `suppress_off_delay_secs` longer, the alarm is suppressed by design.
    """

    key: str
    point: str
    rule: Literal["high", "low", "state", "stale", "rate", "deviation", "expression"]
    name: str
    name_zh: str
    priority: Literal[1, 2, 3, 4]
    response: Response
    limit: float | None = None
    state: str | None = None
    against: str = ""
    when: str = ""
    suppress_when: str = ""
    suppress_off_delay_secs: float = 0.0
    hysteresis: float = 0.0
    on_delay_secs: float = 0.0
    off_delay_secs: float = 0.0
    #: what is lost while it is on: alarms up and down the line are told under it (`twin.floods`)
    explains: tuple[Literal["supply", "network"], ...] = ()
    #: what loss it is a sign of; not said: a stale point is one of both, anything else of none
    follows: tuple[Literal["supply", "network"], ...] | None = None
    #: whether it stays after its condition is gone until a person has acknowledged and reset it
    latch: bool = False
    #: whether it opens an incident; not said: those of priority 1 do
    opens_incident: bool | None = None


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


class OverlaySpec(_Value, frozen=True, kw_only=True):
    """Paints rooms, storeys and buildings with a point: `how` joins the devices below, `breaks` are 8 rising edges."""

    point: str
    breaks: tuple[float, ...]
    how: Literal["mean", "sum"] = "mean"


class KpiSpec(_Value, frozen=True, kw_only=True):
    """A card on the operations page: `how` joins a point of every device of the kind below the place looked at.

    `share`: per cent of those heard of that are in `state`.
    """

    key: str
    name: str
    name_zh: str
    point: str
    how: Literal["sum", "mean", "share"] = "mean"
    state: str | None = None
    digits: int = 1


class Optics(_Value, frozen=True, kw_only=True):
    """What a camera sees: `range_m` metres far, `fov_deg` degrees wide (360: all round), about the registry's heading."""

    range_m: float
    fov_deg: float = 90.0


class Sense(_Value, frozen=True, kw_only=True):
    """The floor a sensor answers for: within `radius_m` metres in its own room; `code` is the rule that says so."""

    radius_m: float
    code: str = ""


class Metering(_Value, frozen=True, kw_only=True):
    """It is a meter: `counter` is its running total, `rate` (kW, m³/h) what flows now.

    The rate's `high` bounds what is believed. `rolls_at`: the figure after which the counter begins at zero again.
    `is_source`: it counts what is made here (PV).
    """

    medium: Medium
    counter: str
    rate: str = ""
    rolls_at: float | None = None
    is_source: bool = False


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
    overlay: OverlaySpec | None = None
    kpis: tuple[KpiSpec, ...] = ()
    optics: Optics | None = None
    sense: Sense | None = None
    metering: Metering | None = None
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


def argument_of(value: float | str | None) -> str | None:
    """The argument key inside `{key}`; None when the value is a plain one."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return value[1:-1]
    return None
