"""Lengths as people write them."""

from __future__ import annotations

import math
import re
from functools import lru_cache

_NUMBER = re.compile(r"\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(m|mm|cm|km|ft|')?\b", re.IGNORECASE)
_FEET_INCHES = re.compile(r"\s*(\d+)\s*'\s*(?:(\d+(?:\.\d+)?)\s*\")?\s*$")
_UNIT_M = {"mm": 0.001, "cm": 0.01, "km": 1000.0, "ft": 0.3048, "'": 0.3048}


@lru_cache(maxsize=4096)
def number_of(text: str) -> float:
    """Metres of a text such as "12.5", "12,5 m", "40 ft", "40'6\\"", "~15"; of "3;4" the most. NaN where it has none."""
    if ";" in text:
        several = [number_of(part) for part in text.split(";")]
        return max((v for v in several if not math.isnan(v)), default=float("nan"))
    text = text.strip().lstrip("~<>≈±约").replace("米", "m")
    imperial = _FEET_INCHES.match(text)
    if imperial:
        return float(imperial[1]) * 0.3048 + float(imperial[2] or 0) * 0.0254
    found = _NUMBER.match(text)
    if not found:
        return float("nan")
    return float(found[1].replace(",", ".")) * _UNIT_M.get((found[2] or "").lower(), 1.0)
