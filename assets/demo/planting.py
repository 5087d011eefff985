"""Seeded placing: trees, lamps, bollards, and the city around the park."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, Point, box

from assets.demo import land
from assets.demo.land import Feature

#: species, Chinese name, height range (m), crown as a share of the height
SPECIES = (
    ("Cinnamomum camphora", "香樟", 6.5, 10.0, 0.75),
    ("Platanus acerifolia", "悬铃木", 8.0, 12.0, 0.6),
    ("Koelreuteria paniculata", "栾树", 6.0, 9.5, 0.65),
    ("Ginkgo biloba", "银杏", 7.0, 11.0, 0.36),
    ("Metasequoia glyptostroboides", "水杉", 8.0, 13.0, 0.38),
    ("Pinus massoniana", "马尾松", 6.0, 10.0, 0.5),
    ("Prunus serrulata", "樱花", 3.8, 5.5, 0.8),
    ("Osmanthus fragrans", "桂花", 3.5, 5.5, 0.8),
    ("Salix babylonica", "垂柳", 6.0, 9.0, 0.8),
)
_STREET, _GARDEN, _BANK, _HILL = (0, 1, 2, 3), (0, 2, 3, 6, 7, 6), (8, 4, 8, 0), (5, 4, 0, 2, 5)


def _tree(number: int, xy: tuple[float, float], kinds: tuple[int, ...], chance: np.random.Generator) -> Feature:
    species, zh, low, high, crown = SPECIES[kinds[int(chance.integers(len(kinds)))]]
    height = round(float(chance.uniform(low, high)), 1)
    return Feature(
        id=f"T{number:04d}",
        geometry=Point(round(xy[0], 2), round(xy[1], 2)),
        name=species,
        name_zh=zh,
        more={
            "species": species,
            "height": height,
            "crown": round(height * crown * float(chance.uniform(0.85, 1.1)), 1),
        },
    )


def trees(seed: int) -> list[Feature]:
    """About a thousand trees: along the roads, in the gardens, on the banks, on the hills."""
    chance = np.random.default_rng(seed)
    solid = shapely.union_all(
        [
            *(f.buffer(3.6) for f in land.footprints().values()),
            land.road_area().buffer(1.0),
            *(a for *_, a, _ in land.PARKING),
            *(a.buffer(0.5) for *_, a in land.PLAZAS),
            land.pond().buffer(1.5),
            land.river().buffer(1.5),
            *(p.geometry.buffer(1.7) for p in land.paths()),
            land.SITE.exterior.buffer(1.5),
        ]
    )
    shapely.prepare(solid)
    spots: list[tuple[tuple[float, float], tuple[int, ...]]] = []
    for road in land.ROADS:
        line = LineString(road.line)
        for side in (-1, 1):
            for d in np.arange(6.0, line.length, 10.5):
                p, q = line.interpolate(d), line.interpolate(d + 0.1)
                nx, ny = (q.y - p.y) * 10, (p.x - q.x) * 10
                off = side * (road.width / 2 + 4.0)
                spots.append(((p.x + nx * off, p.y + ny * off), _STREET))
    areas = (
        (box(20, 16, 600, 410), 520, _GARDEN),
        (box(-60, 400, 680, 424), 190, _BANK),
        (box(-300, 456, 900, 490), 110, _BANK),
        (box(-420, 490, 1040, 760), 330, _HILL),
        (box(-12, -6, 632, 12), 60, _STREET),
    )
    for area, count, kinds in areas:
        x0, y0, x1, y1 = area.bounds
        groves = np.c_[chance.uniform(x0, x1, count), chance.uniform(y0, y1, count)]
        drift = chance.normal(0, 7.0, (count, 2))
        spots += [
            ((float(x), float(y)), kinds)
            for x, y in np.where((np.arange(count) % 3 > 0)[:, None], groves, np.roll(groves, 1, 0) + drift)
        ]
    out: list[Any] = []
    kept = np.empty((0, 2))
    for xy, kinds in spots:  # type: ignore[assignment]
        near = len(kept) and np.min(np.hypot(*(kept - xy).T)) < 4.6
        if near or solid.contains(Point(xy)):
            continue
        kept = np.vstack([kept, xy])
        out.append(_tree(len(out) + 1, xy, kinds, chance))
    return out


def lamps() -> list[Feature]:
    """Street lamps along the roads, lower ones along the promenade and the plazas."""
    out: list[Feature] = []
    keep_off = shapely.union_all([road.buffer(0.4) for road in (LineString(r.line).buffer(r.width / 2) for r in land.ROADS)])
    for road in land.ROADS:
        line = LineString(road.line)
        for k, d in enumerate(np.arange(14.0, line.length - 8, 28.0)):
            p, q = line.interpolate(d), line.interpolate(d + 0.1)
            side = 1 if k % 2 else -1
            nx, ny = (q.y - p.y) * 10, (p.x - q.x) * 10
            spot = Point(
                round(p.x + side * nx * (road.width / 2 + 0.9), 2), round(p.y + side * ny * (road.width / 2 + 0.9), 2)
            )
            if not keep_off.contains(spot):
                out.append(
                    Feature(
                        id=f"L{len(out) + 1:03d}",
                        geometry=spot,
                        name=f"Lamp {len(out) + 1}",
                        name_zh=f"路灯 {len(out) + 1}",
                        more={"height": 7.5},
                    )
                )
    spots = [(x, 413.2) for x in range(40, 600, 32)] + [(x, y) for x in range(322, 408, 28) for y in (170, 202)]
    for x, y in spots:
        out.append(
            Feature(
                id=f"L{len(out) + 1:03d}",
                geometry=Point(x, y),
                name=f"Lamp {len(out) + 1}",
                name_zh=f"景观灯 {len(out) + 1}",
                more={"height": 4.2},
            )
        )
    return out


def bollards() -> list[Feature]:
    """Bollards across the plaza mouths and the main gate's footway."""
    rows = (
        [(320 + 2.0 * k, 166.5) for k in range(44)]
        + [(434.0, 280 + 1.8 * k) for k in range(11)]
        + [(234 + 1.6 * k, 35.4) for k in range(5)]
    )
    return [
        Feature(id=f"B{k + 1:03d}", geometry=Point(round(x, 2), round(y, 2)), more={"height": 0.9})
        for k, (x, y) in enumerate(rows)
    ]


def city(seed: int) -> list[Feature]:
    """City blocks outside the fence: height by chance, taller clusters here and there, none on the hills."""
    chance = np.random.default_rng(seed + 1)
    avoid = shapely.union_all(
        [box(-45, -34, 668, 470), land.river().buffer(26), box(-900, 440, 1500, 830), land.road_area().buffer(5)]
    )
    shapely.prepare(avoid)
    out: list[Any] = []
    for gx in range(-880, 1480, 62):
        for gy in (*range(-680, 400, 58), *range(850, 1340, 66)):
            x, y = gx + chance.uniform(4, 16), gy + chance.uniform(4, 14)
            w, d = chance.uniform(18, 44), chance.uniform(14, 34)
            tall = math.exp(-(((x - 980) ** 2 + (y + 120) ** 2) / 160_000)) + math.exp(
                -(((x + 420) ** 2 + (y - 980) ** 2) / 220_000)
            )
            height = chance.uniform(9, 26) + (chance.uniform(10, 70) if chance.random() < 0.12 + 0.35 * tall else 0.0)
            area = box(round(x, 2), round(y, 2), round(x + w, 2), round(y + d, 2))
            if chance.random() < 0.2 or avoid.intersects(area):
                continue
            out.append(
                Feature(
                    id=f"C{len(out) + 1:03d}",
                    geometry=area,
                    name=f"City block {len(out) + 1}",
                    name_zh=f"周边建筑 {len(out) + 1}",
                    more={"height": round(float(height), 1)},
                )
            )
    return out
