"""The live half beside its peers: state and alarms, MQTT in, fan-out to browsers, history; how each cost grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from parktwin.bench.child import Failed
from parktwin.bench.live import browsers, mqtt_in, past, people, walk
from parktwin.bench.rows import Row
from twin.errors import TwinError

#: group → how it is measured: (scratch folder, small sizes only) → rows
GROUPS: dict[str, Callable[[Path, bool], list[Row]]] = {
    "state": walk.measure, "mqtt": mqtt_in.measure, "browsers": browsers.measure, "history": past.measure,
    "people": people.measure}


class UnknownGroup(TwinError):
    """There is no such group of rows."""


def measure(scratch: Path, *, only: Sequence[str] = (), quick: bool = False,
            told: Callable[[str], None] = lambda text: None) -> list[Row]:
    """Every row of the groups chosen; a group whose server is not there says so in a row, the rest goes on.

    Args:
        scratch: an empty folder.
        only: names of groups; all when empty.
        quick: small sizes.
        told: hears what is being measured.

    Raises:
        UnknownGroup: a name is none of `GROUPS`.
    """
    for name in only:
        if name not in GROUPS:
            raise UnknownGroup(f"there are no rows '{name}'", mend=f"use some of {', '.join(GROUPS)}")
    rows: list[Row] = []
    for name, group in GROUPS.items():
        if only and name not in only:
            continue
        told(name)
        at = scratch / name
        at.mkdir()
        try:
            rows += group(at, quick)
        except (Failed, OSError) as error:
            rows.append(Row(what=f"{name}: not measured", ours=float("nan"), unit="", note=str(error)))
    return rows
