"""What is shown of noisy fixes: steadied by a Kalman filter, then kept from going through walls.

A track is in one room at a time. It may step freely there; where the filter puts it into another room, the fixes must
say so long enough (a CUSUM test on their distance to the room: the longer the way there on foot, the more) and it then
goes there by the doors, no faster than people run. Until then it is shown in its room, where the filter comes nearest.
Fixes of accuracy 0 are shown as they are. History keeps both: what came and what was shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.indoors import FARTHEST_M, Indoors
from twin.live.smoothing import Kalman
from twin.ports import Positions

Places = NDArray[np.float64]  # (n, 3) park metres
Numbers = NDArray[np.float64]  # (n,)
RUN_M_S = 4.0
#: Evidence (log-likelihood) wanted before a track leaves its room: at once, and a metre of the way there.
EVIDENCE, EVIDENCE_A_METRE, MOST_EVIDENCE = 0.2, 0.06, 6.0
#: A track so many metres (or standard deviations) from the filter for so many fixes is lost, and begins anew there.
LOST_M, LOST_SIGMAS, LOST_FIXES = 6.0, 3.0, 6
UNKNOWN = -2  # a room not known yet


@dataclass(frozen=True, slots=True)
class Steady:
    """Fixes as shown: places, one standard deviation (m) and node (-1: to be found by place), in the order given.

    `is_late`: of a noisy fix not newer than the last of its track, which tells nothing; its place is where the track is.
    """

    fixes: Positions
    spread: NDArray[np.float64]
    node: NDArray[np.int64]
    is_late: NDArray[np.bool_]


class Steadier:
    """Keeps what was shown of every track. One thread uses it.

    Args:
        indoors: rooms and doors; None: fixes are steadied only.
    """

    def __init__(self, indoors: Indoors | None = None) -> None:
        self.indoors = indoors if indoors is not None and len(indoors) else None
        self._kalman = Kalman()
        self._shown = np.full((0, 3), np.nan)
        self._time = np.zeros(0)
        self._room = np.zeros(0, np.int64)
        self._evidence = np.zeros(0)
        self._astray = np.zeros(0, np.int64)

    def step(self, fixes: Positions) -> Steady:
        """Take fixes in any order; of one track and time the first counts."""
        sigma = fixes.sigma().astype(np.float64)
        spread, node, is_late = np.zeros(len(sigma)), np.full(len(sigma), -1, np.int64), np.zeros(len(sigma), np.bool_)
        noisy = np.flatnonzero(sigma > 0)
        if not len(noisy):
            return Steady(fixes, spread, node, is_late)
        xyz = fixes.xyz.astype(np.float64, copy=True)
        waiting = noisy[np.lexsort((fixes.source_time[noisy], fixes.track[noisy]))]
        while len(waiting):
            track = fixes.track[waiting]
            first = np.append(True, track[1:] != track[:-1])
            rows, waiting = waiting[first], waiting[~first]
            track = fixes.track[rows].astype(np.int64)
            is_late[rows] = fixes.source_time[rows] <= self._last(track)
            xyz[rows], spread[rows], node[rows] = self._round(track, fixes.xyz[rows], fixes.source_time[rows], sigma[rows])
        return Steady(Positions(fixes.track, xyz, fixes.heading, fixes.source_time, fixes.sigma()), spread, node,
                      is_late)

    def forget(self, tracks: NDArray[np.int64]) -> None:
        """Keep nothing of these tracks."""
        known = tracks[tracks < len(self._time)]
        self._shown[known], self._time[known], self._room[known] = np.nan, -np.inf, UNKNOWN
        self._evidence[known], self._astray[known] = 0.0, 0
        self._kalman.forget(tracks)

    # ---- inside -------------------------------------------------------------------------------------------------
    def _round(self, track: NDArray[np.int64], raw: Places, time: Numbers, sigma: Numbers,
               ) -> tuple[Places, Numbers, NDArray[np.int64]]:
        """One fix of each of several tracks; those not newer than the last are shown where the track is."""
        newer = time > self._last(track)
        late = ~newer
        spread, node = sigma.copy(), np.full(len(track), -1, np.int64)
        shown = raw.copy()
        if late.any():
            shown[late] = self._shown[track[late]]
        rows = np.flatnonzero(newer)
        if len(rows):
            who = track[rows]
            dt = time[rows] - self._time[who]
            place, spread[rows], begins = self._kalman.step(who, raw[rows], time[rows], sigma[rows])
            self._time[who] = time[rows]
            if self.indoors is None:
                self._shown[who] = place
            else:
                self._room[who[begins]] = UNKNOWN
                self._walk(self.indoors, who, place, raw[rows], sigma[rows], np.minimum(dt, 60.0))
            shown[rows] = self._shown[who]
        if self.indoors is not None:
            room = self._room[track]
            node[:] = np.where(room >= 0, self.indoors.node[room.clip(min=0)].astype(np.int64), -1)
        return shown, spread, node

    def _last(self, track: NDArray[np.int64]) -> Numbers:
        """f64 (n,) source time of the last fix that counted of tracks, -inf for none."""
        self._grow(int(track.max()) + 1)
        return self._time[track]

    def _walk(self, indoors: Indoors, who: NDArray[np.int64], place: Places, raw: Places, sigma: Numbers,
              dt: Numbers) -> None:
        """Move what is shown of tracks towards where the filter has them."""
        there = indoors.room_at(place)
        is_new = (self._room[who] == UNKNOWN) | (self._astray[who] >= LOST_FIXES)
        if is_new.any():
            self._begin(indoors, who[is_new], place[is_new], sigma[is_new])
        room = self._room[who]
        home = (there == room) | ((there < 0) & (room >= 0))  # in its room, in a wall, or perhaps outdoors
        near = np.zeros(len(who))
        off = room >= 0
        near[off] = indoors.distance(room[off], raw[off])
        here = indoors.room_at(raw) == room
        say = np.where(off, near, np.where(here, 0.0, sigma)) ** 2 / (2 * sigma**2)
        evidence = np.where(here, self._evidence[who] * 0.5, self._evidence[who] + say)
        self._evidence[who] = np.where((there == room) & here, 0.0, np.minimum(evidence, MOST_EVIDENCE))
        target = place.copy()
        held = off & (there != room)
        target[held] = indoors.inside(room[held], place[held])
        start = self._shown[who]
        least = EVIDENCE + EVIDENCE_A_METRE * np.linalg.norm(place - start, axis=1)
        leaves = (there != room) & (self._evidence[who] >= np.minimum(least, MOST_EVIDENCE))
        leaves &= ~home | (near > sigma)  # in a wall: it stays; well outdoors: it goes
        stays = ~leaves & ~is_new
        rows = np.flatnonzero(stays)
        free = rows[indoors.is_clear(room[rows], start[rows], target[rows])]
        self._shown[who[free]] = target[free]
        self._shown[who[free], 2] = target[free, 2]
        blocked = np.setdiff1d(rows, free, assume_unique=True)
        for k in blocked.tolist():
            if room[k] >= 0:
                self._go(indoors, int(who[k]), target[k], int(room[k]), float(dt[k]), at_once=True)
        for k in np.flatnonzero(leaves).tolist():
            self._go(indoors, int(who[k]), place[k], int(there[k]), float(dt[k]), at_once=False)
        far = np.linalg.norm(self._shown[who] - place, axis=1) > np.maximum(LOST_M, LOST_SIGMAS * sigma)
        self._astray[who] = np.where(far, self._astray[who] + 1, 0)

    def _begin(self, indoors: Indoors, who: NDArray[np.int64], place: Places, sigma: Numbers) -> None:
        """Tracks just heard of, or lost: in the nearest room, if it is near enough."""
        room = indoors.nearest(place, 1.5 * sigma)
        shown, inner = place.copy(), room >= 0
        shown[inner] = indoors.inside(room[inner], place[inner])
        self._room[who], self._shown[who], self._evidence[who], self._astray[who] = room, shown, 0.0, 0

    def _go(self, indoors: Indoors, track: int, target: NDArray[np.float64], goal: int, dt: float, *, at_once: bool) -> None:
        """One straight step of the way to a place in a room: as far along it as can be seen and run."""
        start, room = self._shown[track].copy(), int(self._room[track])
        evidence = self._evidence[track]
        is_sure = at_once or evidence >= MOST_EVIDENCE
        found = indoors.way(start, room, target, goal, FARTHEST_M if is_sure else (evidence - EVIDENCE) / EVIDENCE_A_METRE)
        if found is None:  # nobody knows a way (a room without a door): it is where the fixes are, once they insist
            if is_sure and not at_once:
                self._settle(track, target, goal)
            return
        rows, _ = found
        stops = np.vstack([indoors.walk.xyz[rows], target])
        stops[:-1, 2] += np.clip(target[2] - indoors.z0[goal], 0.0, 2.0) if goal >= 0 else 0.0
        clear = indoors.is_clear(np.full(len(stops), room), np.repeat(start[None], len(stops), axis=0), stops)
        far = np.linalg.norm(stops - start, axis=1)
        ahead = np.flatnonzero(clear & (far > 1e-6))
        k = int(ahead[-1]) if len(ahead) else 0
        stop, is_last = stops[k], k == len(stops) - 1
        reach = RUN_M_S * max(dt, 0.2)
        if far[k] > reach:
            self._shown[track] = start + (stop - start) * reach / far[k]
            return
        self._shown[track] = stop
        entered = goal if is_last else self._room_after(indoors, rows, k, room, goal)
        if entered != room:
            self._room[track] = entered
        if entered == goal:
            self._evidence[track] = 0.0

    def _room_after(self, indoors: Indoors, rows: list[int], k: int, room: int, goal: int) -> int:
        """The room one is in at a row of a way: its own, or at a door the one behind it."""
        own = indoors.room_of_row(rows[k])
        if own >= 0:
            return own
        for row in rows[k + 1:]:
            following = indoors.room_of_row(row)
            if following >= 0 and following != room:
                return following
            if indoors.walk.kind[row] == "road":
                return -1
        return goal

    def _settle(self, track: int, target: NDArray[np.float64], goal: int) -> None:
        self._shown[track], self._room[track], self._evidence[track] = target, goal, 0.0

    def _grow(self, size: int) -> None:
        extra = size - len(self._time)
        if extra > 0:
            extra = max(extra, len(self._time), 64)
            self._shown = np.vstack([self._shown, np.full((extra, 3), np.nan)])
            self._time = np.concatenate([self._time, np.full(extra, -np.inf)])
            self._room = np.concatenate([self._room, np.full(extra, UNKNOWN)])
            self._evidence = np.concatenate([self._evidence, np.zeros(extra)])
            self._astray = np.concatenate([self._astray, np.zeros(extra, np.int64)])
