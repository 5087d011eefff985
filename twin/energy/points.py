"""Energy figures as points of the park, so that limits and anomalies are alarms like any other.

`energy@<place>@<medium>`: `hour` (the last whole one), `expected` for it, `above` and `below` (hours in a row outside the
interval), `day` and `month` so far, `demand` (mean of the last 15 minutes, an hour). The server tells them every few minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from twin.energy.meters import meters_of
from twin.energy.places import Accounts
from twin.energy.spec import NAMES, UNIT, EnergySpec, Limit
from twin.energy.tree import meter_tree
from twin.graph import SceneGraph
from twin.pack_spec import AlarmRule, DeviceKind, PointSpec
from twin.registry import Device, PointTable

PREFIX = "energy@"
#: Told every few minutes; a figure is stale when the server has not told it for an hour and a half.
PERIOD_SECS = 1800.0
SCOPES = ("park", "building")
RATE = {"kWh": "kW", "m³": "m³/h"}


def energy_id(place: str, medium: str) -> str:
    """The device that carries a place's figures of a medium."""
    return f"{PREFIX}{place.replace('.', '_')}@{medium}"


def subjects(accounts: Accounts, graph: SceneGraph) -> Iterator[tuple[str, str, str, str, str]]:
    """(place or tenant id, medium, name, name_zh, node id) of everything that is metered and watched."""
    columns = graph.columns
    for medium in accounts.media():
        for kind in SCOPES:
            for node in graph.of_kind(kind).tolist():
                if accounts.of(node, medium).how in ("measured", "parts"):
                    place, name = str(columns["id"][node]), str(columns["name"][node])
                    yield place, medium, name, str(columns["name_zh"][node] or name), place
        for tenant, places in accounts.tenants.values():
            if accounts.of_tenant(tenant.id, medium).how != "none":
                yield tenant.id, medium, tenant.name, tenant.name_zh or tenant.name, str(columns["id"][places[0]])


def energy_devices(points: PointTable, graph: SceneGraph, spec: EnergySpec) -> list[tuple[Device, DeviceKind, str]]:
    """A device for every watched place and medium, its kind, and the node it stands for."""
    tree = meter_tree(meters_of(points, graph, spec), points, graph, spec)
    accounts = Accounts(tree, graph, np.full(graph.size, np.nan), spec)
    out = []
    for place, medium, name, name_zh, node in subjects(accounts, graph):
        device, (word, word_zh) = energy_id(place, medium), NAMES[medium]
        limits = [limit for limit in spec.limits if limit.place == place and limit.medium == medium]
        kind = DeviceKind(id=f"point:{device}", name=f"{name}: {word}", name_zh=f"{name_zh} {word_zh}", symbol="meter",
                          points=_points(UNIT[medium]), pack="park",
                          alarms=(*_anomalies(place, spec), *(_limit(limit) for limit in limits)))
        out.append((Device(id=device, kind=kind.id, name=kind.name, name_zh=kind.name_zh), kind, node))
    return out


def _points(unit: str) -> tuple[PointSpec, ...]:
    def point(key: str, name: str, name_zh: str, of: str) -> PointSpec:
        return PointSpec(key=key, name=name, name_zh=name_zh, unit=of, period_secs=PERIOD_SECS, is_told=True)

    return (point("hour", "Used in the last hour", "上一小时用量", unit),
            point("expected", "Expected in that hour", "该小时预期用量", unit),
            point("above", "Hours in a row above the interval", "连续高于预期区间的小时数", "h"),
            point("below", "Hours in a row below the interval", "连续低于预期区间的小时数", "h"),
            point("day", "Used today", "今日用量", unit), point("month", "Used this month", "本月用量", unit),
            point("demand", "Demand (15 min)", "需量（15 分钟）", RATE[unit]))


def _anomalies(place: str, spec: EnergySpec) -> Sequence[AlarmRule]:
    said = spec.anomaly
    if place in said.off:
        return ()
    return [AlarmRule(key=f"anomaly_{way}", point=point, rule="high", limit=said.hours - 0.5, priority=said.priority,
                      name=name, name_zh=name_zh, response=said.response)
            for way, point, name, name_zh in (("high", "above", "Uses more than expected", "用量异常偏高"),
                                              ("low", "below", "Uses less than expected", "用量异常偏低"))]


def _limit(limit: Limit) -> AlarmRule:
    point = "demand" if limit.demand is not None else "day" if limit.day is not None else "month"
    name, name_zh = {"demand": ("Contract demand exceeded", "超过合同需量"), "day": ("Day's budget used up", "日用量超限"),
                     "month": ("Month's budget used up", "月用量超限")}[point]
    value = next(one for one in (limit.demand, limit.day, limit.month) if one is not None)
    return AlarmRule(key=f"over_{limit.id}", point=point, rule="high", limit=value,
                     hysteresis=value * 0.03 if point == "demand" else 0.0,
                     priority=limit.priority, name=name, name_zh=name_zh, response=limit.response)
