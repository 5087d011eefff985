"""Key figures."""

from __future__ import annotations

import msgspec

from twin.wire.message import Message


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with what it is compared to. value None means: not known, show a dash."""

    key: str
    name: str
    name_zh: str
    unit: str
    value: float | None
    reference: float | None = None   # the same hour yesterday, or the target
    trend: list[float | None] = []   # last points, oldest first
    trend_reference: list[float | None] = []
    note: str = ""
    note_zh: str = ""
    stale: bool = False
    digits: int = 0


class Kpis(Message, frozen=True, kw_only=True, tag="kpis"):
    """The KPI cards of the park, and of buildings and storeys by node id."""

    node: str
    cards: list[Kpi]
