"""What the tests of faults (R1 to R23) share: a park that hears posts and a broker, and what its history says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import httpx
import numpy as np
from served_park import PARK, Served

TOKEN = "a-token-of-the-faults-park"
#: The small park, heard by HTTP; `more` [[source]] tables may follow.
POSTED = PARK.replace('[live]\nsource = "{source}"\n', "") + """
[[source]]
id = "push"
url = "http-in"
password = "file:push.token"
"""
MQTT = """
[[source]]
id = "mqtt"
url = "mqtt://127.0.0.1:{port}"
"""


class Later:
    """The wall clock, set ahead or back by hand."""

    ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead


def post(served: Served, batches: object, timeout: float = 60) -> httpx.Response:
    """A body posted with the park's token."""
    return httpx.post(f"{served.origin}/api/v1/ingest", content=json.dumps(batches), timeout=timeout,
                      headers={"authorization": f"Bearer {TOKEN}"})


def batch(at: float, device: str, **points: Any) -> dict[str, Any]:
    """Values of one device at a time (seconds)."""
    return {"ts": round(at * 1000), "d": {device: points}}


def kept(served: Served, point: str, from_secs: float, to_secs: float) -> list[tuple[int, float]]:
    """(ms, value) of every good reading of a point on disk, by time."""
    history = served.services.history
    assert history.flush()
    found = history.readings_of(np.array([served.slot(point)]), round(from_secs * 1000), round(to_secs * 1000))
    good = np.isfinite(found.value)
    return list(zip(np.rint(found.source_time[good] * 1000).astype(int).tolist(), found.value[good].tolist(), strict=True))


def raised(served: Served, keys: Iterable[str]) -> dict[str, list[float]]:
    """When the alarms of some keys called somebody, as the store has it."""
    found: dict[str, list[float]] = {key: [] for key in keys}
    for step in served.services.runner.core.events.alarm_steps(0.0, time.time() + 1e6):
        if step.what == "raised" and step.alarm.key in found:
            found[step.alarm.key].append(step.time)
    return found
