"""Commands: a pure life, from request to proof.

    requested → approved → sent → acknowledged → confirmed (telemetry shows it)
    refused (access, or a second person) · failed (device said no, or telemetry did not follow)
    expired (nobody approved it, or the device never came back, in time) · unknown (sent, no answer, no proof: never sent
    again by itself)

A dangerous command a person asks for stays *requested* until a second person, of another account, approves it within
`APPROVE_SECS`. What a linkage orders is covered by its declaration (`twin/linkages.py`).
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from twin.errors import TwinError
from twin.packs import ArgSpec, CommandSpec, DeviceKind, argument_of
from twin.ports import CommandAck, CommandOrder

State = Literal["requested", "approved", "sent", "acknowledged", "confirmed", "failed", "expired", "unknown", "refused"]
APPROVE_SECS = 300.0
ENDS = frozenset({"confirmed", "failed", "expired", "unknown", "refused"})


class CommandError(TwinError):
    """A command is not one this device can be given."""


class CommandConflict(TwinError):
    """Another command of this kind is under way; `holder` gave it."""

    def __init__(self, device: str, key: str, holder: str, command_id: str) -> None:
        self.holder = holder
        self.command_id = command_id
        super().__init__(f"'{key}' for {device} is under way, given by {holder}", mend="wait until it has ended",
                         code="command.under_way", fill={"device": device, "key": key, "holder": holder})


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command and its life so far. Times are seconds since 1970 UTC; `target` is what `point` must read.

    `approve_before` is when a second person's word comes too late, 0 where none is needed; `second` is who gave it.
    """

    id: str
    idempotency_key: str
    device: str
    key: str
    args: dict[str, float | str]
    by: str
    state: State
    steps: tuple[tuple[str, float, str], ...]
    expires: float
    point: str
    target: float
    tolerance: float
    within_secs: float
    ack_within_secs: float
    sent: float = 0.0
    acknowledged: float = 0.0
    approve_before: float = 0.0
    second: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a second person."""
        return self.state == "requested" and self.approve_before > 0

    @property
    def is_live(self) -> bool:
        """Whether it still waits for something."""
        return self.state not in ENDS

    def order(self) -> CommandOrder:
        """What goes to the device."""
        return CommandOrder(id=self.id, device=self.device, key=self.key, args=self.args, expires=self.expires)


def step(command: Command, state: State, now: float, note: str = "") -> Command:
    """The command one step on."""
    moved = msgspec.structs.replace(command, state=state, steps=(*command.steps, (state, now, note)))
    if state == "sent":
        return msgspec.structs.replace(moved, sent=now)
    return msgspec.structs.replace(moved, acknowledged=now) if state == "acknowledged" else moved


def asked(command: Command, now: float) -> Command:
    """A dangerous command that waits for a second person from now on."""
    return msgspec.structs.replace(command, approve_before=now + APPROVE_SECS)


def seconded(command: Command, by: str, now: float) -> Command:
    """The command approved by a second person; its time to be executed begins now.

    Raises:
        CommandError: it does not wait for a word, or the word comes too late.
    """
    _need_waiting(command, now)
    lasts = command.expires - command.steps[0][1]
    return step(msgspec.structs.replace(command, second=by, expires=now + lasts), "approved", now)


def denied(command: Command, by: str, note: str, now: float) -> Command:
    """The command refused by a second person, or withdrawn by the one who asked.

    Raises:
        CommandError: it does not wait for a word.
    """
    _need_waiting(command, now)
    note = note.strip() or ("withdrawn" if by == command.by else "refused by the second person")
    return step(msgspec.structs.replace(command, second=by), "refused", now, note)


def _need_waiting(command: Command, now: float) -> None:
    if not command.is_waiting:
        raise CommandError(f"'{command.key}' for {command.device} does not wait for a second person",
                           mend="read the list again", code="approval.not_waiting")
    if now >= command.approve_before:
        raise CommandError(f"the approval of '{command.key}' for {command.device} comes too late",
                           mend="have it asked for again", code="approval.late")


def on_ack(command: Command, ack: CommandAck, now: float) -> Command:
    """After the device answered; an answer to a command that is not waiting for one changes nothing."""
    if command.state != "sent":
        return command
    if ack.accepted:
        return step(command, "acknowledged", now, ack.note)
    return step(command, "failed", now, ack.note or "the device refused")


def on_reading(command: Command, value: float, received: float) -> Command:
    """After a good reading of the confirming point that came in at `received`: proof, if it came after sending."""
    if command.state not in ("sent", "acknowledged") or received <= command.sent:
        return command
    if math.isfinite(value) and abs(value - command.target) <= command.tolerance + 1e-9:
        return step(command, "confirmed", received, "")
    return command


def on_time(command: Command, now: float, *, is_online: bool) -> Command:
    """After time has passed: send it when the device is there, or end what took too long."""
    if command.is_waiting and now >= command.approve_before:
        return step(command, "expired", now, "nobody approved it in time")
    if command.state == "approved":
        if now >= command.expires:
            return step(command, "expired", now, "the device did not come back in time")
        return step(command, "sent", now) if is_online else command
    if command.state == "sent" and now >= command.sent + max(command.ack_within_secs, command.within_secs):
        return step(command, "unknown", now, "no answer and no proof; look at the device before trying again")
    if command.state == "acknowledged" and now >= command.acknowledged + command.within_secs:
        return step(command, "failed", now, "accepted, but the telemetry did not follow")
    return command


def new_command(*, command_id: str, idempotency_key: str, device: str, kind: DeviceKind, key: str,
                args: dict[str, float | str], by: str, now: float) -> tuple[Command, CommandSpec]:
    """A requested command with checked arguments.

    Raises:
        CommandError: the kind cannot be told this, or an argument is missing, unknown or out of range.
    """
    spec = kind.command(key)
    if spec is None:
        known = ", ".join(command.key for command in kind.commands) or "none"
        raise CommandError(f"{device} ({kind.id}) knows no command '{key}'", mend=f"use one of: {known}",
                           code="command.unknown", fill={"device": device, "key": key, "known": known})
    checked = _checked(spec, args)
    point = kind.point(spec.confirm.point)
    if point is None:
        raise CommandError(f"command '{key}' is confirmed by an unknown point", mend="correct the pack")
    wanted = spec.confirm.state if spec.confirm.state is not None else spec.confirm.value
    argument = argument_of(wanted)
    wanted = checked[argument] if argument else wanted
    command = Command(
        id=command_id, idempotency_key=idempotency_key, device=device, key=key, args=checked, by=by, state="requested",
        steps=(("requested", now, ""),), expires=now + spec.expires_secs, point=f"{device}.{point.key}",
        target=point.number_of(wanted if wanted is not None else math.nan), tolerance=spec.confirm.tolerance,
        within_secs=spec.confirm.within_secs, ack_within_secs=spec.ack_within_secs)
    return command, spec


def _checked(spec: CommandSpec, args: dict[str, float | str]) -> dict[str, float | str]:
    known = {arg.key: arg for arg in spec.args}
    for key in sorted(set(args) ^ set(known)):
        what = "unknown" if key in args else "missing"
        raise CommandError(f"argument '{key}' of '{spec.key}' is {what}", mend=f"give {sorted(known) or 'none'}",
                           code="command.argument", fill={"arg": key, "key": spec.key})
    return {key: _argument(known[key], value) for key, value in args.items()}


def _argument(arg: ArgSpec, value: float | str) -> float | str:
    if arg.choices:
        if value not in arg.choices:
            raise CommandError(f"'{arg.key}' is '{value}'", mend=f"use one of {', '.join(arg.choices)}",
                               code="command.choice", fill={"arg": arg.key, "known": ", ".join(arg.choices)})
        return value
    if isinstance(value, str | bool) or not math.isfinite(value):
        raise CommandError(f"'{arg.key}' is not a number", mend="give a finite number",
                           code="command.number", fill={"arg": arg.key})
    if (arg.low is not None and value < arg.low) or (arg.high is not None and value > arg.high):
        raise CommandError(f"'{arg.key}' is {value}", mend=f"stay within {arg.low} to {arg.high} {arg.unit}",
                           code="command.range", fill={
                               "arg": arg.key, "value": value, "unit": arg.unit, "low": _bound(arg.low),
                               "high": _bound(arg.high)})
    return float(value)


def _bound(limit: float | None) -> str:
    return "…" if limit is None else f"{limit:g}"
