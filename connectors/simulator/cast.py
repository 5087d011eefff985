"""Who is in the park: invented people and vehicles, the same for the same seed."""

from __future__ import annotations

import numpy as np

from twin.ports import TrackInfo

_FAMILY = (
    ("林", "Lin"),
    ("周", "Zhou"),
    ("沈", "Shen"),
    ("陆", "Lu"),
    ("许", "Xu"),
    ("何", "He"),
    ("韩", "Han"),
    ("潘", "Pan"),
    ("曹", "Cao"),
    ("邓", "Deng"),
    ("冯", "Feng"),
    ("程", "Cheng"),
    ("蒋", "Jiang"),
    ("宋", "Song"),
    ("唐", "Tang"),
    ("魏", "Wei"),
    ("叶", "Ye"),
    ("余", "Yu"),
    ("钟", "Zhong"),
    ("方", "Fang"),
)
_GIVEN = (
    ("晓", "xiao"),
    ("文", "wen"),
    ("子", "zi"),
    ("雨", "yu"),
    ("嘉", "jia"),
    ("思", "si"),
    ("明", "ming"),
    ("若", "ruo"),
    ("一", "yi"),
    ("书", "shu"),
)
_LAST = (
    ("彤", "tong"),
    ("远", "yuan"),
    ("宁", "ning"),
    ("涵", "han"),
    ("泽", "ze"),
    ("琳", "lin"),
    ("航", "hang"),
    ("晨", "chen"),
    ("悦", "yue"),
    ("岚", "lan"),
    ("博", "bo"),
    ("清", "qing"),
)
ROLES = (("staff", 240), ("visitor", 18), ("guard", 14), ("cleaner", 16), ("maintenance", 12))
CARS, SHUTTLES = 54, 6
INTRUDER = "X-001"


def cast(seed: int) -> tuple[TrackInfo, ...]:
    """Three hundred people, sixty vehicles and one who should not be there; dense numbers from 0."""
    chance = np.random.default_rng(seed)
    out: list[TrackInfo] = []
    for role, count in ROLES:
        for k in range(count):
            family, given, last = (
                _FAMILY[chance.integers(len(_FAMILY))],
                _GIVEN[chance.integers(len(_GIVEN))],
                _LAST[chance.integers(len(_LAST))],
            )
            out.append(
                TrackInfo(
                    i=len(out),
                    id=f"P-{role[:3].upper()}-{k + 1:03d}",
                    kind="person",
                    role=role,
                    name=f"{family[1]} {given[1].capitalize()}{last[1]}",
                    name_zh=family[0] + given[0] + last[0],
                )
            )
    for k in range(CARS + SHUTTLES):
        is_shuttle = k >= CARS
        plate = "".join("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"[i] for i in chance.integers(0, 34, 5))
        name, zh = (
            (f"Shuttle {k - CARS + 1}", f"园区巡游车 {k - CARS + 1} 号") if is_shuttle else (f"Car {plate}", f"浙A·{plate}")
        )
        out.append(
            TrackInfo(
                i=len(out),
                id=f"V-{k + 1:03d}",
                kind="vehicle",
                role="shuttle" if is_shuttle else "car",
                name=name,
                name_zh=zh,
            )
        )
    out.append(TrackInfo(i=len(out), id=INTRUDER, kind="person", role="unknown", name="Unknown person", name_zh="未知人员"))
    return tuple(out)
