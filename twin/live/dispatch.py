"""The dispatch desk: who is near on foot, who was sent where, and who got there."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from twin.database import StoreDown
from twin.dispatch import (
    AGAIN,
    DispatchError,
    again,
    on_ack,
    on_fix,
    on_time,
    order_of,
    release_of,
    step,
    time_for,
)
from twin.events import DISPATCH_LIVE, EventStore, Note, Records
from twin.live.tracks import LOST, TrackStore
from twin.live.views import Views
from twin.ports import CommandAck, DispatchOrder, TrackInfo
from twin.reach import Reach
from twin.wire import DispatchView, TrailEntry

_log = logging.getLogger(__name__)
WORDS = {"requested": ("asked for", "已请求"), "sent": ("sent", "已派出"), "accepted": ("accepted", "已接受"),
         "arrived": ("is there, by position", "定位确认到场"), "refused": ("refused", "拒绝"),
         "expired": ("not there in time", "未按时到场"), "released": ("released", "已撤回")}
REMARKS_ZH = {AGAIN: "重新下达", "incident closed": "事件已结束", "not at the place in time": ""}
#: how long a restarted desk waits for a fix of somebody who was on the way
RESUME_SECS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A person who could go, and the metres to walk."""

    track: TrackInfo
    metres: float
    is_busy: bool


class DispatchDesk:
    """Dispatches of one running core. One thread uses it.

    Args:
        events: where every step is written first.
        tracks: where everybody is; `people` who they are.
        reach: distances and ways.
    """

    def __init__(self, events: EventStore, tracks: TrackStore, people: Sequence[TrackInfo], views: Views,
                 reach: Reach) -> None:
        self._events, self._tracks, self._views, self.reach = events, tracks, views, reach
        self.people = {info.i: info for info in people}
        self._changed: list[DispatchView] = []
        self._trail: list[TrailEntry] = []
        self._orders: list[DispatchOrder] = []
        self.restore()

    def restore(self) -> None:
        """Every dispatch under way as it stands on record; what was to be sent from here is not. Raises StoreDown."""
        self._live = {dispatch.id: dispatch for dispatch in self._events.live_dispatches()}
        self._unsure: dict[str, float | None] = dict.fromkeys(self._live)  # since when; None: since the next tick
        self._orders = []

    def mirror(self, dispatches: Sequence[DispatchView]) -> None:
        """Show what another server put on record."""
        self._changed += dispatches
        self._live.update({dispatch.id: dispatch for dispatch in dispatches})
        self._live = {key: dispatch for key, dispatch in self._live.items() if dispatch.state in DISPATCH_LIVE}

    def live(self) -> list[DispatchView]:
        """Every dispatch under way or at its place."""
        return list(self._live.values())

    def candidates(self, node: int, role: str = "guard", limit: int = 8) -> list[Candidate]:
        """People of a role who are in the park now, the nearest on foot first; those on their way are busy."""
        rows = [int(i) for i in self._tracks.present() if (info := self.people.get(int(i))) is not None
                and info.kind == "person" and info.role == role and not self._tracks.flags[i] & LOST]
        metres = self.reach.people(node, self._tracks.xyz[rows])
        busy = {dispatch.track for dispatch in self._live.values()}
        found = [Candidate(track=self.people[i], metres=float(m), is_busy=i in busy)
                 for i, m in zip(rows, metres, strict=True) if np.isfinite(m)]
        return sorted(found, key=lambda c: (c.is_busy, c.metres, c.track.id))[:limit]

    def request(self, *, person: str, role: str, node: int, reason: str, incident: int, by: str, now: float) -> DispatchView:
        """Send somebody: a named person, else the nearest of a role.

        Raises:
            DispatchError: nobody can go, or the reason is missing.
        """
        if len(reason.strip()) < 2:
            raise DispatchError("a dispatch needs a reason", mend="say in 'reason' what to do there",
                                code="dispatch.no_reason")
        info = self._chosen(person, role, node)
        way = self.reach.way(self._tracks.xyz[info.i], node)
        if way is None:
            raise DispatchError(f"no way is known from {info.id} to that place", mend="send somebody else",
                                code="dispatch.no_way", fill={"person": info.id})
        route, metres = way
        place, place_zh, _ = self._views.place_of(node)
        made = DispatchView(
            id=secrets.token_hex(6), incident=incident, track=info.i, person=info.id, name=info.name,
            name_zh=info.name_zh or info.name, role=info.role, node=node, place=place, place_zh=place_zh,
            reason=reason.strip(), by=by, state="requested", metres=round(metres, 1), route=route,
            steps=[("requested", now * 1000, "")], expires_ms=(now + time_for(metres)) * 1000)
        self._keep(made, now)
        return made

    def release(self, dispatch_id: str, *, now: float, note: str = "") -> DispatchView:
        """It is over: the person goes back to what they did.

        Raises:
            DispatchError: no live dispatch has this id.
        """
        dispatch = self._live.get(dispatch_id)
        if dispatch is None:
            raise DispatchError(f"no dispatch '{dispatch_id}' is under way", mend="read the list again",
                                code="dispatch.over")
        after = step(dispatch, "released", now * 1000, note)
        self._keep(after, now)
        self._orders.append(release_of(dispatch, self._node_id(dispatch.node)))
        return after

    def acknowledge(self, ack: CommandAck, now: float) -> bool:
        """A person's answer; whether it was one."""
        dispatch = self._live.get(ack.id)
        if dispatch is None or dispatch.person != ack.device:
            return dispatch is not None
        after = on_ack(dispatch, ack, now * 1000)
        if after is not dispatch:
            self._keep(after, now)
        return True

    def tick(self, now: float) -> list[DispatchView]:
        """Send, prove by position, expire; gives those that arrived."""
        arrived = []
        try:
            for dispatch in list(self._live.values()):
                after = self._resumed(dispatch, now) if dispatch.id in self._unsure else self._stepped(dispatch, now)
                if after is dispatch:
                    continue
                self._keep(after, now)
                if after.state == "sent":
                    self._orders.append(order_of(after, self._node_id(after.node)))
                if after.state == "arrived":
                    arrived.append(after)
        except StoreDown as error:  # nothing has become true, the next tick tries again
            _log.debug("dispatches wait: %s", error)
        return arrived

    def line_back(self) -> None:
        """The line to the field was down: an order nobody answered may never have been heard."""
        self._unsure.update({d.id: None for d in self._live.values() if d.state == "sent" and d.id not in self._unsure})

    def _stepped(self, dispatch: DispatchView, now: float) -> DispatchView:
        """By position first: who is there late is there."""
        i = dispatch.track
        if i < len(self._tracks.source):
            dispatch = on_fix(dispatch, self._tracks.xyz[i], float(self._tracks.source[i]) * 1000)
        return on_time(dispatch, now * 1000)

    def _resumed(self, dispatch: DispatchView, now: float) -> DispatchView:
        """Somebody who was sent before a restart: nothing is decided until a fix of them, or its time is over."""
        since = self._unsure[dispatch.id]
        if since is None:
            self._unsure[dispatch.id] = since = now
        i = dispatch.track
        is_seen = i < len(self._tracks.source) and self._tracks.received[i] >= since and self._tracks.source[i] > 0
        if not is_seen and now < since + RESUME_SECS:
            return dispatch
        del self._unsure[dispatch.id]
        here, at = (self._tracks.xyz[i], float(self._tracks.source[i]) * 1000) if is_seen else (None, 0.0)
        way = self.reach.way(here, dispatch.node) if here is not None else None
        if here is None or way is None or on_fix(step(dispatch, "sent", 0.0), here, at).state == "arrived":
            return self._stepped(dispatch, now)
        if dispatch.state == "arrived":  # they were there, that stays true; they are only called back
            self._orders.append(order_of(replace(dispatch, route=way[0]), self._node_id(dispatch.node)))
            return dispatch
        return again(dispatch, way, now * 1000)

    def drain(self) -> tuple[list[DispatchOrder], list[DispatchView], list[TrailEntry]]:
        """Orders, dispatches that changed and trail lines since the last drain."""
        out = self._orders, self._changed, self._trail
        self._orders, self._changed, self._trail = [], [], []
        return out

    def _chosen(self, person: str, role: str, node: int) -> TrackInfo:
        if person:
            info = next((p for p in self.people.values() if p.id == person), None)
            if info is None or info.i not in self._tracks.present():
                raise DispatchError(f"'{person}' is not in the park now", mend="choose somebody of the list",
                                    code="dispatch.absent", fill={"person": person})
            if any(d.track == info.i for d in self._live.values()):
                raise DispatchError(f"'{person}' is already sent somewhere", mend="release them first",
                                    code="dispatch.busy", fill={"person": person})
            return info
        free = [c for c in self.candidates(node, role) if not c.is_busy]
        if not free:
            raise DispatchError(f"no {role} is free and has a way there", mend="release one, or send somebody by name",
                                code="dispatch.nobody", fill={"role": role})
        return free[0].track

    def _node_id(self, node: int) -> str:
        return str(self.reach.graph.columns["id"][node]) if node else ""

    def _keep(self, dispatch: DispatchView, now: float) -> None:
        word, word_zh = WORDS[dispatch.state]
        state, _, remark = dispatch.steps[-1]
        subject = f"incident:{dispatch.incident}" if dispatch.incident else f"dispatch:{dispatch.id}"
        who = dispatch.by if state in ("requested", "sent", "released") else dispatch.person
        why, remark_zh = f" ({remark})" if remark else "", REMARKS_ZH.get(remark, remark)
        why_zh = f"（{remark_zh}）" if remark_zh else ""
        note = Note(time=now, who=who, what=f"dispatch.{state}", subject=subject, node=dispatch.node,
                    text=f"{dispatch.name} → {dispatch.place} ({dispatch.metres:.0f} m): {word}{why}",
                    text_zh=f"{dispatch.name_zh} → {dispatch.place_zh}（步行 {dispatch.metres:.0f} m）：{word_zh}{why_zh}")
        self._trail += self._events.write(Records(dispatches=[dispatch], notes=[note]))
        self._changed.append(dispatch)
        if dispatch.state in DISPATCH_LIVE:
            self._live[dispatch.id] = dispatch
        else:
            self._live.pop(dispatch.id, None)
