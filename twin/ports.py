"""The seams: what a connector, a clock and a sink must be."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

#: Who started the drill that a fresh demo park is given as a sample; nobody signs in under such a name.
SAMPLE = "sample:drill"


class Clock(Protocol):
    """Now, in seconds since 1970 UTC."""

    def now(self) -> float:
        """The present instant of this clock."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970 UTC."""
        return time.time()


@dataclass(frozen=True, slots=True)
class Readings:
    """A batch: slot u32[n], value f64[n] (states by number), quality u8[n], source time f64[n] (seconds)."""

    slot: NDArray[np.uint32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    source_time: NDArray[np.float64]

    @classmethod
    def joined(cls, batches: Sequence[Readings]) -> Readings:
        """Batches one behind the other."""
        if len(batches) == 1:
            return batches[0]
        return cls(np.concatenate([b.slot for b in batches] or [np.zeros(0, np.uint32)]),
                   np.concatenate([b.value for b in batches] or [np.zeros(0)]),
                   np.concatenate([b.quality for b in batches] or [np.zeros(0, np.uint8)]),
                   np.concatenate([b.source_time for b in batches] or [np.zeros(0)]))


@dataclass(frozen=True, slots=True)
class Positions:
    """A batch of fixes: track u32[n], xyz f64[n,3] in the park frame, heading_rad f32[n], source time f64[n].

    `accuracy` f32[n]: one standard deviation in metres, 0 for exact; None: all are.
    """

    track: NDArray[np.uint32]
    xyz: NDArray[np.float64]
    heading: NDArray[np.float32]
    source_time: NDArray[np.float64]
    accuracy: NDArray[np.float32] | None = None

    def sigma(self) -> NDArray[np.float32]:
        """f32[n] accuracy of every fix, metres."""
        return np.zeros(len(self.track), np.float32) if self.accuracy is None else self.accuracy

    def of(self, rows: NDArray) -> Positions:
        """Some of them, by mask or row."""
        return Positions(self.track[rows], self.xyz[rows], self.heading[rows], self.source_time[rows], self.sigma()[rows])


@dataclass(frozen=True, slots=True)
class Shown:
    """What was made of fixes: xyz f64[n,3] (park frame; NaN: came too late to be shown), spread f64[n] (m, one sigma)."""

    xyz: NDArray[np.float64]
    spread: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOrder:
    """What a device is told to do. Times are seconds since 1970 UTC; the id makes a repeat harmless."""

    id: str
    device: str
    key: str
    args: dict[str, float | str]
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOrder:
    """Where a person is told to go. `route` is in park metres; `expires` seconds since 1970 UTC; no route: released."""

    id: str
    track: int
    person: str
    node: str
    reason: str
    route: tuple[tuple[float, float, float], ...]
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAck:
    """A device's answer to an order; a person's to a dispatch, with the track's id as `device`."""

    id: str
    device: str
    accepted: bool
    note: str = ""


class Sink(Protocol):
    """Where a connector puts what it heard; safe to call from the core's loop only.

    `lose`: the way to these slots is down, what they last said is no longer known to hold. `link`: the connector's own
    line came up or went down.
    """

    def ingest(self, readings: Readings) -> None: ...
    def move(self, positions: Positions) -> None: ...
    def acknowledge(self, ack: CommandAck) -> None: ...
    def lose(self, slots: NDArray[np.integer]) -> None: ...
    def link(self, connector: str, is_live: bool, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInfo:
    """A person or vehicle that may send fixes; `i` is its dense number on the wire."""

    i: int
    id: str
    kind: Literal["person", "vehicle"]
    name: str
    name_zh: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentInfo:
    """A scripted incident a live source can play."""

    key: str
    name: str
    name_zh: str
    running: bool


class Drills(Protocol):
    """A live source that can play incidents; called in the core's thread."""

    def incidents(self) -> Sequence[IncidentInfo]: ...
    def start_incident(self, key: str) -> None: ...
    def stop_incident(self, key: str) -> None: ...


class Connector(Protocol):
    """One way into the field. `run` returns only when cancelled; it reconnects by itself.

    `refused` counts what it could not use, by reason. `reaches` says whether orders to a device can go this way.
    """

    name: str

    @property
    def refused(self) -> Counter[str]: ...
    def reaches(self, device: str) -> bool: ...
    async def run(self, sink: Sink) -> None: ...
    async def send(self, order: CommandOrder) -> None: ...
    async def dispatch(self, order: DispatchOrder) -> None: ...
