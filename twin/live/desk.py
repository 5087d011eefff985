"""The command desk: takes requests, keeps the commands under way, writes every step down before it counts."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from twin.access import RULE, Action, decide, denial
from twin.commands import (
    Command,
    CommandConflict,
    CommandError,
    asked,
    denied,
    new_command,
    on_ack,
    on_reading,
    on_time,
    seconded,
    step,
)
from twin.database import StoreDown
from twin.errors import AccessDenied
from twin.events import EventStore, Note, Records
from twin.live.state import StateStore
from twin.ports import CommandAck, CommandOrder
from twin.wire import Quality, TrailEntry

_log = logging.getLogger(__name__)


class CommandDesk:
    """Commands of one running core. One thread uses it.

    Args:
        state: the live columns that prove commands and tell whether a device is there.
        events: where every step is written first.
        note_of: makes the trail line of a command's step.
    """

    def __init__(self, state: StateStore, events: EventStore, note_of: Callable[[Command, float], Note]) -> None:
        self._state = state
        self._events = events
        self._note_of = note_of
        self._outbox: list[CommandOrder] = []
        self._changed: list[Command] = []
        self._trail: list[TrailEntry] = []
        self.restore()

    def restore(self) -> None:
        """Every command under way as it stands on record; what was to be sent from here is not. Raises StoreDown."""
        self._live = {command.id: command for command in self._events.live_commands()}
        self._outbox = []

    def mirror(self, commands: Sequence[Command]) -> None:
        """Show what another server put on record."""
        self._changed += commands
        self._live.update({command.id: command for command in commands})
        self._live = {key: command for key, command in self._live.items() if command.is_live}

    def live(self) -> list[Command]:
        """Commands still waiting for something."""
        return list(self._live.values())

    def request(self, *, device: str, key: str, args: dict[str, float | str], by: str, role: str, idempotency_key: str,
                now: float) -> Command:
        """Take a request; the same idempotency key gives the same command again. A dangerous one waits for a second person.

        Raises:
            CommandError: unknown device, command or argument.
            AccessDenied: the role may not; the refusal is written down.
            CommandConflict: one of this kind is under way for the device; written down too.
        """
        if not idempotency_key:
            raise CommandError("a command needs an idempotency key", mend="send one random key a click",
                               code="command.no_key")
        before = self._events.command_of(idempotency_key)
        if before is not None:
            if (before.device, before.key, before.by) != (device, key, by):
                raise CommandError("this idempotency key belongs to another command", mend="use a new key a click",
                                   code="command.key_used")
            return before
        points = self._state.points
        index = points.device_index(device)
        if index is None:
            raise CommandError(f"no device '{device}'", mend="use an id of the registry", code="command.no_device",
                               fill={"device": device})
        command, spec = new_command(command_id=secrets.token_hex(8), idempotency_key=idempotency_key, device=device,
                                    kind=points.kind[index], key=key, args=args, by=by, now=now)
        needs_second = spec.danger == "dangerous" and role != RULE
        action: Action = "command.dangerous" if spec.danger == "dangerous" and not needs_second else "command"
        decision = decide(role, action)
        if not decision.allowed:
            self._keep([step(command, "refused", now, decision.reason)], now)
            raise denial(decision.reason, role, action)
        holder = next((c for c in self._live.values() if (c.device, c.key) == (device, key)), None)
        if holder is not None:
            refused = step(command, "refused", now, f"under way, given by {holder.by}")
            self._keep([refused], now)
            raise CommandConflict(device, key, holder.by, holder.id)
        taken = asked(command, now) if needs_second else step(command, "approved", now)
        self._keep([taken], now)
        return taken

    def approve(self, command_id: str, *, by: str, role: str, now: float) -> Command:
        """The second person's word for a command that waits for one; it is sent with the next tick.

        Raises:
            CommandError: no command waits under this id, or the word comes too late.
            AccessDenied: the role may not, or the same person asked for it; the attempt is written down.
        """
        command = self._waiting(command_id)
        decision = decide(role, "command.dangerous")
        if not decision.allowed:
            self._note_attempt(command, by, decision.reason, now)
            raise denial(decision.reason, role, "command.dangerous")
        if by == command.by:
            self._note_attempt(command, by, "the one who asked cannot approve it", now)
            raise AccessDenied(f"{by} asked for this command and cannot approve it",
                               mend="have a second person, of another account, approve it", code="approval.same_person",
                               fill={"by": by})
        approved = seconded(command, by, now)
        self._keep([approved], now)
        return approved

    def deny(self, command_id: str, *, by: str, role: str, note: str, now: float) -> Command:
        """A second person refuses, or the one who asked withdraws. Raises as `approve`."""
        command = self._waiting(command_id)
        decision = decide(role, "command.dangerous")
        if not decision.allowed and by != command.by:
            self._note_attempt(command, by, decision.reason, now)
            raise denial(decision.reason, role, "command.dangerous")
        refused = denied(command, by, note, now)
        self._keep([refused], now)
        return refused

    def _waiting(self, command_id: str) -> Command:
        command = self._live.get(command_id)
        if command is None:
            raise CommandError(f"no command '{command_id}' waits for a second person", mend="read the list again",
                               code="approval.not_waiting")
        return command

    def _note_attempt(self, command: Command, by: str, reason: str, now: float) -> None:
        note = self._note_of(command, now)
        self._trail += self._events.write(Records(notes=[replace(
            note, who=by, what="command.not_approved", text=f"{note.text}: {by} could not approve it ({reason})",
            text_zh=f"{note.text_zh}：{by} 无权复核")]))

    def acknowledge(self, ack: CommandAck, now: float) -> None:
        """A device's answer; one nobody waits for, or from another device, changes nothing."""
        command = self._live.get(ack.id)
        if command is not None and command.device == ack.device:
            self._keep([on_ack(command, ack, now)], now)

    def tick(self, now: float) -> None:
        """Look at telemetry and clock: prove, send, expire, give up. 'sent' is on disk before the order leaves."""
        moved = []
        for command in self._live.values():
            after = on_time(self._proved(command), now, is_online=self.is_online(command.device))
            if after is not command:
                moved.append(after)
        try:
            self._keep(moved, now)
        except StoreDown as error:  # nothing has become true, the next tick tries again
            _log.debug("commands wait: %s", error)
            return
        self._outbox.extend(command.order() for command in moved if command.state == "sent")

    def is_online(self, device: str) -> bool:
        """Whether any point of the device spoke within its three periods."""
        index = self._state.points.device_index(device)
        if index is None:
            return False
        slots = self._state.points.slots_of(index)
        return bool(np.any(self._state.quality[slots.start:slots.stop] < Quality.STALE))

    def drain(self) -> tuple[list[CommandOrder], list[Command], list[TrailEntry]]:
        """Orders to send, commands that changed, trail lines, since the last drain."""
        out = self._outbox, self._changed, self._trail
        self._outbox, self._changed, self._trail = [], [], []
        return out

    def _proved(self, command: Command) -> Command:
        slot = self._state.points.slot_of(command.point)
        if slot is None or self._state.quality[slot] > Quality.UNCERTAIN:
            return command
        return on_reading(command, float(self._state.value[slot]), float(self._state.received[slot]))

    def _keep(self, commands: list[Command], now: float) -> None:
        """Write first; only what is on disk becomes true here."""
        commands = [command for command in commands if self._live.get(command.id) != command]
        if not commands:
            return
        self._trail += self._events.write(Records(commands=commands, notes=[self._note_of(c, now) for c in commands]))
        for command in commands:
            self._changed.append(command)
            if command.is_live:
                self._live[command.id] = command
            else:
                self._live.pop(command.id, None)
