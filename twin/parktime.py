"""The park's own clock: days, hours and 'yesterday' are those of the place, not of the server or the reader."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pyproj import Transformer

from twin.park import ParkSpec


def zone_of(spec: ParkSpec) -> str:
    """IANA name of the park's time zone: `[park] timezone`, else from where the origin lies.

    China keeps one clock from border to border; elsewhere the hour nearest to the meridian stands in, without summer time.
    """
    if spec.timezone:
        return spec.timezone
    east, north = Transformer.from_crs(spec.crs, "EPSG:4326", always_xy=True).transform(*spec.origin[:2])
    if 73.0 < east < 135.0 and 18.0 < north < 53.6:
        return "Asia/Shanghai"
    ahead = round(east / 15.0)
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"  # the sign of these names is turned by tradition


def offset_hours(zone: str, at: float | None = None) -> float:
    """Hours a zone is ahead of UTC at an instant (s; now when None)."""
    then = datetime.fromtimestamp(time.time() if at is None else at, UTC).astimezone(ZoneInfo(zone))
    offset = then.utcoffset()
    return offset.total_seconds() / 3600.0 if offset else 0.0


def keep(zone: str) -> None:
    """Make a zone this process' local time: a server serves one park and lives by its clock."""
    os.environ["TZ"] = zone
    time.tzset()
