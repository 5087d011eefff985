"""Sending a person to a place, as pure steps.

    requested → sent → accepted → arrived (a fix shows it) → released
    refused (the person's terminal said no) · expired (not there in time)

After a restart, or a line that came back, whoever is not seen at their place is sent *again* from where they are.

Values are `twin.wire.DispatchView`, frozen; times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from twin.errors import TwinError
from twin.ports import CommandAck, DispatchOrder
from twin.wire import DispatchView

WALK_MPS = 1.2
ARRIVED_M, ARRIVED_DZ_M = 5.0, 1.8
AGAIN = "sent again"
UNDER_WAY = frozenset({"requested", "sent", "accepted"})


class DispatchError(TwinError):
    """This person cannot be sent there."""


def time_for(metres: float) -> float:
    """Seconds a person may take: twice the walk, and three minutes to set out."""
    return 2 * metres / WALK_MPS + 180.0


def step(dispatch: DispatchView, state: str, now_ms: float, note: str = "") -> DispatchView:
    """The dispatch one step on."""
    return replace(dispatch, state=state, steps=[*dispatch.steps, (state, now_ms, note)])


def on_ack(dispatch: DispatchView, ack: CommandAck, now_ms: float) -> DispatchView:
    """After the person's terminal answered; an answer nobody waits for changes nothing."""
    if dispatch.state != "sent":
        return dispatch
    return step(dispatch, "accepted" if ack.accepted else "refused", now_ms, ack.note)


def on_fix(dispatch: DispatchView, xyz: NDArray[np.float64], fixed_ms: float) -> DispatchView:
    """After a fix of the person (park metres): arrived when it is at the end of the way, and later than the order."""
    if dispatch.state not in ("sent", "accepted") or fixed_ms <= dispatch.steps[-1][1] or not np.isfinite(xyz).all():
        return dispatch
    gap = np.asarray(dispatch.route[-1]) - xyz
    if np.hypot(gap[0], gap[1]) > ARRIVED_M or abs(gap[2]) > ARRIVED_DZ_M:
        return dispatch
    return step(dispatch, "arrived", fixed_ms)


def on_time(dispatch: DispatchView, now_ms: float) -> DispatchView:
    """After time has passed: sent at once, expired when it took too long."""
    if dispatch.state == "requested":
        return step(dispatch, "sent", now_ms)
    if dispatch.state in UNDER_WAY and now_ms >= dispatch.expires_ms:
        return step(dispatch, "expired", now_ms, "not at the place in time")
    return dispatch


def again(dispatch: DispatchView, way: tuple[list[tuple[float, float, float]], float], now_ms: float) -> DispatchView:
    """After a restart or a lost line: sent once more under the same id, from where the person is now, with time for that."""
    route, metres = way
    after = replace(dispatch, route=route, metres=round(metres, 1),
                    expires_ms=max(dispatch.expires_ms, now_ms + time_for(metres) * 1000))
    return step(after, "sent", now_ms, AGAIN)


def order_of(dispatch: DispatchView, node: str) -> DispatchOrder:
    """What goes to the person's terminal."""
    return DispatchOrder(id=dispatch.id, track=dispatch.track, person=dispatch.person, node=node, reason=dispatch.reason,
                         route=tuple(dispatch.route), expires=dispatch.expires_ms / 1000)


def release_of(dispatch: DispatchView, node: str) -> DispatchOrder:
    """Tells the person that it is over."""
    return DispatchOrder(id=f"{dispatch.id}-release", track=dispatch.track, person=dispatch.person, node=node, reason="",
                         route=(), expires=dispatch.expires_ms / 1000)
