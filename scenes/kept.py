"""Keys of parts of a build: a name, the code, and everything that goes in, whatever it is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import shapely

from scenes.meshopt import packing
from twin.steps import StepStore, code_digest

CODE_ROOMS = ("scenes", "models_bim", "gis", "twin")  # whose code a part of a build depends on
#: A store that keeps nothing.
NOTHING_KEPT = StepStore(None)


def part_key(what: str, *values: object) -> str:
    """SHA-256 in hex of a part's name, the code and its input.

    Args:
        values: numbers, texts, arrays (of objects too: texts or geometries), geometries, dataclasses, and lists, tuples and
            dicts of these. Fields whose names begin with `_` do not count.
    """
    total = hashlib.sha256()
    _feed(total, (what, code_digest(*CODE_ROOMS), packing(), values))
    return total.hexdigest()


def _feed(total: Any, value: object) -> None:
    for raw in _raw(total, value):
        total.update(type(value).__name__.encode() + len(raw).to_bytes(8, "little") + raw)


def _raw(total: Any, value: object) -> list[bytes | memoryview]:
    """The bytes of a plain value; what others are made of is fed one by one."""
    if isinstance(value, np.ndarray):
        if value.dtype != object:
            return [f"{value.dtype}{value.shape}".encode(), np.ascontiguousarray(value).view(np.uint8).reshape(-1).data
                    if value.size else b""]
        is_shape = shapely.is_geometry(value)
        if len(value) and is_shape.all():
            return [str(value.shape).encode(), *(shapely.to_wkb(shape) for shape in value.ravel())]
        return [json.dumps(value.tolist(), default=str).encode()]
    if isinstance(value, shapely.Geometry):
        return [shapely.to_wkb(value)]
    if isinstance(value, (list, tuple)):
        parts: list[object] = list(value)
    elif isinstance(value, dict):
        parts = [part for item in value.items() for part in item]
    elif is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, field.name) for field in fields(value) if not field.name.startswith("_")]
    else:
        return [repr(value).encode()]
    total.update(f"{type(value).__name__}[{len(parts)}".encode())
    for part in parts:
        _feed(total, part)
    return []
