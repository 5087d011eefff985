"""The day outside and the day's people: what every simulated value leans on. Pure functions of the instant."""

from __future__ import annotations

import math
from dataclasses import dataclass

from connectors.simulator.chance import uniform

DAY_SECS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the park is: degrees, and hours of its local clock ahead of UTC."""

    latitude: float = 30.2
    utc_offset_hours: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """One instant: local hour 0..24, outdoor °C, sun 0..1 of 1000 W/m², cooling load 0..1, people present 0..1.

    `working` counts workplaces, `resting` residences.
    """

    hour: float
    day: int
    outdoor_c: float
    sun: float
    load: float
    working: float
    resting: float


def hump(hour: float, middle: float, width: float) -> float:
    """A bell over the clock, 1 at `middle`, wrapped at midnight."""
    gap = (hour - middle + 12.0) % 24.0 - 12.0
    return math.exp(-0.5 * (gap / width) ** 2)


def weekday_of(day: int) -> int:
    """0 for Monday of a local day counted from 1970."""
    return (day + 3) % 7


def attendance_of(weekday: int) -> float:
    """How many of those who work here come: all on weekdays, most on a Saturday, few on a Sunday."""
    return (1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.35)[weekday]


def _ramp(hour: float, start: float, end: float) -> float:
    share = min(max((hour - start) / (end - start), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def climate_at(now: float, site: Site, seed: int) -> Climate:
    """Weather and occupancy at an instant (seconds since 1970 UTC)."""
    local = now + site.utc_offset_hours * 3600.0
    day, hour = int(local // DAY_SECS), (local % DAY_SECS) / 3600.0
    weekday = weekday_of(day)
    of_year = (day % 365.2425) / 365.2425
    tilt = math.radians(-23.44) * math.cos(2 * math.pi * (of_year + 10 / 365))
    latitude = math.radians(site.latitude)
    high = math.sin(latitude) * math.sin(tilt) + math.cos(latitude) * math.cos(tilt) * math.cos(
        math.pi * (hour - 12.0) / 12.0
    )
    cloud = 0.15 + 0.55 * float(uniform(seed, 11, day)[0]) ** 1.5
    sun = max(high, 0.0) ** 1.1 * (1.05 - cloud)
    season = 17.0 - 11.5 * math.cos(2 * math.pi * (of_year - 0.055))
    outdoor = season + 4.2 * hump(hour, 14.8, 4.0) - 2.4 + 3.0 * (float(uniform(seed, 13, day)[0]) - 0.5)
    load = min(max((outdoor - 8.0) / 24.0, 0.12), 1.0)
    busy = _ramp(hour, 7.3, 9.3) * (1 - _ramp(hour, 17.2, 20.5)) * (1 - 0.22 * hump(hour, 12.4, 0.45))
    late = 0.05 + 0.07 * hump(hour, 20.5, 1.6)
    share = attendance_of(weekday)
    working = min(late + 0.93 * busy * share, 1.0)
    resting = min(0.22 + 0.75 * (1 - _ramp(hour, 6.8, 9.0) * (1 - _ramp(hour, 17.5, 21.5))), 1.0)
    return Climate(hour=hour, day=day, outdoor_c=outdoor, sun=sun, load=load, working=working, resting=resting)
