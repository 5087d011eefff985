"""One row of the sample park's devices.csv, and what the kinds are called."""

from __future__ import annotations

from dataclasses import dataclass

from assets.demo.blocks import Block
from assets.demo.plan import Cell, Storey
from assets.demo.words import USES

COLUMNS = ("id", "kind", "name", "name_zh", "building", "storey", "space", "guid", "x", "y", "z", "feeds", "heading")
_LABELS = {
    "ahu": ("Air handling unit", "空调机组"),
    "fcu": ("Fan coil", "风机盘管"),
    "chiller": ("Chiller", "冷水机组"),
    "cooling_tower": ("Cooling tower", "冷却塔"),
    "pump": ("Pump", "水泵"),
    "env_sensor": ("Room climate", "环境传感器"),
    "meter": ("Meter", "电表"),
    "panel": ("Distribution board", "配电箱"),
    "transformer": ("Transformer", "变压器"),
    "pv_inverter": ("PV inverter", "光伏逆变器"),
    "lighting": ("Lighting", "照明回路"),
    "camera": ("Camera", "摄像机"),
    "door": ("Access door", "门禁"),
    "gate": ("Gate", "道闸"),
    "intrusion": ("Perimeter detector", "周界探测器"),
    "smoke": ("Smoke detector", "烟感"),
    "hydrant": ("Hydrant", "消火栓"),
    "fire_pump": ("Fire pump", "消防泵"),
    "lift": ("Lift", "电梯"),
    "water_meter": ("Water meter", "水表"),
    "gas_meter": ("Gas meter", "燃气表"),
    "heat_meter": ("Heat meter", "热量表"),
    "cooling_meter": ("Cooling meter", "冷量表"),
    "parking": ("Parking", "停车区"),
    "charger": ("EV charger", "充电桩"),
    "weather": ("Weather station", "气象站"),
    "screen": ("Screen", "信息屏"),
    "speaker": ("Loudspeaker", "广播"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One device; `at` is park metres, `heading` (cameras) degrees clockwise from grid north."""

    id: str
    kind: str
    place: str
    place_zh: str
    building: str = ""
    storey: str = ""
    space: str = ""
    guid: str = ""
    at: tuple[float, float, float] | None = None
    feeds: str = ""
    heading: float | None = None

    def cells(self) -> list[str]:
        """The row as CSV cells, names in both languages."""
        name, zh = _LABELS[self.kind]
        xyz = [f"{v:.2f}" for v in self.at] if self.at else ["", "", ""]
        return [
            self.id,
            self.kind,
            f"{self.place} {name}".strip(),
            f"{self.place_zh}{zh}",
            self.building,
            self.storey,
            self.space,
            self.guid,
            *xyz,
            self.feeds,
            "" if self.heading is None else f"{self.heading:g}",
        ]


def floor_tag(block: Block, storey: Storey) -> str:
    return f"{block.id.upper()}-F{storey.number}"


def room_names(block: Block, storey: Storey, cell: Cell) -> tuple[str, str]:
    use = USES[cell.use]
    return (
        f"{block.id.upper()} {storey.name} {use.name} {cell.number}",
        f"{block.id.upper()} {storey.name} {use.name_zh} {cell.number} ",
    )
