"""What a simulated device does with an order: acknowledges it, then changes over realistic seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.simulator.behave import Behaviours
from connectors.simulator.chance import seed_of, uniform
from twin.packs import CommandSpec, argument_of
from twin.ports import CommandAck, CommandOrder

#: seconds between acknowledgement and effect by kind; anything else 2
_TRAVEL_SECS = {
    "gate": 4.0,
    "chiller": 12.0,
    "ahu": 6.0,
    "pump": 5.0,
    "cooling_tower": 6.0,
    "fire_pump": 5.0,
    "lift": 8.0,
    "door": 1.2,
}
#: a gate shows these while it moves
_MOVING = {("gate", "open"): "opening", ("gate", "closed"): "closing"}


@dataclass(frozen=True, slots=True)
class Change:
    """A value that a point takes at an instant (seconds since 1970 UTC)."""

    when: float
    slot: int
    value: float


class OrderBook:
    """Orders under way. A repeated order id is acknowledged again and done once."""

    def __init__(self, behaviours: Behaviours, offline: set[str], seed: int) -> None:
        self._behaviours, self._offline, self._seed = behaviours, offline, seed
        self._acks: list[tuple[float, CommandAck]] = []
        self._changes: list[Change] = []
        self._known: dict[str, CommandAck] = {}
        self.moved: list[int] = []  # slots that the last step set

    def take(self, order: CommandOrder, now: float) -> None:
        """Accept, refuse, or (a device that is offline) say nothing at all."""
        if order.device in self._offline:
            return
        known = self._known.get(order.id)
        if known is None:
            known = self._decide(order, now)
            self._known[order.id] = known
        delay = 0.25 + 0.9 * float(uniform(self._seed, seed_of(order.id), 1)[0])
        self._acks.append((now + delay, known))

    def answer(self, when: float, ack: CommandAck) -> None:
        """Hand an answer over at an instant."""
        self._acks.append((when, ack))

    def step(self, now: float) -> list[CommandAck]:
        """Apply what is due and hand over the acknowledgements that are due."""
        self.moved = [change.slot for change in self._changes if change.when <= now]
        for change in [c for c in self._changes if c.when <= now]:
            self._behaviours.held[change.slot] = change.value
            self._behaviours.held_until[change.slot] = np.inf
        self._changes = [c for c in self._changes if c.when > now]
        due = [ack for when, ack in self._acks if when <= now]
        self._acks = [(when, ack) for when, ack in self._acks if when > now]
        return due

    def _decide(self, order: CommandOrder, now: float) -> CommandAck:
        points = self._behaviours.points
        index = points.device_index(order.device)
        spec = None if index is None else points.kind[index].command(order.key)
        if index is None or spec is None:
            return CommandAck(id=order.id, device=order.device, accepted=False, note=f"unknown command '{order.key}'")
        if order.expires < now:
            return CommandAck(id=order.id, device=order.device, accepted=False, note="came too late")
        changes = self._changes_of(spec, order, points.kind[index].id, now)
        if changes is None:
            return CommandAck(id=order.id, device=order.device, accepted=False, note="argument not understood")
        self._changes.extend(changes)
        return CommandAck(id=order.id, device=order.device, accepted=True)

    def _changes_of(self, spec: CommandSpec, order: CommandOrder, kind: str, now: float) -> list[Change] | None:
        out = []
        points = self._behaviours.points
        start = now + 1.2
        for key, wanted in spec.sets.items():
            slot = points.slot(order.device, key)
            argument = argument_of(wanted)
            raw = order.args.get(argument) if argument else wanted
            if slot is None or raw is None:
                return None
            point = points.spec[slot]
            value = point.number_of(raw if point.states else float(raw))
            if not np.isfinite(value):
                return None
            moving = _MOVING.get((kind, str(raw)))
            if moving:
                out.append(Change(start, slot, point.number_of(moving)))
            out.append(Change(start + _TRAVEL_SECS.get(kind, 2.0) * (1.0 if point.states else 0.5), slot, value))
        return out
