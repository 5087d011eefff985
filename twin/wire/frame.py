"""Binary frames: kinds, overlay channels, and how far a value can be trusted."""

from __future__ import annotations

from enum import IntEnum

MAGIC = 0x5054
VERSION = 2
HEADER_BYTES = 24


class FrameKind(IntEnum):
    """Binary frame kinds."""

    VALUES = 1
    POSITIONS = 2
    OVERLAY = 3


class Channel(IntEnum):
    """What an overlay paints on nodes (spaces, storeys, buildings)."""

    ENERGY = 1       # W/m², power density now
    TEMPERATURE = 2  # °C
    CO2 = 3          # ppm
    OCCUPANCY = 4    # people


class Quality(IntEnum):
    """How far a value can be trusted."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2
    STALE = 3
    NEVER = 4
