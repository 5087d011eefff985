"""Chattering alarms: what comes and goes again and again calls at most three times a minute, and stays until it is quiet."""

from __future__ import annotations

from collections import deque

import numpy as np

from twin.alarm_kpis import CHATTER_COUNT, CHATTER_SECS
from twin.live.state import RuleEvents


class Damper:
    """Holds back the return of an alarm whose condition came three times within a minute, until it stayed away for one.

    Only the alarm is held; readings and their history are as the field said. One thread uses it.

    Args:
        rules: rows below this one are rules of points; others (fences) pass as they are.
    """

    def __init__(self, rules: int) -> None:
        self._rules = rules
        self._came: dict[int, deque[float]] = {}
        self._gone: dict[int, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many alarms are held now."""
        return len(self._gone)

    def damped(self, events: RuleEvents) -> RuleEvents:
        """The events without the returns that are held and the conditions that come again meanwhile."""
        keep = np.ones(len(events), np.bool_)
        for i, (row, is_on, time, value) in enumerate(zip(events.rule.tolist(), events.on.tolist(), events.time.tolist(),
                                                          events.value.tolist(), strict=True)):
            if row >= self._rules:
                continue
            came = self._came.setdefault(row, deque(maxlen=CHATTER_COUNT))
            if is_on and self._gone.pop(row, None) is not None:
                keep[i] = False
            elif is_on:
                came.append(time)
            elif len(came) == CHATTER_COUNT and time - came[0] < CHATTER_SECS:
                self._gone[row] = time, value
                keep[i] = False
        return events if keep.all() else RuleEvents(events.rule[keep], events.on[keep], events.time[keep], events.value[keep])

    def quiet(self, now: float) -> RuleEvents:
        """The returns of those that stayed away for a minute, as of when they went."""
        rows = [row for row, (time, _) in self._gone.items() if now - time >= CHATTER_SECS]
        gone = [self._gone.pop(row) for row in rows]
        for row in rows:
            del self._came[row]
        return RuleEvents(np.array(rows, np.int64), np.zeros(len(rows), np.bool_), np.array([time for time, _ in gone]),
                          np.array([value for _, value in gone]))
