"""The meters of a park: every device whose kind says what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.energy.spec import SCALE, EnergySpec
from twin.graph import SceneGraph
from twin.pack_spec import Medium
from twin.registry import PointTable

#: Places figures are made for.
SCOPES = ("park", "zone", "building", "storey", "space")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One meter. `slot` of its counter; `scale` to the medium's unit; `node` it supplies (0: not known).

    `rate`: the slot of what flows now (-1: none). `most_per_hour`: in the counter's unit; None where the pack does not say.
    """

    device: int
    id: str
    medium: Medium
    slot: int
    rate: int
    scale: float
    node: int
    rolls_at: float | None
    most_per_hour: float | None
    is_source: bool


def meters_of(points: PointTable, graph: SceneGraph, spec: EnergySpec) -> tuple[Meter, ...]:
    """Every meter in registry order."""
    found: list[Meter] = []
    for index, device in enumerate(points.devices):
        metering = points.kind[index].metering
        slot = points.slot(device.id, metering.counter) if metering else None
        if metering is None or slot is None:
            continue
        entry = spec.meters.get(device.id)
        rate = points.slot(device.id, metering.rate) if metering.rate else None
        most = points.spec[rate].high if rate is not None else None
        supplies = (entry.supplies if entry else "") or device.feeds
        rolls_at = entry.rolls_at if entry and entry.rolls_at is not None else metering.rolls_at
        found.append(Meter(
            device=index, id=device.id, medium=metering.medium, slot=slot, rate=-1 if rate is None else rate,
            scale=SCALE[points.unit[slot]], node=_supplied(graph, supplies) or _home(graph, graph.index(device.id)),
            rolls_at=rolls_at, most_per_hour=most if most and points.unit[slot] in ("kWh", "m³") else None,
            is_source=metering.is_source))
    return tuple(found)


def _supplied(graph: SceneGraph, name: str) -> int:
    """The node a meter supplies: a place, or a device that it feeds; 0 where that is no node."""
    return graph.index(name) if name else 0


def _home(graph: SceneGraph, index: int) -> int:
    """The place around a node."""
    return graph.ancestor_of(index, SCOPES)


def feeders(points: PointTable, meters: Sequence[Meter]) -> dict[int, list[int]]:
    """Which meters feed each meter by the registry alone: straight, or through devices between them (numbers of `meters`)."""
    number = {meter.device: k for k, meter in enumerate(meters)}
    above: dict[str, list[int]] = {}
    for index, device in enumerate(points.devices):
        if device.feeds:
            above.setdefault(device.feeds, []).append(index)
    out: dict[int, list[int]] = {}
    for k, meter in enumerate(meters):
        ways, seen, found = list(above.get(meter.id, ())), set[int](), list[int]()
        while ways:
            here = ways.pop(0)
            if here in seen:
                continue
            seen.add(here)
            if here in number:
                found.append(number[here])
            else:
                ways += above.get(points.devices[here].id, ())
        out[k] = found
    return out
