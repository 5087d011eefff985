"""The colours of a park by day, sRGB bytes: soft stone, pale roofs, grey-green lawns. One place: one family."""

from __future__ import annotations

RGB = tuple[int, int, int]


def rgb(text: str) -> RGB:
    """(r, g, b) of '#rrggbb'."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


LAWN, LAWN_LIGHT = rgb("#8ea484"), rgb("#a0b192")
PAVING, PLAZA, ROAD, MARKING, KERB = (rgb(c) for c in ("#d8d5cc", "#e2ded5", "#8d9297", "#f1f0ea", "#c9c8c2"))
PARKING = rgb("#a3a6a8")
WALLS = tuple(rgb(c) for c in ("#efede8", "#dfe2e4", "#cdd5da", "#e6ddd0"))
SHED_WALLS = tuple(rgb(c) for c in ("#d5d9db", "#c8ced2"))
ROOF, ROOF_PLANT, PARAPET = rgb("#d3d3cf"), rgb("#c3c6c8"), rgb("#dcdbd6")
WATER = rgb("#7fa1ad")
CROWNS = tuple(rgb(c) for c in ("#8fa47c", "#76927a", "#9bad80"))
PARCEL = rgb("#c98a3a")
LAND = tuple(rgb(c) for c in ("#97ab8c", "#a3ad8f", "#8fa68e", "#a9b09a", "#9aa58a", "#93a994"))
WOOD, DARK, RED, GLASS_SHELTER, STONE = (rgb(c) for c in ("#a5845f", "#4d5459", "#c4503f", "#b9cbd3", "#c9c4b8"))
ROOF_TILES = tuple(rgb(c) for c in ("#b79a86", "#a9958a", "#9d9a96", "#b3a48f"))
TRUNK, METAL, LAMP_HEAD, FENCE = rgb("#6b5f52"), rgb("#5c646b"), rgb("#f6f1e2"), rgb("#6f787e")
CITY, CITY_ROOF = rgb("#d9dcdd"), rgb("#dfdfda")
CONTEXT, SKIRT = rgb("#c9d1c6"), rgb("#8f9a8a")
PIPES = {"water": rgb("#2f9bff"), "drain": rgb("#c08a52"), "power": rgb("#ffb02e"), "heat": rgb("#ff5b4d"),
         "gas": rgb("#f2d64b"), "data": rgb("#9a7bff"), "": rgb("#8fa3b5")}
