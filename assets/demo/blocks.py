"""The buildings of the sample park: where each stands in the park frame, how big it is, what it is for."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point2 = tuple[float, float]

PARK_ID = "riverbend"
PARK_NAME = "Riverbend Park"
PARK_NAME_ZH = "江湾智慧产业园"
CRS = "EPSG:4549"
ORIGIN = (519200.0, 3342600.0, 0.0)

ZONES = (
    ("front", "Gateway", "门户区"),
    ("research", "Research and development", "研发区"),
    ("production", "Production", "生产区"),
    ("living", "Living", "生活区"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One building. (x, y) is its south-west corner in park metres, turned counter-clockwise about that corner."""

    id: str
    name: str
    name_zh: str
    zone: str
    program: str
    facade: str
    x: float
    y: float
    length: float
    width: float
    storeys: int
    ground_m: float = 4.5
    storey_m: float = 4.2
    turn_deg: float = 0.0
    has_pv: bool = False
    is_georeferenced: bool = False

    def park_from_local(self, x: float, y: float) -> Point2:
        """A point of the building's own frame in park metres."""
        c, s = math.cos(math.radians(self.turn_deg)), math.sin(math.radians(self.turn_deg))
        return self.x + c * x - s * y, self.y + s * x + c * y

    def corners(self, margin: float = 0.0) -> list[Point2]:
        """The footprint's corners in park metres, counter-clockwise, grown by a margin."""
        m = margin
        ring = ((-m, -m), (self.length + m, -m), (self.length + m, self.width + m), (-m, self.width + m))
        return [self.park_from_local(x, y) for x, y in ring]

    def elevation(self, index: int) -> float:
        """Floor level of the storey with this 0-based index (metres above the ground floor)."""
        return round(0.0 if index == 0 else self.ground_m + (index - 1) * self.storey_m, 3)

    @property
    def roof_level(self) -> float:
        """Top of the topmost storey."""
        return self.elevation(self.storeys)


BLOCKS = (
    Block(
        id="t1",
        name="River Tower",
        name_zh="江湾塔楼",
        zone="front",
        program="tower",
        facade="curtain",
        x=440,
        y=302,
        length=60,
        width=46,
        storeys=20,
        ground_m=5.4,
        storey_m=4.2,
        is_georeferenced=True,
    ),
    Block(
        id="a1",
        name="R&D Building A1",
        name_zh="A1 研发主楼",
        zone="research",
        program="rd",
        facade="ribbon_cool",
        x=244,
        y=101,
        length=76,
        width=30,
        storeys=5,
    ),
    Block(
        id="a2",
        name="R&D Building A2",
        name_zh="A2 研发楼",
        zone="research",
        program="rd",
        facade="ribbon_sand",
        x=248,
        y=55,
        length=70,
        width=28,
        storeys=4,
        has_pv=True,
    ),
    Block(
        id="a3",
        name="R&D Building A3",
        name_zh="A3 研发楼",
        zone="research",
        program="rd",
        facade="ribbon",
        x=244,
        y=206,
        length=66,
        width=30,
        storeys=5,
    ),
    Block(
        id="a4",
        name="Laboratory A4",
        name_zh="A4 实验楼",
        zone="research",
        program="lab",
        facade="punched_grey",
        x=346,
        y=70,
        length=50,
        width=32,
        storeys=5,
        storey_m=4.0,
    ),
    Block(
        id="a5",
        name="R&D Building A5",
        name_zh="A5 研发楼",
        zone="research",
        program="rd",
        facade="ribbon_cool",
        x=246,
        y=346,
        length=74,
        width=26,
        storeys=4,
        turn_deg=-5.0,
        has_pv=True,
    ),
    Block(
        id="b1",
        name="Data Centre",
        name_zh="B1 数据中心",
        zone="production",
        program="datacentre",
        facade="solid",
        x=58,
        y=178,
        length=60,
        width=42,
        storeys=3,
        ground_m=5.4,
        storey_m=5.0,
    ),
    Block(
        id="b2",
        name="Production Hall",
        name_zh="B2 生产车间",
        zone="production",
        program="hall",
        facade="high",
        x=56,
        y=294,
        length=140,
        width=78,
        storeys=1,
        ground_m=9.0,
    ),
    Block(
        id="b3",
        name="Energy Centre",
        name_zh="B3 能源中心",
        zone="production",
        program="energy",
        facade="vent",
        x=146,
        y=180,
        length=56,
        width=34,
        storeys=2,
        ground_m=6.0,
        storey_m=4.5,
        has_pv=True,
    ),
    Block(
        id="c1",
        name="Canteen",
        name_zh="C1 员工餐厅",
        zone="living",
        program="canteen",
        facade="shop",
        x=436,
        y=200,
        length=52,
        width=36,
        storeys=2,
        ground_m=5.0,
        storey_m=4.6,
        has_pv=True,
    ),
    Block(
        id="d1",
        name="Residence D1",
        name_zh="D1 宿舍楼",
        zone="living",
        program="dorm",
        facade="punched",
        x=440,
        y=55,
        length=72,
        width=16.5,
        storeys=6,
        ground_m=3.6,
        storey_m=3.4,
    ),
    Block(
        id="d2",
        name="Residence D2",
        name_zh="D2 宿舍楼",
        zone="living",
        program="dorm",
        facade="punched",
        x=440,
        y=87,
        length=72,
        width=16.5,
        storeys=6,
        ground_m=3.6,
        storey_m=3.4,
    ),
    Block(
        id="d3",
        name="Residence D3",
        name_zh="D3 宿舍楼",
        zone="living",
        program="dorm",
        facade="punched",
        x=440,
        y=119,
        length=72,
        width=16.5,
        storeys=6,
        ground_m=3.6,
        storey_m=3.4,
    ),
    Block(
        id="p1",
        name="Parking Deck",
        name_zh="P1 停车楼",
        zone="front",
        program="deck",
        facade="deck",
        x=508,
        y=176,
        length=58,
        width=48,
        storeys=4,
        ground_m=3.6,
        storey_m=3.2,
    ),
    Block(
        id="g1",
        name="Visitor Centre",
        name_zh="G1 访客中心",
        zone="front",
        program="visitor",
        facade="shop",
        x=168,
        y=58,
        length=38,
        width=22,
        storeys=2,
        ground_m=4.8,
        storey_m=4.2,
        turn_deg=8.0,
    ),
    Block(
        id="g2",
        name="Main Gatehouse",
        name_zh="G2 主门岗",
        zone="front",
        program="gatehouse",
        facade="shop",
        x=234,
        y=20,
        length=11,
        width=7.0,
        storeys=1,
        ground_m=3.8,
    ),
)
BLOCK_OF = {block.id: block for block in BLOCKS}
