"""Alarms and commands as browsers see them: with titles and places in both languages."""

from __future__ import annotations

import math

from twin.commands import Command
from twin.events import Note
from twin.graph import SceneGraph
from twin.live.alarms import Alarm, AlarmEvent
from twin.live.rules import RuleTable
from twin.registry import PointTable
from twin.wire import AlarmView, CommandView

ALARM_WORDS = {"raised": ("alarm raised", "报警"), "returned": ("back to normal", "恢复正常"),
               "acknowledged": ("acknowledged", "已确认"),
               "shelved": ("shelved", "已搁置"), "unshelved": ("shelf time over", "搁置到期")}
COMMAND_WORDS = {"requested": "已请求", "approved": "已批准", "sent": "已发送", "acknowledged": "设备确认",
                 "confirmed": "遥测证实",
                 "failed": "失败", "expired": "过期", "unknown": "结果未知", "refused": "被拒绝"}


class Views:
    """Makes wire messages of alarms and commands; remembers the place of each device.

    Args:
        graph: None for a core without a compiled park (tests, benches): nodes are 0, places empty.
    """

    def __init__(self, points: PointTable, rules: RuleTable, graph: SceneGraph | None) -> None:
        self._points = points
        self._rules = rules
        self._row = {key: row for row, key in enumerate(rules.keys)}
        self._graph = graph
        self._places: dict[str, tuple[int, str, str]] = {}

    def place(self, device: str) -> tuple[int, str, str]:
        """A device's node and where it is, from the building (or zone) down: (node, place, place_zh)."""
        if device not in self._places:
            self._places[device] = self._find(device)
        return self._places[device]

    def alarm(self, alarm: Alarm) -> AlarmView:
        """An alarm as it stands."""
        device, _, _ = alarm.key.partition(".")
        row = self._row[alarm.key]
        spec, slot = self._rules.specs[row], int(self._rules.slot[row])
        node, place, place_zh = self.place(device)
        return AlarmView(
            id=alarm.id, key=alarm.key, device=device, node=node, priority=spec.priority, state=alarm.state,
            title=spec.name, title_zh=spec.name_zh, place=place, place_zh=place_zh, point=self._points.ids[slot],
            value=alarm.value if math.isfinite(alarm.value) else None, limit=spec.limit, unit=self._points.unit[slot],
            raised_ms=alarm.raised * 1000, changed_ms=alarm.changed * 1000, acked_by=alarm.acked_by,
            owner=spec.response.owner, owner_zh=spec.response.owner_zh, steps=list(spec.response.steps),
            steps_zh=list(spec.response.steps_zh), deadline_mins=spec.response.deadline_mins)

    def command(self, command: Command) -> CommandView:
        """A command and its life so far."""
        node, _, _ = self.place(command.device)
        title, title_zh = self._title(command)
        return CommandView(
            id=command.id, device=command.device, node=node, key=command.key, title=title, title_zh=title_zh,
            args=command.args, by=command.by, state=command.state,
            steps=[(state, time * 1000, note) for state, time, note in command.steps],
            expires_ms=command.expires * 1000, confirm=command.point)

    def alarm_note(self, event: AlarmEvent) -> Note:
        """The trail line of an alarm's step."""
        view = self.alarm(event.alarm)
        word, word_zh = ALARM_WORDS[event.what]
        return Note(time=event.time, who=event.who, what=f"alarm.{event.what}", subject=view.key, node=view.node,
                    text=f"{view.title}, {view.place or view.device}: {word}",
                    text_zh=f"{view.place_zh or view.device} {view.title_zh}：{word_zh}")

    def command_note(self, command: Command, time: float) -> Note:
        """The trail line of a command's last step."""
        node, place, place_zh = self.place(command.device)
        title, title_zh = self._title(command)
        state, _, remark = command.steps[-1]
        values = ", ".join(str(value) for value in command.args.values())
        return Note(time=time, who=command.by, what=f"command.{state}", subject=command.device, node=node,
                    text=f"{title} {values} {command.device} {place}: {state}{f' ({remark})' if remark else ''}",
                    text_zh=f"{place_zh} {command.device} {title_zh} {values}：{COMMAND_WORDS[state]}")

    def _title(self, command: Command) -> tuple[str, str]:
        index = self._points.device_index(command.device)
        spec = None if index is None else self._points.kind[index].command(command.key)
        return (spec.name, spec.name_zh) if spec else (command.key, command.key)

    def _find(self, device: str) -> tuple[int, str, str]:
        node = self._graph.index(device) if self._graph else 0
        if not node or self._graph is None:
            return 0, "", ""
        columns = self._graph.columns
        kinds = ("building", "storey", "space", "zone")
        steps = [i for i in self._graph.path(node)[:-1] if columns["kind"][i] in kinds]
        inner = [i for i in steps if columns["kind"][i] != "zone"] or steps
        names = [str(columns["name"][i]) for i in inner]
        names_zh = [str(columns["name_zh"][i] or columns["name"][i]) for i in inner]
        return node, " · ".join(names), " · ".join(names_zh)
