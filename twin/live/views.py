"""Alarms and commands as browsers see them: with titles and places in both languages."""

from __future__ import annotations

import math
from typing import Any

from twin.commands import Command
from twin.events import Note
from twin.fences import PREFIX, Placed
from twin.graph import SceneGraph
from twin.live.alarms import Alarm, AlarmEvent, AsideEvent, Suppression
from twin.live.own_faults import FAULTS, OWN, PRIORITY, SYSTEM
from twin.live.rules import RuleTable
from twin.pack_spec import Response
from twin.ports import TrackInfo
from twin.registry import PointTable
from twin.wire import AlarmView, AsideView, CommandView

ALARM_WORDS = {"raised": ("alarm raised", "报警"), "returned": ("back to normal", "恢复正常"),
               "acknowledged": ("acknowledged", "已确认"), "reset": ("reset", "已复位"),
               "shelved": ("shelved", "已搁置"), "unshelved": ("shelf over", "搁置结束"),
               "suppressed": ("suppressed by design", "按设计抑制"),
               "unsuppressed": ("no longer suppressed by design", "设计抑制解除"),
               "out_of_service": ("out of service", "退出服务"), "in_service": ("back in service", "恢复服务")}
COMMAND_WORDS = {"requested": "已请求", "approved": "已批准", "sent": "已发送", "acknowledged": "设备确认",
                 "confirmed": "遥测证实",
                 "failed": "失败", "expired": "过期", "unknown": "结果未知", "refused": "被拒绝"}


WAITING_WORDS = "asked for, waits for a second person", "已申请，待第二人复核"
FENCE_WORDS = {"enter": ("entered", "进入围栏"), "leave": ("left", "离开围栏"), "cross": ("crossed the line", "越线"),
               "dwell": ("stays too long", "滞留超时"), "forbidden": ("is not allowed here now", "违规进入")}
ROLES_ZH = {"staff": "员工", "visitor": "访客", "guard": "安保", "cleaner": "保洁", "maintenance": "维修", "car": "车辆",
            "shuttle": "班车", "unknown": "身份不明"}
NOBODY = Response(owner="Duty manager", owner_zh="值班经理",
                  steps=("Close the alarm",), steps_zh=("关闭报警",), deadline_mins=60)


class Views:
    """Makes wire messages of alarms and commands; remembers the place of each device.

    Args:
        graph: None for a core without a compiled park (tests, benches): nodes are 0, places empty.
    """

    def __init__(self, points: PointTable, rules: RuleTable, graph: SceneGraph | None) -> None:
        self._points = self.points = points
        self._rules = rules
        self._row = {key: row for row, key in enumerate(rules.keys)}
        self._graph = graph
        self._places: dict[str, tuple[int, str, str]] = {}
        self.fences: dict[str, Placed] = {}
        self.tracks: dict[int, TrackInfo] = {}

    def place(self, device: str) -> tuple[int, str, str]:
        """A device's node and where it is, from the building (or zone) down: (node, place, place_zh)."""
        if device not in self._places:
            self._places[device] = self._find(device)
        return self._places[device]

    def place_of(self, node: int) -> tuple[str, str, str]:
        """Where a node is, in both languages, and its id where it is a device."""
        if self._graph is None or not node:
            return "", "", ""
        columns = self._graph.columns
        is_device = columns["kind"][node] == "device"
        steps = [i for i in self._graph.path(node) if columns["kind"][i] in ("building", "storey", "space", "zone")]
        inner = [i for i in steps if columns["kind"][i] != "zone"] or steps or [node]
        return (" · ".join(str(columns["name"][i]) for i in inner),
                " · ".join(str(columns["name_zh"][i] or columns["name"][i]) for i in inner),
                str(columns["id"][node]) if is_device else "")

    def alarm(self, alarm: Alarm) -> AlarmView:
        """An alarm as it stands."""
        if alarm.key.startswith(PREFIX):
            return self._fence_alarm(alarm)
        if alarm.key.startswith(SYSTEM):
            return self._own_alarm(alarm)
        device, _, _ = alarm.key.partition(".")
        row = self._row[alarm.key]
        spec, slot = self._rules.specs[row], int(self._rules.shown[row])
        node, place, place_zh = self.place(device)
        return AlarmView(
            id=alarm.id, key=alarm.key, device=device, node=node, priority=spec.priority, state=alarm.state,
            title=spec.name, title_zh=spec.name_zh, place=place, place_zh=place_zh, point=self._points.ids[slot],
            value=alarm.value if math.isfinite(alarm.value) and spec.rule != "expression" else None, limit=spec.limit,
            unit=self._points.unit[slot],
            raised_ms=alarm.raised * 1000, changed_ms=alarm.changed * 1000, acked_by=alarm.acked_by,
            owner=spec.response.owner, owner_zh=spec.response.owner_zh, steps=list(spec.response.steps),
            steps_zh=list(spec.response.steps_zh), deadline_mins=spec.response.deadline_mins, **_aside_of(alarm))

    def priority(self, key: str) -> int:
        """The priority of a rule or fence; 4 for one there is no more."""
        if key.startswith(PREFIX):
            placed = self.fences.get(key.removeprefix(PREFIX).partition(".")[0])
            return placed.fence.priority if placed else 4
        if key.startswith(SYSTEM):
            return PRIORITY
        row = self._row.get(key)
        return 4 if row is None else self._rules.specs[row].priority

    def title(self, key: str) -> tuple[str, str, str, str]:
        """What a rule is called and where, in both languages; its key where it is no more."""
        if key not in self._row and not key.startswith(OWN):
            return key, key, "", ""
        view = self.alarm(Alarm(id=0, key=key, state="cleared", is_active=False, raised=0.0, changed=0.0, value=math.nan))
        return view.title, view.title_zh, view.place or view.device, view.place_zh or view.device

    def aside(self, held: Suppression, *, is_over: bool = False) -> AsideView:
        """A rule somebody put aside, named like its alarm."""
        view = self.alarm(Alarm(id=0, key=held.key, state="cleared", is_active=False, raised=held.since, changed=held.since,
                                value=math.nan))
        return AsideView(
            key=held.key, device=view.device, node=view.node, kind=held.kind, priority=view.priority, title=view.title,
            title_zh=view.title_zh, place=view.place, place_zh=view.place_zh, who=held.who, reason=held.reason,
            since_ms=held.since * 1000, until_ms=None if held.until is None else held.until * 1000, is_over=is_over)

    def _fence_alarm(self, alarm: Alarm) -> AlarmView:
        """An alarm of a fence: at the fence, about a track. `device` is `fence:<id>`; it has no reading."""
        fence_id, _, track = alarm.key.removeprefix(PREFIX).partition(".")
        placed = self.fences.get(fence_id)
        if placed is None:
            name = name_zh = fence_id
            what, what_zh, answer, priority, node = "fence removed", "围栏已删除", NOBODY, 4, 0
        else:
            fence, node = placed.fence, placed.node
            name, name_zh, answer, priority = fence.name, fence.name_zh or fence.name, fence.response, fence.priority
            what, what_zh = FENCE_WORDS[fence.rule]
        about = next((info for info in self.tracks.values() if info.id == track), None)
        who = f"{about.role} {track}" if about else track
        who_zh = f"{ROLES_ZH.get(about.role, about.role)} {track}" if about else track
        return AlarmView(
            id=alarm.id, key=alarm.key, device=f"{PREFIX}{fence_id}", node=node or 1, priority=priority, state=alarm.state,
            title=f"{who}: {what}", title_zh=f"{who_zh} {what_zh}", place=name, place_zh=name_zh, point="", value=None,
            limit=None, unit="", raised_ms=alarm.raised * 1000, changed_ms=alarm.changed * 1000, acked_by=alarm.acked_by,
            owner=answer.owner, owner_zh=answer.owner_zh, steps=list(answer.steps), steps_zh=list(answer.steps_zh),
            deadline_mins=answer.deadline_mins, **_aside_of(alarm))

    def _own_alarm(self, alarm: Alarm) -> AlarmView:
        """An alarm about Parktwin itself: at the park, of no device. It has no reading."""
        fault = FAULTS[alarm.key.removeprefix(SYSTEM)]
        return AlarmView(
            id=alarm.id, key=alarm.key, device=alarm.key, node=1, priority=PRIORITY, state=alarm.state, title=fault.title,
            title_zh=fault.title_zh, place="Parktwin", place_zh="Parktwin", point="", value=None, limit=None, unit="",
            raised_ms=alarm.raised * 1000, changed_ms=alarm.changed * 1000, acked_by=alarm.acked_by,
            owner=fault.response.owner, owner_zh=fault.response.owner_zh, steps=list(fault.response.steps),
            steps_zh=list(fault.response.steps_zh), deadline_mins=fault.response.deadline_mins, **_aside_of(alarm))

    def command(self, command: Command) -> CommandView:
        """A command and its life so far."""
        node, _, _ = self.place(command.device)
        title, title_zh = self._title(command)
        return CommandView(
            id=command.id, device=command.device, node=node, key=command.key, title=title, title_zh=title_zh,
            args=command.args, by=command.by, state=command.state,
            steps=[(state, time * 1000, note) for state, time, note in command.steps],
            expires_ms=command.expires * 1000, confirm=command.point, second=command.second,
            approve_before_ms=command.approve_before * 1000 if command.approve_before else None)

    def alarm_note(self, event: AlarmEvent) -> Note:
        """The trail line of an alarm's step."""
        return self._note(self.alarm(event.alarm), event.what, event.time, event.who, event.why)

    def aside_note(self, event: AsideEvent) -> Note:
        """The trail line of a rule put aside or back while its alarm is quiet."""
        return self._note(self.aside(event.suppression), event.what, event.time, event.who, event.why)

    def _note(self, view: AlarmView | AsideView, what: str, time: float, who: str, why: str) -> Note:
        word, word_zh = ALARM_WORDS[what]
        return Note(time=time, who=who, what=f"alarm.{what}", subject=view.key, node=view.node,
                    text=f"{view.title}, {view.place or view.device}: {word}{f' ({why})' if why else ''}",
                    text_zh=f"{view.place_zh or view.device} {view.title_zh}：{word_zh}{f'（{why}）' if why else ''}")

    def command_note(self, command: Command, time: float) -> Note:
        """The trail line of a command's last step."""
        node, place, place_zh = self.place(command.device)
        title, title_zh = self._title(command)
        state, _, remark = command.steps[-1]
        who = command.second if command.second and state in ("approved", "refused") else command.by
        word, word_zh = (state, COMMAND_WORDS[state]) if not command.is_waiting else WAITING_WORDS
        values = ", ".join(str(value) for value in command.args.values())
        return Note(time=time, who=who, what=f"command.{state}", subject=command.device, node=node,
                    text=f"{title} {values} {command.device} {place}: {word}{f' ({remark})' if remark else ''}",
                    text_zh=f"{place_zh} {command.device} {title_zh} {values}：{word_zh}")

    def _title(self, command: Command) -> tuple[str, str]:
        index = self._points.device_index(command.device)
        spec = None if index is None else self._points.kind[index].command(command.key)
        return (spec.name, spec.name_zh) if spec else (command.key, command.key)

    def _find(self, device: str) -> tuple[int, str, str]:
        home = self._points.home.get(device)
        node = self._graph.index(home or device) if self._graph else 0
        if not node or self._graph is None:
            return 0, "", ""
        columns = self._graph.columns
        kinds = ("building", "storey", "space", "zone")
        steps = [i for i in self._graph.path(node)[:None if home else -1] if columns["kind"][i] in kinds]
        inner = [i for i in steps if columns["kind"][i] != "zone"] or steps or ([node] if home else [])
        names = [str(columns["name"][i]) for i in inner]
        names_zh = [str(columns["name_zh"][i] or columns["name"][i]) for i in inner]
        return node, " · ".join(names), " · ".join(names_zh)


def _aside_of(alarm: Alarm) -> dict[str, Any]:
    return {"is_active": alarm.is_active, "aside_by": alarm.shelved_by or "" if alarm.is_aside else "",
            "aside_until_ms": alarm.shelved_until * 1000 if alarm.is_aside and alarm.shelved_until else None,
            "aside_reason": alarm.shelved_reason if alarm.is_aside else ""}
