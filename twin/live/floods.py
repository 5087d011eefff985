"""The flood desk: live alarms as columns, grouped at most once a second, as browsers see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.floods import Group, Standing, grouped
from twin.graph import SceneGraph
from twin.live.alarms import WAITING, Alarm
from twin.live.book import AlarmBook
from twin.live.own_faults import OWN
from twin.live.views import Views
from twin.registry import PointTable
from twin.wire import AlarmGroup, AlarmGroups

EVERY_SECS = 1.0
LOSSES = {"supply": 1, "network": 2}
MOST_MEMBERS = 2000


class FloodDesk:
    """What the live alarms come to. One thread uses it.

    Args:
        book: the live alarms.
        points, graph: who feeds whom, and what stands where; without a graph only devices that feed devices.
        views: names what is told.
    """

    def __init__(self, book: AlarmBook, points: PointTable, graph: SceneGraph | None, views: Views) -> None:
        self._book, self._points, self._graph, self._views = book, points, graph, views
        self._feeders: dict[str, list[int]] = {}
        for index, device in enumerate(points.devices):
            if device.feeds:
                self._feeders.setdefault(device.feeds, []).append(index)
        self._places: dict[int, tuple[int, int, int]] = {}
        self._upstream: dict[int, tuple[int, ...]] = {}
        self._sorts: dict[str, int] = {}
        self._known: dict[str, tuple[int, int, int, int, int]] = {}
        self._due, self._is_old = 0.0, True
        self.now = self._told([])

    def tick(self, now: float, is_changed: bool) -> AlarmGroups | None:
        """The floods, when they are not what they were."""
        self._is_old = self._is_old or is_changed
        if not self._is_old or now < self._due:
            return None
        self._due, self._is_old = now + EVERY_SECS, False
        alarms = [alarm for alarm in self._book.live() if not alarm.is_aside]
        fresh = self._told(alarms)
        if fresh == self.now:
            return None
        self.now = fresh
        return fresh

    def _told(self, alarms: Sequence[Alarm]) -> AlarmGroups:
        if not alarms:
            return AlarmGroups(groups=[], alone=[], upto=0)
        standing = self._standing(alarms)
        found = [group for group in grouped(standing, self.upstream) if len(group.rows) > 1]
        groups = sorted((self._view(group, standing, alarms) for group in found),
                        key=lambda group: (group.priority, -group.count, group.key))
        alone = np.delete(standing.id, np.concatenate([np.zeros(0, np.int64), *(group.rows for group in found)]))
        return AlarmGroups(groups=groups, alone=alone.tolist(), upto=int(standing.id.max()))

    def upstream(self, device: int) -> tuple[int, ...]:
        """The devices that supply one (or a place it stands in), nearest first."""
        if device not in self._upstream:
            found = list(self._feeders.get(self._points.devices[device].id, ())) if device >= 0 else []
            if self._graph is not None and device >= 0:
                ids = self._graph.columns["id"]
                for node in self._graph.path(self._graph.index(self._points.devices[device].id))[-2::-1]:
                    found += self._feeders.get(str(ids[node]), ())
            self._upstream[device] = tuple(one for one in found if one != device)
        return self._upstream[device]

    def _standing(self, alarms: Sequence[Alarm]) -> Standing:
        device, rule, priority, explains, follows = np.array([self._facts(alarm) for alarm in alarms], np.int64).T
        return Standing(
            id=np.array([alarm.id for alarm in alarms], np.int64), rule=rule, device=device, priority=priority,
            raised=np.array([alarm.raised for alarm in alarms]), is_active=np.array([alarm.is_active for alarm in alarms]),
            places=np.array([self._places_of(int(one)) for one in device], np.int64).reshape(len(alarms), 3),
            explains=explains, follows=follows)

    def _facts(self, alarm: Alarm) -> tuple[int, int, int, int, int]:
        """Device, sort, priority, what it explains and follows, of one alarm."""
        if alarm.key.startswith(OWN):  # a fence may be drawn anew
            name = alarm.key.partition(".")[0]
            return -1, self._sorts.setdefault(name, len(self._sorts)), self._views.alarm(alarm).priority, 0, 0
        if alarm.key not in self._known:
            self._known[alarm.key] = self._declared(alarm)
        return self._known[alarm.key]

    def _declared(self, alarm: Alarm) -> tuple[int, int, int, int, int]:
        spec = self._book.rules.specs[self._book.row(alarm)]
        device = self._points.device_index(alarm.key.partition(".")[0])
        assert device is not None
        name = f"{self._points.kind[device].id}.{spec.key}"
        follows = spec.follows if spec.follows is not None else ("supply", "network") if spec.rule == "stale" else ()
        return (device, self._sorts.setdefault(name, len(self._sorts)), spec.priority,
                sum(LOSSES[loss] for loss in spec.explains), sum(LOSSES[loss] for loss in follows))

    def _places_of(self, device: int) -> tuple[int, int, int]:
        """Storey, building (or zone) and park of a device; park alone for a fence, or without a graph."""
        if device not in self._places:
            storey = building = 0
            if self._graph is not None and device >= 0:
                node = self._graph.index(self._points.devices[device].id)
                storey = self._graph.ancestor(node, "storey")
                building = self._graph.ancestor(node, "building") or self._graph.ancestor(node, "zone")
            self._places[device] = storey, building, 1
        return self._places[device]

    def _view(self, group: Group, standing: Standing, alarms: Sequence[Alarm]) -> AlarmGroup:
        head = self._views.alarm(alarms[int(group.rows[0])])
        priority = int(standing.priority[group.rows].min())
        place, place_zh = (head.place, head.place_zh) if group.cause >= 0 else self._names(group.node)
        title, title_zh = head.title, head.title_zh
        if group.cause < 0 and group.rule < 0:
            title, title_zh = f"Others of priority {priority}", f"其余 {priority} 级报警"
        elif head.device.startswith(OWN):
            title, title_zh = head.place, head.place_zh
        cause = head.id if group.cause >= 0 else 0
        waits = np.array([alarms[row].state in WAITING for row in group.rows.tolist()])
        turn = np.where(waits, 1, 2)
        turn[:1] = 0 if cause else turn[:1]
        listed = np.argsort(turn, kind="stable")[:MOST_MEMBERS]
        return AlarmGroup(
            key=f"cause {cause}" if cause else f"{group.rule} {group.node} {priority if group.rule < 0 else ''}".strip(),
            cause=cause, title=title, title_zh=title_zh, place=place, place_zh=place_zh,
            node=head.node if cause else group.node, priority=priority, count=len(group.rows),
            waiting=int(waits.sum()),
            first_ms=float(standing.raised[group.rows].min() * 1000), last_ms=float(standing.raised[group.rows].max() * 1000),
            alarms=standing.id[group.rows[listed]].tolist())

    def _names(self, node: int) -> tuple[str, str]:
        if self._graph is None or node < 2:
            return "", ""
        place, place_zh, _ = self._views.place_of(node)
        return place, place_zh
