"""Fan-out: every tick is encoded once in the core's thread; the same bytes go to every browser.

Alarms, commands, trail and links are kept for each client until they are sent. Values are not: a client that lags
loses its waiting frames and gets one union of what changed since, as soon as it can take it. A client that does not even
take its texts is let go past a bound: it joins again and gets everything as it stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.registry import PointTable
from twin.wire import Message, Texts

MAX_WAITING = 4
MAX_TEXT_CHARS = 4_000_000
_encoder = msgspec.json.Encoder()


def encode(message: Message) -> str:
    """A JSON message as text."""
    return _encoder.encode(message).decode()


def texts_of(points: PointTable, slots: NDArray[np.integer], value: NDArray[np.float64]) -> Texts | None:
    """What the text points among some slots say, for browsers; None where there are none."""
    if not len(points.text_slots):
        return None
    said = points.texts.known(value[np.intersect1d(slots, points.text_slots)])
    return Texts(codes=list(said), texts=list(said.values())) if said else None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one tick has: texts never dropped; frames that may be, for everyone, by overlay channel or by node looked at.

    `since` is the tick up to which everyone had everything before this one.
    """

    seq: int
    texts: tuple[str, ...]
    frames: tuple[bytes, ...]
    overlays: dict[int, bytes] = field(default_factory=dict)
    views: dict[str, bytes] = field(default_factory=dict)
    since: int = -1
    #: (texts and a frame) about people, for whoever may follow them, and for all others
    people: tuple[tuple[str, ...], tuple[bytes, ...]] = ((), ())
    crowd: tuple[tuple[str, ...], tuple[bytes, ...]] = ((), ())


class Client:
    """One browser's outbox."""

    def __init__(self, *, sees_people: bool = False) -> None:
        self.sees_people = sees_people
        self.node = "park"
        self.channels: frozenset[int] = frozenset()
        self.texts: deque[str] = deque()
        self.frames: deque[bytes] = deque()
        self.lag_since: int | None = None
        self._had = -1
        self.wake = asyncio.Event()
        self.overrun = asyncio.Event()
        self.waiting_chars = 0

    def put(self, out: Outgoing) -> None:
        """Queue a tick; a client that is behind only remembers since when."""
        texts, frames = out.people if self.sees_people else out.crowd
        self._queue((*out.texts, *texts))
        if self.overrun.is_set():
            return
        if not self.frames:
            self._had = out.since
        if self.lag_since is None and len(self.frames) >= MAX_WAITING:
            self.frames.clear()
            self.lag_since = self._had
        if self.lag_since is None:
            self.frames.extend((*out.frames, *frames))
            if self.node in out.views:
                self.frames.append(out.views[self.node])
            self.frames.extend(frame for channel, frame in out.overlays.items() if channel in self.channels)
        self.wake.set()

    def next_text(self) -> str:
        """The oldest text that waits, taken off."""
        text = self.texts.popleft()
        self.waiting_chars -= len(text)
        return text

    def forget(self) -> None:
        """Drop everything that waits."""
        self.texts.clear()
        self.frames.clear()
        self.waiting_chars = 0

    def say(self, message: Message) -> None:
        """Queue one message for this client alone."""
        self._queue((encode(message),))
        self.wake.set()

    def _queue(self, texts: tuple[str, ...]) -> None:
        self.texts.extend(texts)
        self.waiting_chars += sum(map(len, texts))
        if self.waiting_chars > MAX_TEXT_CHARS:
            self.forget()
            self.overrun.set()


class Hub:
    """The clients of one server; lives on the server's loop."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.dropped = 0
        #: what those get of a message who may not follow people
        self.discreet: Callable[[Message], Message] = lambda message: message

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop clients live on."""
        self._loop = loop

    def publish(self, out: Outgoing) -> None:
        """From the core's thread: hand a tick over."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, out)

    def tell(self, message: Message) -> None:
        """From any thread: one message to everyone, never dropped."""
        def deliver() -> None:
            crowd = self.discreet(message) if self.has_crowd else message
            for client in self.clients:
                client.say(message if client.sees_people else crowd)
            self._let_go()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)

    def rejoin(self) -> None:
        """From any thread: let every browser go; it joins again and gets everything as it stands."""
        def let_go() -> None:
            for client in self.clients:
                client.overrun.set()
            self._let_go()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(let_go)

    @property
    def has_crowd(self) -> bool:
        """Whether any browser's person may not follow people."""
        return any(not client.sees_people for client in list(self.clients))

    def wanted_channels(self) -> frozenset[int]:
        """Overlay channels anyone looks at."""
        return frozenset().union(*(client.channels for client in list(self.clients)))

    def looked_at(self) -> frozenset[str]:
        """Node ids anyone looks at."""
        return frozenset(client.node for client in list(self.clients))

    def _deliver(self, out: Outgoing) -> None:
        for client in self.clients:
            was = client.lag_since
            client.put(out)
            self.dropped += was is None and client.lag_since is not None
        self._let_go()

    def _let_go(self) -> None:
        self.clients = {client for client in self.clients if not client.overrun.is_set()}


async def pump(client: Client, send_text: Callable[[str], Awaitable[None]], send_bytes: Callable[[bytes], Awaitable[None]],
               catch_up: Callable[[int], Awaitable[tuple[bytes, bytes]]]) -> None:
    """Send what waits, for ever. Only this client waits when its line is slow."""
    while True:
        await client.wake.wait()
        client.wake.clear()
        while client.texts:
            await send_text(client.next_text())
        while client.frames:
            await send_bytes(client.frames.popleft())
        if client.lag_since is not None:
            since, client.lag_since = client.lag_since, None
            for frame in await catch_up(since):
                await send_bytes(frame)
