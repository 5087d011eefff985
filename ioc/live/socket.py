"""`/live`: the handshake, the state on joining, then whatever the hub has for this browser."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from ioc.access.discreet import sees_people
from ioc.access.person import current
from ioc.live.hub import Client, encode, pump, texts_of
from ioc.live.runner import TICK_SECS
from ioc.services import Services
from twin.wire import Channel, Clock, ClockAsk, Hello, Look, Message

_asked = msgspec.json.Decoder(Look | ClockAsk)
TRY_AGAIN = 1013
CHANNELS = frozenset(int(channel) for channel in Channel)


def router(services: Services) -> APIRouter:
    """The route of the live socket."""
    routes = APIRouter()

    @routes.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        client = Client(sees_people=sees_people(current()))
        work = [asyncio.create_task(part) for part in (
            _join(services, client, socket), _listen(services, client, socket), client.overrun.wait())]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            services.hub.clients.discard(client)
            for task in work:
                task.cancel()
            for task in work:
                with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, KeyError):
                    await task
        if client.overrun.is_set():
            with contextlib.suppress(RuntimeError, TimeoutError):  # the line may be dead altogether
                await asyncio.wait_for(socket.close(TRY_AGAIN, "too far behind"), 2.0)

    return routes


async def _listen(services: Services, client: Client, socket: WebSocket) -> None:
    """Until the browser leaves, or the guard closes the socket."""
    while True:
        _hear(services, client, await socket.receive_text())


async def _join(services: Services, client: Client, socket: WebSocket) -> None:
    """Everything as it stands, then everything that changes; nothing falls between the two."""
    blur = None if client.sees_people else services.discretion.places
    core, person, loop = services.runner.core, current(), asyncio.get_running_loop()
    services.hub.clients.add(client)

    def state() -> tuple[tuple[bytes, bytes], list[Message], float]:
        incidents = core.incidents.open() if core.incidents else []
        sent = core.dispatches.live() if core.dispatches else []
        said: list[Message] = [*core.links.values(), *core.alarms(), core.floods.now, *incidents, *sent, services.wall.view(),
                               *([services.replica.servers()] if services.replica is not None else [])]
        if (words := texts_of(core.points, core.points.text_slots, core.state.value)) is not None:
            said.append(words)
        # what was queued up to here is older than this state; what comes later is queued behind this call
        loop.call_soon_threadsafe(client.forget)
        return core.snapshot(blur=blur), said, core.clock.now()

    snapshot, messages, now = await services.runner.call(state)
    hello = Hello(park=services.spec.id, build=str(services.manifest.get("build", "")), user=person.user if person else "",
                  role=person.role if person else "", demo=services.spec.demo, tick_ms=int(TICK_SECS * 1000),
                  server_time_ms=now * 1000, slots=len(services.points))
    await socket.send_text(encode(hello))
    for message in messages:
        await socket.send_text(encode(message if client.sees_people else services.discretion.of(message)))
    for frame in snapshot:
        await socket.send_bytes(frame)
    await pump(client, socket.send_text, socket.send_bytes,
               lambda since: services.runner.call(lambda: core.snapshot(since, blur)))


def _hear(services: Services, client: Client, text: str) -> None:
    """A browser says what it looks at, or asks the time; anything else is ignored."""
    try:
        asked = _asked.decode(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return
    if isinstance(asked, ClockAsk):
        client.say(Clock(asked=asked.asked, server_time_ms=services.runner.core.clock.now() * 1000))
        return
    client.node = asked.node if services.graph.index(asked.node) else "park"
    client.channels = frozenset(asked.channels) & CHANNELS
