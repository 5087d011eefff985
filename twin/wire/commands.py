"""Commands, and the trail of who did what."""

from __future__ import annotations

from twin.wire.message import Message


class CommandView(Message, frozen=True, kw_only=True, tag="command"):
    """One command and every step of its life so far."""

    id: str
    device: str
    node: int
    key: str
    title: str
    title_zh: str
    args: dict[str, float | str]
    by: str
    #: requested | approved | sent | acknowledged | confirmed | failed | expired | unknown | refused
    state: str
    steps: list[tuple[str, float, str]]  # (state, time ms, note)
    expires_ms: float
    confirm: str | None     # the point whose telemetry proves it
    #: until when a second person may approve it; None where none is needed
    approve_before_ms: float | None = None
    second: str = ""        # who approved or refused it


class TrailEntry(Message, frozen=True, kw_only=True, tag="trail"):
    """One line of what was done, by whom."""

    id: int
    time_ms: float
    who: str
    what: str               # alarm.raised, alarm.acknowledged, command.sent, sign-in, drill.started, …
    subject: str
    node: int
    text: str
    text_zh: str
