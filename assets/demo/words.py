"""The names of rooms and storeys in both languages, and what each use of a room needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """What a room is for. width_m 0 means: takes a share of what is left; people_per_m2 is the design density."""

    key: str
    name: str
    name_zh: str
    width_m: float = 0.0
    door_m: float = 1.0
    people_per_m2: float = 0.0


_ROWS = [
    Use("corridor", "Corridor", "走廊"),
    Use("aisle", "Aisle", "通道"),
    Use("link", "Passage", "连廊", 2.2),
    Use("stair", "Stairwell", "楼梯间", 3.2, 1.2),
    Use("lift", "Lift shaft", "电梯井", 5.0, 1.1),
    Use("riser", "Riser", "管井"),
    Use("wc", "Washroom", "卫生间", 4.2, 0.9),
    Use("ahu", "Air handling room", "空调机房", 4.0, 1.2),
    Use("elec", "Electrical room", "配电间", 2.8, 0.9),
    Use("lobby", "Lobby", "门厅", 0.0, 1.8, 0.03),
    Use("office", "Open office", "开放办公", 0.0, 1.6, 0.10),
    Use("meeting", "Meeting room", "会议室", 0.0, 1.0, 0.12),
    Use("lab", "Laboratory", "实验室", 0.0, 1.4, 0.05),
    Use("test", "Test room", "测试间", 0.0, 1.4, 0.04),
    Use("training", "Training room", "培训室", 0.0, 1.4, 0.12),
    Use("seminar", "Seminar room", "研讨室", 0.0, 1.0, 0.12),
    Use("multi", "Multi-purpose hall", "多功能厅", 0.0, 1.8, 0.10),
    Use("archive", "Archive", "档案室", 0.0, 1.0, 0.01),
    Use("manager", "Manager's office", "经理室", 0.0, 1.0, 0.04),
    Use("pantry", "Pantry", "茶水间", 0.0, 1.0, 0.03),
    Use("server", "Server room", "数据机房", 0.0, 1.4, 0.01),
    Use("store", "Store room", "库房", 0.0, 1.4, 0.005),
    Use("dorm", "Dormitory room", "宿舍", 0.0, 0.9, 0.08),
    Use("laundry", "Laundry", "洗衣房", 0.0, 1.0, 0.02),
    Use("dining", "Dining hall", "餐厅", 0.0, 1.8, 0.25),
    Use("kitchen", "Kitchen", "厨房", 0.0, 1.6, 0.06),
    Use("cafe", "Café", "咖啡厅", 0.0, 1.8, 0.12),
    Use("exhibition", "Exhibition hall", "展厅", 0.0, 1.8, 0.05),
    Use("reception", "Visitor reception", "访客接待", 0.0, 1.8, 0.05),
    Use("security", "Security control room", "安防控制室", 0.0, 1.0, 0.06),
    Use("ioc", "Operations centre", "运营指挥中心", 0.0, 1.8, 0.06),
    Use("datahall", "Data hall", "数据大厅", 0.0, 1.8, 0.005),
    Use("ups", "UPS room", "UPS 间", 0.0, 1.4, 0.0),
    Use("battery", "Battery room", "电池间", 0.0, 1.4, 0.0),
    Use("cooling", "Cooling plant", "制冷机房", 0.0, 1.8, 0.005),
    Use("pumps", "Fire pump room", "消防泵房", 0.0, 1.4, 0.0),
    Use("substation", "Substation", "变配电室", 0.0, 1.6, 0.002),
    Use("boiler", "Heat exchange room", "换热站", 0.0, 1.6, 0.0),
    Use("control", "Control room", "值班室", 0.0, 1.0, 0.06),
    Use("production", "Production line", "生产线", 0.0, 3.0, 0.02),
    Use("qc", "Quality inspection", "质检间", 0.0, 1.4, 0.05),
    Use("parking", "Parking level", "停车层", 0.0, 3.0, 0.0),
]
USES = {use.key: use for use in _ROWS}

#: uses that no wall closes off from the corridor
OPEN_USES = frozenset({"link", "production", "parking", "lobby"})
#: uses nobody works in
SERVICE_USES = frozenset({"corridor", "aisle", "link", "stair", "lift", "riser", "wc", "ahu", "elec"})
#: uses that people cannot enter
SEALED_USES = frozenset({"lift", "riser"})

_DIGITS = "零一二三四五六七八九十"


def storey_name_zh(number: int) -> str:
    """'三层' for 3, '二十一层' for 21."""
    tens, ones = divmod(number, 10)
    text = (_DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones] if ones else "")
    return f"{text}层"
