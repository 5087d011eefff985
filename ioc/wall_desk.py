"""The wall as this server keeps it: in `state/wall.json`, moved on by the core's ticks, told to every browser."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
import numpy as np

from ioc.live.hub import Hub
from twin import wall as rules
from twin.access import require
from twin.database import StoreDown
from twin.graph import SceneGraph
from twin.live.core import LiveCore
from twin.live.tick import Tick
from twin.shared.papers import Paper
from twin.wall import Stop, Urgent, Wall
from twin.wire import AlarmView, IncidentView, WallUrgent, WallView

URGENT = 1
MOST_BUILDINGS = 7
CLEARED_MS, TAKEN_MS = 60_000.0, 300_000.0
"""The wall goes on so long after an alarm cleared, or after the last that happened to one that somebody has acknowledged."""
PLACES = ("space", "storey", "building")
log = logging.getLogger(__name__)


class WallDesk:
    """Lives in the core's thread: call it through the runner.

    Args:
        core: of the park; its alarms and declared incidents interrupt the tour.
        hub: every browser hears of a change.
        graph: tells whether a stop's place still exists.
        paper: where the wall is kept.
        version: of the built viewer now.
    """

    def __init__(self, core: LiveCore, hub: Hub, graph: SceneGraph, paper: Paper, *, version: Callable[[], str]) -> None:
        self._core, self._hub, self._graph, self._paper, self._version = core, hub, graph, paper, version
        self.wall = self._read()
        self._led = core.leads
        paper.on_change.append(self._reread)
        self._told: dict[str, WallUrgent] = {}
        self._looked = False
        core.listen(self.beat)

    # ---- what time and alarms do --------------------------------------------------------------------------------
    def beat(self, tick: Tick) -> None:
        """A tick of the core: the tour goes on, what is urgent interrupts."""
        if not self._core.leads:
            self._led = False
            return
        if not self._led:  # another server has driven it until now
            self._led, self._looked, self.wall = True, False, self._read()
        now_ms, wall = tick.time * 1000, self.wall
        alarms, incidents = list(tick.alarms), list(tick.incidents)
        if not self._looked:
            alarms, incidents = self._core.alarms(), self._core.incidents.open() if self._core.incidents else []
            wall = self._restored(wall, alarms, incidents, now_ms)
            self._looked = True
        for alarm in alarms:
            wall = self._of_alarm(wall, alarm, now_ms)
        for incident in incidents:
            wall = self._of_incident(wall, incident, now_ms)
        self._take(rules.advance(wall, now_ms, self._missing(wall)), now_ms, is_news=any(
            f"alarm:{alarm.id}" in self._told for alarm in alarms))

    def _of_alarm(self, wall: Wall, alarm: AlarmView, now_ms: float) -> Wall:
        key = f"alarm:{alarm.id}"
        if alarm.state in ("returned", "cleared"):
            wall = rules.forget(wall, (key,))
        if alarm.priority == URGENT and alarm.state == "unacknowledged":
            wall = rules.interrupt(wall, Urgent(key=key, node=self._place(alarm.node)), now_ms)
        over = {"cleared": now_ms + CLEARED_MS, "acknowledged": now_ms + TAKEN_MS, "shelved": now_ms}.get(alarm.state, 0.0)
        return rules.settle(wall, key, over)

    def _of_incident(self, wall: Wall, incident: IncidentView, now_ms: float) -> Wall:
        """A declared one interrupts; whatever happens to one keeps its acknowledged alarms on the wall a while longer."""
        key, alarms = f"incident:{incident.id}", [f"alarm:{alarm}" for alarm in incident.alarms]
        on_wall = {one.key: one for one in wall.urgent}
        if incident.state == "closed":
            wall = rules.forget(rules.settle(wall, key, now_ms + CLEARED_MS), (key,))
        elif incident.priority == URGENT and incident.by and not any(alarm in on_wall for alarm in alarms):
            wall = rules.interrupt(wall, Urgent(key=key, node=self._place(incident.node)), now_ms)
        for one in (on_wall[alarm] for alarm in alarms if alarm in on_wall):
            if one.over_ms > now_ms and self._state(one.key) == "acknowledged":
                over = now_ms + (CLEARED_MS if incident.state == "closed" else TAKEN_MS)
                wall = rules.settle(wall, one.key, over)
        return wall

    def _restored(self, wall: Wall, alarms: list[AlarmView], incidents: list[IncidentView], now_ms: float) -> Wall:
        """After a restart: what is over meanwhile leaves the wall."""
        live = {f"alarm:{alarm.id}" for alarm in alarms} | {f"incident:{incident.id}" for incident in incidents}
        gone = [one.key for one in wall.urgent if one.key not in live]
        return rules.forget(rules.release(wall, gone, now_ms) if gone else wall, gone)

    def _state(self, key: str) -> str:
        return self._told[key].state if key in self._told else ""

    def _place(self, node: int) -> str:
        """The room, storey or building of a node; outdoors the thing itself."""
        kinds, at = self._graph.columns["kind"], node
        while at and kinds[at] not in PLACES:
            at = int(self._graph.parent[at])
        return str(self._graph.columns["id"][at or node]) if at or node else "park"

    def _missing(self, wall: Wall) -> frozenset[int]:
        return frozenset(n for n, stop in enumerate(wall.stops) if not self._graph.index(stop.node))

    # ---- what windows see ---------------------------------------------------------------------------------------
    def view(self) -> WallView:
        """As every window gets it."""
        wall = self.wall
        return WallView(mode=wall.mode, stops=list(wall.stops), at=wall.at, started_ms=wall.started_ms, held_ms=wall.held_ms,
                        node=wall.node, urgent=[self._urgent(one) for one in wall.urgent], focus=rules.focus_of(wall),
                        resumes_ms=rules.resumes_ms(wall), by=wall.by, missing=sorted(self._missing(wall)),
                        skipped=list(wall.skipped), shots=list(wall.shots), version=self._version())

    def _urgent(self, one: Urgent) -> WallUrgent:
        """In words, as it stands now; as it last stood when it is no longer live."""
        subject, _, number = one.key.partition(":")
        known = self._told.get(one.key)
        if subject == "alarm":
            found = self._core.alarm(int(number))
            incident = next((i.id for i in self._incidents() if int(number) in i.alarms), known.incident if known else 0)
            if found is not None:
                known = WallUrgent(
                    key=one.key, node=one.node, alarm=found.id, incident=incident, priority=found.priority,
                    title=found.title, title_zh=found.title_zh, place=found.place, place_zh=found.place_zh,
                    state=found.state, raised_ms=found.raised_ms, by="")
            elif known is not None:
                known = msgspec.structs.replace(known, state="cleared")
        else:
            declared = next((i for i in self._incidents() if i.id == int(number)), None)
            if declared is not None:
                known = WallUrgent(
                    key=one.key, node=one.node, alarm=next(iter(declared.alarms), 0), incident=declared.id,
                    priority=declared.priority, title=declared.title, title_zh=declared.title_zh, place=declared.place,
                    place_zh=declared.place_zh, state=declared.state, raised_ms=declared.opened_ms, by=declared.by)
            elif known is not None:
                known = msgspec.structs.replace(known, state="closed")
        if known is None:
            known = WallUrgent(key=one.key, node=one.node, alarm=0, incident=0, priority=URGENT, title=one.key,
                               title_zh=one.key, place="", place_zh="", state="cleared", raised_ms=0.0, by="")
        self._told[one.key] = known
        return msgspec.structs.replace(known, over_ms=one.over_ms)

    def _incidents(self) -> list[IncidentView]:
        return self._core.incidents.open() if self._core.incidents else []

    # ---- what people do -----------------------------------------------------------------------------------------
    def drive(self, verb: str, *, node: str = "", alarm: int = 0, by: str, role: str) -> WallView:
        """An operator's hand on the wall: next, previous, pause, resume, show (a place) or alarm; on the trail.

        Raises:
            AccessDenied: the role may not drive the wall.
            WallError: it cannot be driven that way now.
        """
        self._allow(role)
        now_ms, missing = self._core.clock.now() * 1000, self._missing(self.wall)
        if verb in ("next", "previous"):
            wall = rules.step(self.wall, 1 if verb == "next" else -1, now_ms, by, missing)
        elif verb == "pause":
            wall = rules.pause(self.wall, now_ms, by)
        elif verb == "resume":
            wall = rules.resume(self.wall, now_ms, by)
        elif verb == "show":
            self._node(node)
            wall = rules.show(self.wall, node, now_ms, by)
        else:
            found = self._alarm(alarm)
            wall = rules.interrupt(self.wall, Urgent(key=f"alarm:{alarm}", node=self._place(found.node)), now_ms, by=by)
        self._core.note(by, f"wall.{verb}", node or str(alarm or ""), node=self._graph.index(node) if node else 0,
                        text=f"wall: {verb} {node}".strip(), text_zh=f"大屏：{WORDS_ZH[verb]} {node}".strip())
        self._take(wall, now_ms)
        return self.view()

    def edit(self, stops: list[Stop], *, by: str, role: str) -> WallView:
        """Another tour; on the trail. A stop whose place is gone may stay: the wall says so when it comes to it."""
        self._allow(role)
        now_ms = self._core.clock.now() * 1000
        wall = rules.with_stops(self.wall, tuple(stops), now_ms)
        self._core.note(by, "wall.tour", str(len(stops)), text=f"wall tour: {len(stops)} views",
                        text_zh=f"大屏巡览：{len(stops)} 个视角")
        self._take(wall, now_ms)
        return self.view()

    def _allow(self, role: str) -> None:
        require(role, "wall")

    def _node(self, node: str) -> None:
        if not self._graph.index(node):
            raise rules.WallError(f"no node '{node}'", mend="choose a place of this park",
                                  code="node.unknown", fill={"node": node})

    def _alarm(self, alarm: int) -> AlarmView:
        found = self._core.alarm(alarm)
        if found is None:
            raise rules.WallError(f"alarm {alarm} is not active", mend="choose one from the list", code="wall.alarm",
                                  fill={"alarm": alarm})
        return found

    # ---- what is kept -------------------------------------------------------------------------------------------
    def _take(self, wall: Wall, now_ms: float, *, is_news: bool = False) -> None:
        """The wall from now on; told when it changed, or when what it shows did (`is_news`)."""
        wall = rules.aimed(wall, now_ms, self._missing(wall))
        if wall == self.wall and not is_news:
            return
        is_changed, self.wall = wall != self.wall, wall
        self._told = {one.key: self._told[one.key] for one in wall.urgent if one.key in self._told}
        if is_changed:
            self._write()
        self._hub.tell(self.view())

    def _reread(self) -> None:
        """Another server drives the wall: what it shows now."""
        self.wall = self._read()
        self._hub.tell(self.view())

    def _read(self) -> Wall:
        try:
            body = self._paper.read()
            return Wall(stops=self._first_tour()) if body is None else msgspec.json.decode(body, type=Wall)
        except (OSError, StoreDown, msgspec.DecodeError) as error:
            log.warning("%s: the wall's tour cannot be read (%s); the first tour is used", self._paper.name, error)
            return Wall(stops=self._first_tour())

    def _write(self) -> None:
        try:
            self._paper.write(msgspec.json.encode(self.wall), self._core.clock.now())
        except (OSError, StoreDown) as error:
            log.error("%s: the wall's state is not kept: %s", self._paper.name, error)

    def _first_tour(self) -> tuple[Stop, ...]:
        """The whole park, then its largest buildings by floor area, the largest first."""
        buildings, area = self._graph.of_kind("building"), np.nan_to_num(self._graph.columns["area"])
        largest = buildings[np.argsort(-area[buildings], kind="stable")][:MOST_BUILDINGS]
        ids, names, names_zh = (self._graph.columns[column][largest] for column in ("id", "name", "name_zh"))
        return (Stop(name="The whole park", name_zh="园区全景", node="park", seconds=30),
                *(Stop(name=str(name or node), name_zh=str(name_zh or ""), node=str(node))
                  for node, name, name_zh in zip(ids, names, names_zh, strict=True)))


WORDS_ZH = {"next": "下一站", "previous": "上一站", "pause": "暂停巡览", "resume": "恢复巡览",
            "show": "显示", "alarm": "显示报警"}
