"""Street furniture: what a point's own words call it, and one low-poly mesh for each sort."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis import palette
from gis.mesh import Mesh, Surface, box_mesh, join
from gis.model import Layer
from gis.shapes import bollard, lamp, prism

#: Sort → words that mean it, in the order they are tried.
WORDS: dict[str, tuple[str, ...]] = {
    "shelter": ("bus_stop", "bus stop", "shelter", "kiosk", "候车", "公交", "亭"),
    "hydrant": ("hydrant", "消防栓", "消火栓"),
    "manhole": ("manhole", "inspection", "drain", "gully", "井盖", "检查井", "井"),
    "table": ("picnic", "table", "桌"),
    "bench": ("bench", "seat", "座椅", "长椅", "椅"),
    "rack": ("bicycle", "bike", "rack", "自行车"),
    "fountain": ("fountain", "喷泉", "drinking"),
    "planter": ("planter", "flower", "花箱", "花坛"),
    "bin": ("waste", "bin", "trash", "litter", "recycling", "垃圾"),
    "camera": ("surveillance", "camera", "cctv", "摄像", "监控"),
    "flagpole": ("flag", "旗杆"),
    "lamp": ("lamp", "light", "路灯", "灯"),
    "bollard": ("bollard", "柱"),
    "cabinet": ("cabinet", "box", "vending", "charging", "atm", "telephone", "post_box", "箱", "柜", "充电"),
    "sign": ("sign", "information", "advertising", "billboard", "board", "标识", "指示", "牌"),
}
_TYPE_COLUMNS = ("type", "kind", "category", "class", "asset_type", "name", "block", "layer")


def sorts(layer: Layer) -> NDArray[np.object_]:
    """The sort (n,) of every feature; "post" where no word of it is known."""
    lower = {name.lower(): values for name, values in layer.properties.items()}
    known = [lower[name] for name in _TYPE_COLUMNS if name in lower]
    said = np.full(len(layer), "post", dtype=object)
    for row in range(len(layer)):
        words = (str(column[row]).lower() for column in known)  # the first column with a known word decides
        said[row] = next((sort for text in words if text for sort, hints in WORDS.items()
                          if any(hint in text for hint in hints)), "post")
    return said


@lru_cache(maxsize=32)
def shape(sort: str) -> Mesh:
    """The mesh of a sort, standing on the origin, its front along +x."""
    return _SHAPES[sort]()


def _box(centre: tuple[float, float, float], size: tuple[float, float, float], colour: palette.RGB,
         surface: Surface = Surface.PLAIN) -> Mesh:
    paint: dict[str, Any] = {"colour": colour, "surface": surface}
    return box_mesh(centre, size, **paint)


def _post(height: float, radius: float = 0.05, colour: palette.RGB = palette.METAL) -> Mesh:
    return prism(5, [(radius, 0.0), (radius, height)], colour, Surface.PLAIN)


def _bench() -> Mesh:
    return join([_box((0.0, 0.0, 0.42), (0.5, 1.8, 0.06), palette.WOOD),
                 _box((-0.24, 0.0, 0.5), (0.06, 1.8, 0.42), palette.WOOD),
                 *(_box((0.0, y, 0.0), (0.42, 0.08, 0.42), palette.DARK) for y in (-0.7, 0.7))])


def _table() -> Mesh:
    return join([_box((0.0, 0.0, 0.72), (0.8, 1.8, 0.05), palette.WOOD),
                 _box((0.0, 0.0, 0.0), (0.1, 1.2, 0.72), palette.DARK),
                 *(_box((x, 0.0, 0.42), (0.28, 1.8, 0.05), palette.WOOD) for x in (-0.7, 0.7)),
                 _box((0.0, 0.0, 0.36), (1.5, 0.1, 0.06), palette.DARK)])


def _shelter() -> Mesh:
    return join([_box((0.0, 0.0, 2.45), (1.7, 4.0, 0.12), palette.DARK),
                 _box((-0.75, 0.0, 0.15), (0.05, 3.8, 2.3), palette.GLASS_SHELTER, Surface.GLASS),
                 *(_box((x, y, 0.0), (0.1, 0.1, 2.45), palette.METAL) for x in (-0.75, 0.7) for y in (-1.9, 1.9)),
                 _box((-0.4, 0.0, 0.42), (0.4, 2.6, 0.06), palette.WOOD)])


def _sign() -> Mesh:
    return join([_post(2.4), _box((0.06, 0.0, 1.55), (0.05, 0.9, 0.75), palette.rgb("#3f6f9f"))])


_SHAPES: dict[str, Callable[[], Mesh]] = {
    "bench": _bench,
    "table": _table,
    "shelter": _shelter,
    "sign": _sign,
    "bin": lambda: prism(8, [(0.24, 0.0), (0.28, 0.85), (0.2, 0.95), (0.0, 0.98)], palette.rgb("#5b7a63"), Surface.PLAIN),
    "hydrant": lambda: prism(8, [(0.16, 0.0), (0.13, 0.12), (0.13, 0.62), (0.0, 0.78)], palette.RED, Surface.PLAIN),
    "manhole": lambda: prism(12, [(0.36, 0.0), (0.36, 0.025), (0.0, 0.026)], palette.DARK, Surface.PLAIN),
    "rack": lambda: join([_box((0.0, y, 0.0), (0.75, 0.05, 0.8), palette.METAL) for y in (-1.2, -0.4, 0.4, 1.2)]),
    "fountain": lambda: join([prism(14, [(1.9, 0.0), (1.9, 0.5), (1.65, 0.5), (1.65, 0.4)], palette.STONE, Surface.PLAIN),
                              prism(14, [(1.65, 0.4), (0.0, 0.41)], palette.WATER, Surface.WATER),
                              prism(8, [(0.25, 0.4), (0.18, 1.3), (0.5, 1.45), (0.0, 1.4)], palette.STONE, Surface.PLAIN)]),
    "planter": lambda: join([_box((0.0, 0.0, 0.0), (0.9, 0.9, 0.5), palette.STONE),
                             prism(6, [(0.38, 0.5), (0.5, 0.75), (0.0, 1.05)], palette.CROWNS[0], Surface.CROWN)]),
    "camera": lambda: join([_post(4.2, 0.07), _box((0.28, 0.0, 4.0), (0.5, 0.06, 0.06), palette.METAL),
                            _box((0.55, 0.0, 3.82), (0.3, 0.16, 0.16), palette.rgb("#e9e7e1"))]),
    "flagpole": lambda: join([_post(9.0, 0.06, palette.rgb("#c9ced2")),
                              _box((0.0, 0.75, 7.8), (0.03, 1.5, 1.0), palette.RED)]),
    "cabinet": lambda: _box((0.0, 0.0, 0.0), (0.5, 0.9, 1.35), palette.rgb("#9aa5a8")),
    "lamp": lamp,
    "bollard": bollard,
    "post": lambda: join([_post(1.1, 0.06), _box((0.0, 0.0, 0.95), (0.22, 0.22, 0.22), palette.METAL)]),
}
