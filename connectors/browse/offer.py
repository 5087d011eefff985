"""One thing a server offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An address with what the server tells of it. `group` is what looks like its device, `name` what it is called there.

    `value` is what it says now, as text; `type` goes into the points file where the protocol needs one.
    """

    address: str
    group: str
    name: str
    value: str = ""
    unit: str = ""
    type: str = ""
    can_write: bool = False


def shown(value: object) -> str:
    """A value on one short line."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())[:40]
