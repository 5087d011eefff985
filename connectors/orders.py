"""An order as writes: which points of the device it sets, to what, and where they are written."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.bindings import Binding
from twin.packs import argument_of
from twin.ports import CommandOrder
from twin.registry import PointTable


class CannotWrite(Exception):
    """An order that was surely not carried out; the text is what the person who gave it reads."""


def writes_of(order: CommandOrder, points: PointTable, by_slot: Mapping[int, Binding]) -> list[tuple[Binding, float | str]]:
    """(binding, raw value) of every point the order's command sets.

    Raises:
        CannotWrite: the device knows no such command, or a point of it cannot be written here.
        ValueError: a point has no such state.
    """
    index = points.device_index(order.device)
    command = points.kind[index].command(order.key) if index is not None else None
    if command is None:
        raise CannotWrite(f"{order.device} knows no command '{order.key}'")
    writes = []
    for key, wanted in command.sets.items():
        slot = points.slot(order.device, key)
        binding = by_slot.get(slot) if slot is not None else None
        if binding is None or not binding.write:
            raise CannotWrite(f"{order.device}.{key} cannot be written: its points file names no 'write' address")
        argument = argument_of(wanted)
        writes.append((binding, binding.raw_of(order.args[argument] if argument else wanted)))
    return writes
