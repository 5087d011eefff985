"""`/live/replay`: the frames and messages of `/live`, from the record and with a clock the browser moves.

Disk is read in worker threads, never in the core's; each socket has its own past.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from ioc.access.discreet import sees_people
from ioc.access.person import current
from ioc.live.hub import encode, texts_of
from ioc.services import Services
from overlays.kpis import SCOPES, KpiBoard
from twin.live.frames import overlay_frame, positions_frame, values_frame
from twin.live.own_faults import OWN
from twin.live.tracks import LOST, wire_flags
from twin.live.views import Views
from twin.replay import WINDOW_MS, Changes, Past, ReplayError, range_of
from twin.wire import Hello, Kpi, Kpis, Look, Message, Quality, ReplayAsk, ReplayState

STEP_SECS, FIXES_SECS, PAINT_SECS = 0.2, 1.0, 2.0
SPEEDS = (0.5, 60.0)
_asked = msgspec.json.Decoder(Look | ReplayAsk)


def past_of(services: Services) -> Past:
    """An empty past of the served park."""
    core = services.runner.core
    known = set(core.state.rules.keys)
    return Past(services.history, core.events, period=services.points.period,
                tracks=max((track.i for track in services.tracks), default=-1) + 1, locate=core.tracks.locate,
                keeps=lambda key: key in known or key.startswith(OWN))


def views_of(services: Services) -> Views:
    """Words and places of alarms and commands, of this thread alone."""
    core = services.runner.core
    views = Views(services.points, core.state.rules, services.graph)
    views.fences, views.tracks = dict(core.views.fences), dict(core.views.tracks)
    return views


def scope_of(services: Services, node: str) -> int:
    """The storey, building, zone or park that a node is or is in: what has KPI cards; 0 for a node that is not there."""
    graph, index = services.graph, services.graph.index(node)
    return next((i for i in reversed(graph.path(index)) if graph.columns["kind"][i] in SCOPES), 0) if index else 0


def cards_at(services: Services, board: KpiBoard, views: Views, past: Past, node: int) -> list[Kpi]:
    """The KPI cards of a node as they were, by the code that makes those of now."""
    here = past.present()[past.flags[past.present()] & LOST == 0]
    moment = services.painters.moment_at(past.at_ms / 1000, past.value, past.quality, here, past.node[here])
    alarms = [views.alarm(alarm) for alarm in past.alarms.values() if alarm.is_live]
    return services.painters.cards_of(board, node, moment, alarms)


def router(services: Services) -> APIRouter:
    """The route of the replay socket."""
    routes = APIRouter()

    @routes.websocket("/live/replay")
    async def replay(socket: WebSocket) -> None:
        await socket.accept()
        session = Replay(services, socket)
        work = [asyncio.create_task(part) for part in (session.run(), session.listen())]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            for task in work:
                with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, KeyError):
                    await task

    return routes


class Replay:
    """One browser's replay."""

    def __init__(self, services: Services, socket: WebSocket) -> None:
        self._services, self._socket = services, socket
        self._sees_people = sees_people(current())
        self._past, self._views = past_of(services), views_of(services)
        self._channels: list[int] = []
        self._node = "park"
        self._board = services.painters.board()
        self._is_playing, self._speed = False, 1.0
        self._wanted: float | None = None
        self._range = (0, 0)
        self._told = asyncio.Event()
        self._seq = 0
        self._drawn = np.zeros(0, np.int64)

    async def listen(self) -> None:
        """What the browser asks; anything else is ignored."""
        while True:
            text = await self._socket.receive_text()
            with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
                self._hear(_asked.decode(text))

    def _hear(self, message: Look | ReplayAsk) -> None:
        if isinstance(message, Look):
            self._node = message.node
            self._channels = [channel for channel in message.channels if channel in self._services.painters.paintings]
        else:
            if message.at_ms is not None and np.isfinite(message.at_ms):
                self._wanted = message.at_ms
            if message.is_playing is not None:
                self._is_playing = message.is_playing
            if message.speed is not None and np.isfinite(message.speed):
                self._speed = min(max(message.speed, SPEEDS[0]), SPEEDS[1])
        self._told.set()

    async def run(self) -> None:
        """Until the browser leaves: seek when asked, else let the clock run."""
        person, park = current(), self._services
        try:
            self._range = await asyncio.to_thread(range_of, park.history, park.runner.core.clock.now())
        except ReplayError as error:
            await self._state(fault=f"{error.what}; {error.mend}", fault_zh="还没有任何记录；请等园区实时运行几秒钟后再试")
            await asyncio.Event().wait()
        await self._send(Hello(
            park=park.spec.id, build=str(park.manifest.get("build", "")), user=person.user if person else "",
            role=person.role if person else "", demo=park.spec.demo, tick_ms=int(STEP_SECS * 1000),
            server_time_ms=self._range[1], slots=len(park.points)))
        await self._seek(float(self._range[1]))
        fixes_due = paint_due = 0.0
        before = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), STEP_SECS)
            was_told = self._told.is_set()
            self._told.clear()
            now = time.monotonic()
            took, before = now - before, now
            if self._wanted is not None:
                wanted, self._wanted = self._wanted, None
                await self._seek(wanted)
                before, fixes_due, paint_due = time.monotonic(), 0.0, 0.0
                continue
            if self._is_playing:
                await self._play(took)
            if now >= fixes_due or was_told:
                fixes_due = now + FIXES_SECS
                await self._state()
                await self._fixes(self._past.present())
            if now >= paint_due or was_told:
                paint_due = now + PAINT_SECS
                await self._paint()

    # ---- moving -------------------------------------------------------------------------------------------------
    async def _seek(self, wanted: float) -> None:
        now = self._services.runner.core.clock.now()
        self._range = (self._range[0], int(now * 1000) - 2000)
        first, last = self._range
        fault = fault_zh = ""
        if not first <= wanted <= last:
            side, side_zh = ("before the first record", "早于最早的记录") if wanted < first else ("in the future", "尚未发生")
            fault, fault_zh = f"that moment is {side}", f"这一时刻{side_zh}"
        at = int(min(max(wanted, first), last))
        changes = await asyncio.to_thread(self._past.seek, at, min(at + WINDOW_MS, last))
        self._board = self._board.apart()  # what a board remembers of its day is of the way it came
        await self._state(is_reset=True, fault=fault, fault_zh=fault_zh)
        await self._tell(changes)
        await self._fixes(changes.tracks)
        await self._paint()

    async def _play(self, took: float) -> None:
        past = self._past
        last = int(self._services.runner.core.clock.now() * 1000) - 2000
        self._range = (self._range[0], last)
        target = min(past.at_ms + round(took * 1000 * self._speed), last)
        while past.at_ms < target:
            assert past.record is not None
            if past.at_ms >= past.record.to_ms:
                past.record = await asyncio.to_thread(past.read, past.at_ms, min(past.at_ms + WINDOW_MS, last))
            await self._tell(await asyncio.to_thread(past.step, min(target, past.record.to_ms)))
        if past.at_ms >= last:
            self._is_playing = False
            await self._state(fault="the replay has caught up with the present", fault_zh="回放已追上现在")

    # ---- sending ------------------------------------------------------------------------------------------------
    async def _send(self, message: Message) -> None:
        await self._socket.send_text(encode(message if self._sees_people else self._services.discretion.of(message)))

    async def _state(self, *, is_reset: bool = False, fault: str = "", fault_zh: str = "") -> None:
        digest = "" if self._is_playing or not self._past.at_ms else await asyncio.to_thread(self._past.hash)
        await self._send(ReplayState(
            at_ms=self._past.at_ms, is_playing=self._is_playing, speed=self._speed, first_ms=self._range[0],
            last_ms=self._range[1], is_reset=is_reset, hash=digest, fault=fault, fault_zh=fault_zh))

    async def _tell(self, changes: Changes) -> None:
        views, past = self._views, self._past
        for message in (*(views.alarm(alarm) for alarm in changes.alarms), *changes.incidents,
                        *(views.command(command) for command in changes.commands), *changes.dispatches, *changes.trail):
            await self._send(message)
        slots = changes.slots[past.quality[changes.slots] != Quality.NEVER]
        if len(slots):
            if (said := texts_of(self._services.points, slots, past.value)) is not None:
                await self._send(said)
            self._seq += 1
            await self._socket.send_bytes(values_frame(slots, past.value[slots], past.age_ms(slots), past.quality[slots],
                                                       seq=self._seq, server_time_ms=past.at_ms))

    async def _fixes(self, present: NDArray[np.int64]) -> None:
        """Who is there now, and with NaN who was before and is no longer."""
        past = self._past
        gone, self._drawn = np.setdiff1d(self._drawn, present), present
        tracks = np.concatenate([present, gone])
        self._seq += 1
        xyz, node, heading = past.xyz[tracks].astype(np.float64), past.node[tracks], past.heading[tracks]
        xyz[len(present):] = np.nan
        if not self._sees_people:
            (xyz, node), heading = self._services.discretion.places(xyz, node), np.zeros_like(heading)
        await self._socket.send_bytes(positions_frame(
            tracks, xyz, heading, node, wire_flags(past.flags[tracks], past.spread[tracks]), seq=self._seq,
            server_time_ms=past.at_ms))

    async def _paint(self) -> None:
        past, here = self._past, self._past.present()
        if index := scope_of(self._services, self._node):
            await self._send(Kpis(node=str(self._services.graph.columns["id"][index]), cards=await asyncio.to_thread(
                cards_at, self._services, self._board, self._views, past, index)))
        for channel in self._channels:
            nodes, values = await asyncio.to_thread(
                self._services.painters.paint_of, channel, past.at_ms / 1000, past.value, past.quality, here, past.node[here])
            self._seq += 1
            await self._socket.send_bytes(overlay_frame(channel, nodes, values, seq=self._seq, server_time_ms=past.at_ms))
