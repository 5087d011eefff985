"""The wall as this server keeps it: in `state/wall.json`, moved on by the core's ticks, told to every browser."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from ioc.live.hub import Hub
from twin import wall as rules
from twin.access import decide
from twin.errors import AccessDenied
from twin.graph import SceneGraph
from twin.live.core import LiveCore, Tick
from twin.wall import Stop, Wall
from twin.wire import AlarmView, WallView

URGENT = 1
MOST_BUILDINGS = 7
log = logging.getLogger(__name__)


class WallDesk:
    """Lives in the core's thread: call it through the runner.

    Args:
        core: of the park; its alarms interrupt the tour.
        hub: every browser hears of a change.
        graph: tells whether a stop's place still exists.
        path: where the wall is kept.
        version: of the built viewer now.
    """

    def __init__(self, core: LiveCore, hub: Hub, graph: SceneGraph, path: Path, *, version: Callable[[], str]) -> None:
        self._core, self._hub, self._graph, self._path, self._version = core, hub, graph, path, version
        self.wall = self._read()
        self._looked = False
        core.listen(self.beat)

    def beat(self, tick: Tick) -> None:
        """A tick of the core: the tour goes on, urgent alarms interrupt."""
        now_ms, alarms = tick.time * 1000, list(tick.alarms)
        if not self._looked:
            self._looked, alarms = True, self._core.alarms()
        wall = rules.advance(self.wall, now_ms)
        for alarm in alarms:
            if alarm.state == "returned":
                wall = rules.still_urgent(wall, frozenset(wall.seen) - {alarm.id})
            if alarm.priority == URGENT and alarm.state == "unacknowledged":
                wall = rules.interrupt(wall, alarm.id, now_ms)
        self._take(wall)

    def view(self) -> WallView:
        """As every window gets it."""
        wall = self.wall
        return WallView(mode=wall.mode, stops=list(wall.stops), at=wall.at, started_ms=wall.started_ms, held_ms=wall.held_ms,
                        node=wall.node, alarms=list(wall.alarms), by=wall.by, version=self._version(),
                        missing=[n for n, stop in enumerate(wall.stops) if not self._graph.index(stop.node)])

    def drive(self, verb: str, *, node: str = "", alarm: int = 0, by: str, role: str) -> WallView:
        """An operator's hand on the wall: next, previous, pause, resume, show (a place) or alarm; on the trail.

        Raises:
            AccessDenied: the role may not drive the wall.
            WallError: it cannot be driven that way now.
        """
        self._allow(role)
        now_ms = self._core.clock.now() * 1000
        if verb in ("next", "previous"):
            wall = rules.step(self.wall, 1 if verb == "next" else -1, now_ms, by)
        elif verb == "pause":
            wall = rules.pause(self.wall, now_ms, by)
        elif verb == "resume":
            wall = rules.resume(self.wall, now_ms, by)
        elif verb == "show":
            self._node(node)
            wall = rules.show(self.wall, node, now_ms, by)
        else:
            self._alarm(alarm)
            wall = rules.interrupt(self.wall, alarm, now_ms, by=by)
        urgent = frozenset(found.id for found in self._core.alarms() if found.state == "unacknowledged")
        wall = rules.still_urgent(wall, urgent)
        self._core.note(by, f"wall.{verb}", node or str(alarm or ""), node=self._graph.index(node) if node else 0,
                        text=f"wall: {verb} {node}".strip(), text_zh=f"大屏：{WORDS_ZH[verb]} {node}".strip())
        self._take(wall)
        return self.view()

    def edit(self, stops: list[Stop], *, by: str, role: str) -> WallView:
        """Another tour; on the trail. A stop whose place is gone may stay: the wall says so when it comes to it."""
        self._allow(role)
        wall = rules.with_stops(self.wall, tuple(stops), self._core.clock.now() * 1000)
        self._core.note(by, "wall.tour", str(len(stops)), text=f"wall tour: {len(stops)} views",
                        text_zh=f"大屏巡览：{len(stops)} 个视角")
        self._take(wall)
        return self.view()

    def _allow(self, role: str) -> None:
        decision = decide(role, "wall")
        if not decision.allowed:
            raise AccessDenied(decision.reason, mend="sign in as an operator")

    def _node(self, node: str) -> None:
        if not self._graph.index(node):
            raise rules.WallError(f"no node '{node}'", mend="choose a place of this park")

    def _alarm(self, alarm: int) -> AlarmView:
        for found in self._core.alarms():
            if found.id == alarm:
                return found
        raise rules.WallError(f"alarm {alarm} is not active", mend="choose one from the list")

    def _take(self, wall: Wall) -> None:
        if wall is self.wall or wall == self.wall:
            return
        self.wall = wall
        self._write()
        self._hub.tell(self.view())

    def _read(self) -> Wall:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Wall)
        except FileNotFoundError:
            return Wall(stops=self._first_tour())
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s: the wall's tour cannot be read (%s); the first tour is used", self._path.name, error)
            return Wall(stops=self._first_tour())

    def _write(self) -> None:
        draft = self._path.with_suffix(".part")
        try:
            draft.write_bytes(msgspec.json.encode(self.wall))
            os.replace(draft, self._path)
        except OSError as error:
            log.error("%s: the wall's state is not kept: %s", self._path.name, error)

    def _first_tour(self) -> tuple[Stop, ...]:
        """The whole park, then its largest buildings by floor area, the largest first."""
        buildings, area = self._graph.of_kind("building"), np.nan_to_num(self._graph.columns["area"])
        largest = buildings[np.argsort(-area[buildings], kind="stable")][:MOST_BUILDINGS]
        nodes = [self._graph.node(int(i)) for i in largest]
        return (Stop(name="The whole park", name_zh="园区全景", node="park", seconds=30),
                *(Stop(name=n.name or n.id, name_zh=n.name_zh or "", node=n.id) for n in nodes))


WORDS_ZH = {"next": "下一站", "previous": "上一站", "pause": "暂停巡览", "resume": "恢复巡览",
            "show": "显示", "alarm": "显示报警"}
