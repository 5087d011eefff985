"""HTTP in: batches somebody posts to `/api/v1/ingest`. Nobody is connected to, so the line is up while batches come."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter, deque
from concurrent.futures import Future
from pathlib import Path

import msgspec

from connectors.bindings import Binding, Bindings
from connectors.credentials import password_of
from connectors.field import FieldConnector
from connectors.places import Fix, Places
from twin.finding import Finding
from twin.park import SourceSpec
from twin.registry import PointTable

MAX_WAITING = 200_000
QUIET_SECS = 60.0
SHORTEST_TOKEN = 20
DRAIN_SECS = 0.02
_MILLISECONDS = 1000.0
_UNKNOWN, _UNUSABLE = "unknown point", "not a value of its point"
Value = float | str | bool | list[float | None] | None


class Batch(msgspec.Struct):
    """Values of one instant (`ts`, ms since 1970 UTC; now where it is left out): by device and point, or by address;
    `p`: places of people and vehicles."""

    ts: float = 0.0
    d: dict[str, dict[str, Value]] = {}
    a: dict[str, Value] = {}
    p: list[Fix] = []


class Full(Exception):
    """More is waiting than the core has taken; come again later."""


_batches = msgspec.json.Decoder(Batch | list[Batch])  # type: ignore[arg-type]


class HttpInConnector(FieldConnector):
    """What a token lets in. `put` may be called from any thread; everything else runs in the core's."""

    def __init__(self, source: SourceSpec, root: Path, points: PointTable, bindings: Bindings,
                 places: Places | None = None) -> None:
        super().__init__(source.id, points, bindings)
        self._places = places or Places(())
        self.findings += self._places.findings
        self._token = password_of(source, root).encode()
        if len(self._token) < SHORTEST_TOKEN:
            self.findings.append(Finding("error", f"source '{source.id}' has no token of {SHORTEST_TOKEN} letters or more",
                                         f"park.toml:{source.line}", 'write password = "env:NAME" or "file:PATH"'))
            self._token = b""
        self._by_address = {row.address: row for row in bindings.rows}
        self._waiting: deque[tuple[list[Batch], int, Future[tuple[int, dict[str, int]]]]] = deque()
        self._posted = self._taken = 0  # each is written in one thread only
        self.quiet_secs = max(QUIET_SECS, 3 * source.poll_secs)

    def lets_in(self, token: bytes) -> bool:
        """Whether a token is this source's; a source without one lets nobody in."""
        return bool(self._token) and hmac.compare_digest(token, self._token)

    @property
    def waiting(self) -> int:
        """Values posted that the core has not taken yet."""
        return self._posted - self._taken

    def put(self, body: bytes) -> Future[tuple[int, dict[str, int]]]:
        """Queue a body; the future gives (values taken, refused by reason) once the core has them.

        Raises:
            Full: too much is waiting.
            ValueError: the body is no batch.
        """
        found = _batches.decode(body)
        batches = found if isinstance(found, list) else [found]
        count = sum(len(batch.a) + len(batch.p) + sum(map(len, batch.d.values())) for batch in batches)
        if self.waiting and self.waiting + count > MAX_WAITING:
            raise Full
        done: Future[tuple[int, dict[str, int]]] = Future()
        self._posted += count
        self._waiting.append((batches, count, done))
        return done

    async def talk(self) -> None:
        """Take what is posted until nothing has come for a while."""
        heard = time.monotonic()
        while time.monotonic() - heard < self.quiet_secs:
            while self._waiting:
                self.up("batches come")
                batches, count, done = self._waiting.popleft()
                heard = time.monotonic()
                self._taken += count
                result = self._take(batches)
                self._hand_over()
                if done.set_running_or_notify_cancel():  # who posted may have given up; it is taken all the same
                    done.set_result(result)
            await asyncio.sleep(DRAIN_SECS)
        raise TimeoutError(f"no batch for {self.quiet_secs:g} s")

    def _take(self, batches: list[Batch]) -> tuple[int, dict[str, int]]:
        taken, wrong = 0, Counter[str]()

        def misplaced(reason: str, example: object) -> None:
            wrong[reason] += 1
            self.misplaced(reason, example)

        for batch in batches:
            rows = [row for device, values in batch.d.items() for key, value in values.items()
                    for row in self._named(device, key, value)]
            rows += [(self._by_address.get(address), value) for address, value in batch.a.items()]  # type: ignore[misc]
            for binding, value in rows:
                if binding is None:
                    wrong[_UNKNOWN] += 1
                    self.refuse(_UNKNOWN)
                    continue
                wrong[_UNUSABLE] += value is not None and bool(binding.reading_of(value)[1])
                self.hear(binding, value, batch.ts / _MILLISECONDS)
                taken += 1
            positions = self._places.take(batch.p, batch.ts / _MILLISECONDS or time.time(), misplaced) if batch.p else None
            self.doubted(self._places.doubt)
            if positions is not None and self._sink is not None:
                self._sink.move(positions)
                taken += len(positions.track)
        return taken, {reason: count for reason, count in wrong.items() if count}

    def _named(self, device: str, key: str, value: Value) -> list[tuple[Binding | None, object]]:
        """A point by its own name, with its value; the three parts of a position."""
        found = self.points.heard(device, key, value)
        return [(Binding(slot=slot, device=device, spec=self.points.spec[slot], address="", texts=self.points.texts), part)
                for slot, part in found] or [(None, value)]
