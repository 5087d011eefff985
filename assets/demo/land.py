"""The ground of the sample park in park metres: roads, paths, greens, water, parking, fence, pipes. Pure geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, box

from assets.demo.blocks import BLOCKS, Block
from assets.demo.programs import storeys_of

Xy = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One row of a layer: a geometry in park metres and its columns."""

    id: str
    geometry: shapely.Geometry
    name: str = ""
    name_zh: str = ""
    more: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Road:
    """A straight or bent road: centre line and width in metres."""

    id: str
    name: str
    name_zh: str
    width: float
    line: tuple[Xy, ...]


ROADS = (
    Road("ring-s", "South Ring Road", "环园南路", 8.0, ((40, 40), (580, 40))),
    Road("ring-n", "Riverside Road", "滨江路", 8.0, ((40, 400), (580, 400))),
    Road("ring-w", "West Ring Road", "环园西路", 8.0, ((40, 40), (40, 400))),
    Road("ring-e", "East Ring Road", "环园东路", 8.0, ((580, 40), (580, 400))),
    Road("innovation", "Innovation Avenue", "创新大道", 12.0, ((225, -20), (225, 400))),
    Road("garden", "Garden Road", "花园路", 9.0, ((420, 40), (420, 400))),
    Road("science", "Science Road", "科学路", 11.0, ((-25, 150), (580, 150))),
    Road("craft", "Craft Road", "匠心路", 9.0, ((40, 270), (645, 270))),
)
CITY_ROADS = (
    Road("city-s", "Jiangwan Street", "江湾街", 20.0, ((-900, -20), (1500, -20))),
    Road("city-w", "Westbank Street", "西岸路", 16.0, ((-25, -700), (-25, 415))),
    Road("city-e", "Eastgate Street", "东门路", 16.0, ((645, -700), (645, 410))),
    *(Road(f"city-y{k}", "", "", 12.0, ((-900, y), (1500, y))) for k, y in enumerate((-190, -360, -530))),
    *(
        Road(f"city-x{k}", "", "", 12.0, ((x, -700), (x, 400 if not -30 < x < 650 else -20)))
        for k, x in enumerate((-700, -480, -250, 190, 430, 880, 1110, 1320))
    ),
)
GATES = (
    ("main", "Main Gate", "主大门", 225.0, 12.0),
    ("west", "Logistics Gate", "物流西门", 14.0, 150.0),
    ("east", "East Gate", "东门", 606.0, 270.0),
)
SITE = box(14, 12, 606, 416)
_COLUMNS, _LINES = (40.0, 225.0, 420.0, 580.0), (40.0, 150.0, 270.0, 400.0)
_HALF = {40.0: 4.0, 580.0: 4.0, 400.0: 4.0, 225.0: 6.0, 420.0: 4.5, 150.0: 5.5, 270.0: 4.5}
SIDEWALK_M = 2.2


def river_y(x: float) -> float:
    """The middle of the river, north of the park."""
    return 441.0 + 11.0 * math.sin(x / 150.0 + 0.6) + 5.0 * math.sin(x / 61.0)


def river_half(x: float) -> float:
    """Half the river's width."""
    return 15.5 + 2.5 * math.sin(x / 97.0 + 1.0)


@cache
def river() -> Polygon:
    """The water surface."""
    xs = np.arange(-900.0, 1501.0, 12.0)
    south = [(float(x), river_y(x) - river_half(x)) for x in xs]
    north = [(float(x), river_y(x) + river_half(x)) for x in xs[::-1]]
    return Polygon([*south, *north])


@cache
def pond() -> Polygon:
    """The pond on the central green."""
    return Polygon(
        [
            (
                372 + 25 * math.cos(a) * (1 + 0.16 * math.sin(2 * a)),
                226 + 15 * math.sin(a) * (1 + 0.2 * math.cos(3 * a)),
            )
            for a in np.linspace(0, 2 * math.pi, 36, endpoint=False)
        ]
    )


@cache
def footprints() -> dict[str, Polygon]:
    """Every building's footprint."""
    return {block.id: Polygon(block.corners()) for block in BLOCKS}


@cache
def road_area() -> shapely.Geometry:
    """Everything that is carriageway inside and around the park."""
    return shapely.union_all([LineString(r.line).buffer(r.width / 2, cap_style="square") for r in (*ROADS, *CITY_ROADS)])


PARKING = (
    ("P-S", "South Car Park", "南停车场", box(62, 88, 150, 136), 96),
    ("P-C", "Central Car Park", "中心停车场", box(338, 290, 404, 342), 64),
    ("P-E", "Energy Yard", "能源站停车场", box(136, 226, 206, 254), 40),
    ("P-T", "Tower Forecourt", "塔楼前停车场", box(512, 330, 568, 384), 54),
)
PLAZAS = (
    ("central", "Central Plaza", "中心广场", box(318, 168, 408, 204)),
    ("tower", "Tower Plaza", "塔楼广场", box(436, 279, 506, 301)),
    ("gate", "Gate Plaza", "门前广场", Polygon([(232, 13), (262, 13), (262, 34), (232, 34)])),
    ("court", "Sports Court", "运动场", box(524, 56, 566, 128)),
    ("canteen", "Canteen Terrace", "餐厅外摆区", box(438, 184, 486, 199.5)),
    ("promenade", "River Promenade", "滨江步道", LineString([(20, 411), (600, 411)]).buffer(2.4, cap_style="flat")),
)


@cache
def entrances() -> tuple[Feature, ...]:
    """Points just outside every outside door."""
    out: list[Feature] = []
    for block in BLOCKS:
        for wall in storeys_of(block)[0].walls:
            if not wall.is_external:
                continue
            dx, dy = (wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length
            for gap in wall.gaps:
                if gap.sill > 0:
                    continue
                at = gap.at + gap.width / 2
                x, y = block.park_from_local(wall.x0 + dx * at + dy * 0.9, wall.y0 + dy * at - dx * 0.9)
                is_main = gap.make == "entrance"
                out.append(
                    Feature(
                        id=f"{block.id}-{gap.name or len(out)}",
                        geometry=Point(round(x, 2), round(y, 2)),
                        name=f"{block.id.upper()} entrance",
                        name_zh=f"{block.id.upper()} 出入口",
                        more={"building": block.id, "main": int(is_main), "width": gap.width},
                    )
                )
    return tuple(out)


@cache
def _network() -> shapely.Geometry:
    """Sidewalks along the roads and the paths through the blocks, noded."""
    lines = []
    for x in _COLUMNS:
        lines += [LineString([(x + s * (_HALF[x] + 1.6), 34.4), (x + s * (_HALF[x] + 1.6), 405.6)]) for s in (-1, 1)]
    for y in _LINES:
        lines += [LineString([(34.4, y + s * (_HALF[y] + 1.6)), (585.6, y + s * (_HALF[y] + 1.6))]) for s in (-1, 1)]
    lines += [
        LineString(c)
        for c in (
            [(232.6, 92), (413.9, 92)],
            [(426.1, 79), (574.4, 79)],
            [(426.1, 111), (574.4, 111)],
            [(518, 45.6), (518, 142.9)],
            [(497, 157.1), (497, 263.9)],
            [(232.6, 200), (413.9, 200)],
            [(322, 157.1), (322, 263.9)],
            [(232.6, 336), (334, 336)],
            [(334, 276.1), (334, 394.4)],
            [(426.1, 292), (574.4, 292)],
            [(509, 276.1), (509, 394.4)],
            [(130, 157.1), (130, 263.9)],
            [(217.4, 84), (45.6, 84)],
            [(217.4, 286), (45.6, 286)],
            [(20, 411), (600, 411)],
            [(34.4, 405.6), (34.4, 411)],
            [(585.6, 405.6), (585.6, 411)],
            [(217.4, -6), (217.4, 34.4)],
            [(232.6, -6), (232.6, 34.4)],
        )
    ]
    return shapely.node(shapely.union_all(lines))


@cache
def paths() -> tuple[Feature, ...]:
    """Footpaths, each end to end: the network, and a spur from every entrance to the nearest point of it in sight."""
    solid = shapely.union_all(list(footprints().values())).buffer(0.3)
    network = _network()
    samples = np.array(
        [(p.x, p.y) for line in network.geoms for p in (line.interpolate(d) for d in np.arange(0.0, line.length, 2.0))]
    )
    spurs = []
    for door in entrances():
        start = np.array([door.geometry.x, door.geometry.y])
        order = np.argsort(np.hypot(*(samples - start).T))
        for k in order[:160]:
            spur = LineString([start, samples[k]])
            if spur.length > 0.5 and not spur.crosses(solid.buffer(-0.2)):
                spurs.append(spur)
                break
    whole = shapely.node(shapely.union_all([*network.geoms, *spurs]))
    return tuple(
        Feature(id=f"{k + 1}", geometry=line, more={"width": SIDEWALK_M})
        for k, line in enumerate(sorted(whole.geoms, key=lambda g: g.wkt))
    )


def greens() -> list[Feature]:
    """Lawns: what is left between buildings, paths and hard ground; the verge, the river banks and the hills."""
    hard = shapely.union_all(
        [
            *(f.buffer(2.4, join_style="mitre") for f in footprints().values()),
            *(p.geometry.buffer(SIDEWALK_M / 2) for p in paths()),
            *(area for *_, area, _ in PARKING),
            *(area for *_, area in PLAZAS),
            road_area().buffer(2.9, join_style="mitre"),
            pond(),
            river().buffer(1.0),
        ]
    )
    wanted = (
        ("park", SITE.buffer(6, join_style="mitre")),
        ("bank", box(-200, 405, 820, 480)),
        ("hills", box(-900, 440, 1500, 900)),
        ("south", box(-15, -8, 635, 14)),
        ("west", box(-15, -8, 16, 430)),
        ("east", box(604, -8, 635, 430)),
    )
    out, taken = [], hard
    for label, area in wanted:
        left = shapely.make_valid(area.difference(taken))
        taken = taken.union(area)
        parts = [g for g in shapely.get_parts(left) if g.geom_type == "Polygon" and g.area > 12]
        out += [
            Feature(id=f"{label}-{k + 1}", geometry=g.simplify(0.05), name="Lawn", name_zh="绿地")
            for k, g in enumerate(sorted(parts, key=lambda g: g.wkt))
        ]
    return out


def paving() -> list[Feature]:
    """Plazas and the aprons round the buildings."""
    rows = [Feature(id=key, geometry=area, name=name, name_zh=zh) for key, name, zh, area in PLAZAS]
    return rows + [
        Feature(id=f"apron-{key}", geometry=area.buffer(2.4, join_style="mitre").difference(area))
        for key, area in footprints().items()
    ]


def fence() -> list[Feature]:
    """The site fence with gaps at the gates."""
    gaps = shapely.union_all([Point(x, y).buffer(11) for *_, x, y in GATES])
    left = SITE.exterior.difference(gaps)
    return [
        Feature(id=f"{k + 1}", geometry=g, name="Site fence", name_zh="园区围栏", more={"height": 2.2})
        for k, g in enumerate(shapely.get_parts(shapely.line_merge(left)))
    ]


_MEDIA = (
    ("water", "Water main", "给水", -3.2, 0.30, 1.6),
    ("drain", "Storm drain", "排水", 0.0, 0.80, 3.2),
    ("power", "10 kV duct bank", "电力 10 kV", 3.4, 0.20, 1.0),
    ("heat", "Heat main", "供热", 1.8, 0.25, 2.2),
)


def pipes() -> list[Feature]:
    """Mains under the inner roads, one lane a medium, and a branch to every building."""
    out, mains = [], {}
    for medium, name, zh, lane, size, depth in _MEDIA:
        lines = [
            LineString([(225 + lane, 20), (225 + lane, 396)]),
            LineString([(420 + lane * 0.7, 44), (420 + lane * 0.7, 396)]),
            LineString([(44, 150 + lane), (576, 150 + lane)]),
            LineString([(44, 270 + lane * 0.8), (576, 270 + lane * 0.8)]),
        ]
        mains[medium] = shapely.union_all(lines)
        for k, line in enumerate(shapely.get_parts(shapely.node(mains[medium]))):
            out.append(
                Feature(
                    id=f"{medium}-{k + 1}",
                    geometry=line,
                    name=f"{name} DN{round(size * 1000)}",
                    name_zh=f"{zh} DN{round(size * 1000)}",
                    more={"medium": medium, "diameter_m": size, "depth_m": depth},
                )
            )
    for block in BLOCKS:
        for k, (medium, name, zh, _, size, depth) in enumerate(_MEDIA):
            if medium == "heat" and block.program in ("deck", "gatehouse", "datacentre"):
                continue
            out.append(_branch(block, k, (medium, name, zh, round(size * 0.5, 2), round(depth * 0.85, 2)), mains[medium]))
    return out


def _branch(block: Block, k: int, row: tuple[str, str, str, float, float], main: shapely.Geometry) -> Feature:
    """A service pipe from the nearest main to the building, at a right angle, 2 m from its neighbours."""
    medium, name, zh, size, depth = row
    x, y = block.park_from_local(block.length * 0.35 + 2.0 * k, block.width * 0.35 + 2.0 * k)
    end = shapely.shortest_line(Point(x, y), main).coords[-1]
    edge = LineString([(x, y), end])
    return Feature(
        id=f"{medium}-{block.id}",
        geometry=edge,
        name=f"{name} to {block.id.upper()} DN{round(size * 1000)}",
        name_zh=f"{block.id.upper()} {zh}支管 DN{round(size * 1000)}",
        more={"medium": medium, "diameter_m": size, "depth_m": depth},
    )
