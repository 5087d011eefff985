"""The root of every JSON message."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", omit_defaults=False):
    """Root of every JSON message."""
