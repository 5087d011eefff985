"""The scan of the sample park: what a survey wrote of the kiln hall that stood on the central car park, as LAZ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import laspy
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as Crs
from scipy.spatial import cKDTree

from assets.demo.blocks import CRS, ORIGIN

SCAN_FILE = "kiln-hall-2019.laz"
SCAN_NAME = "Survey 2019: kiln hall, since demolished"
SCAN_NAME_ZH = "2019 年点云：已拆除的窑厂"
#: The hall's middle on the ground, half its length and width, eaves and ridge, park metres.
_MIDDLE, _HALF, _EAVES_M, _RIDGE_M = (371.0, 316.0), (24.0, 9.0), 7.0, 11.5
_CHIMNEY, _CHIMNEY_M = (349.0, 333.0), 27.0
_TREES = ((342.0, 298.0), (352.0, 296.0), (396.0, 336.0), (402.0, 328.0))
_GROUND, _VEGETATION, _BUILDING = 2, 5, 6  # ASPRS classes
_EARTH, _BRICK, _ROOF, _LEAVES = (150, 142, 126), (158, 86, 64), (112, 74, 66), (96, 130, 70)

_APART_M = 0.035  # as scanners' software thins what they write; a build then has nothing to leave out

F64 = NDArray[np.float64]
Part = tuple[F64, tuple[int, int, int], int]


def write_scan(path: Path, seed: int) -> None:
    """Write the scan in the park's map frame: some 150,000 points in sRGB, classified."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    parts = [_ground(rng), *_hall(rng), _chimney(rng), *(_tree(rng, at) for at in _TREES)]
    points = np.concatenate([part[0] for part in parts])
    apart = np.ones(len(points), bool)
    apart[cKDTree(points).query_pairs(_APART_M, output_type="ndarray")[:, 1]] = False
    points = points[apart] + np.array(ORIGIN)
    header = laspy.LasHeader(version="1.4", point_format=7)
    header.scales, header.offsets = np.full(3, 0.001), np.floor(points.min(axis=0))
    header.creation_date = date(2019, 5, 14)
    header.add_crs(Crs.from_user_input(CRS))
    record = laspy.LasData(header)
    record.x, record.y, record.z = points.T
    record.red, record.green, record.blue = (_coloured(rng, parts)[apart] * np.uint16(257)).T
    record.classification = np.concatenate([np.full(len(at), cls, np.uint8) for at, _, cls in parts])[apart]
    record.write(path)


def _coloured(rng: np.random.Generator, parts: Sequence[Part]) -> NDArray[np.uint16]:
    speckled = [rng.normal(rgb, 10.0, (len(at), 3)) for at, rgb, _ in parts]
    return np.clip(np.concatenate(speckled), 0, 255).astype(np.uint16)


def _ground(rng: np.random.Generator) -> Part:
    x, y = rng.uniform(336, 406, 50_000), rng.uniform(289, 343, 50_000)
    return np.column_stack([x, y, rng.normal(0.04, 0.015, len(x))]), _EARTH, _GROUND


def _hall(rng: np.random.Generator) -> list[Part]:
    """Long walls with tall openings, gables, and a roof of which a part has fallen in."""
    (cx, cy), (half, deep) = _MIDDLE, _HALF
    x, z = rng.uniform(-half, half, 34_000), rng.uniform(0, _EAVES_M, 34_000)
    is_wall = (np.mod(x, 6.0) > 2.2) | (z < 1.0) | (z > 4.8)
    long = np.column_stack([x, rng.choice([-deep, deep], len(x)), z])[is_wall]
    y, z = rng.uniform(-deep, deep, 14_000), rng.uniform(0, _RIDGE_M, 14_000)
    is_gable = z < _RIDGE_M - (_RIDGE_M - _EAVES_M) * np.abs(y) / deep
    short = np.column_stack([rng.choice([-half, half], len(y)), y, z])[is_gable]
    x, y = rng.uniform(-half - 0.6, half + 0.6, 42_000), rng.uniform(-deep - 0.5, deep + 0.5, 42_000)
    fallen = np.hypot((x - 9.0) / 7.0, (y + 3.0) / 4.5) + rng.normal(0, 0.06, len(x)) < 1.0
    roof = np.column_stack([x, y, _RIDGE_M - (_RIDGE_M - _EAVES_M) * np.abs(y) / deep])[~fallen]
    at = np.array([cx, cy, 0.0])
    return [(np.concatenate([long, short]) + at, _BRICK, _BUILDING), (roof + at, _ROOF, _BUILDING)]


def _chimney(rng: np.random.Generator) -> Part:
    z, turn = rng.uniform(0, _CHIMNEY_M, 16_000), rng.uniform(0, 2 * np.pi, 16_000)
    radius = 1.9 - 0.8 * z / _CHIMNEY_M + np.where(np.mod(z, 6.0) < 0.4, 0.14, 0.0)
    return np.column_stack([_CHIMNEY[0] + radius * np.cos(turn), _CHIMNEY[1] + radius * np.sin(turn), z]), _BRICK, _BUILDING


def _tree(rng: np.random.Generator, at: tuple[float, float]) -> Part:
    ball = rng.normal(size=(4_000, 3))
    ball *= (rng.uniform(1.4, 2.6, len(ball)) / np.linalg.norm(ball, axis=1))[:, None]
    return ball * (1.0, 1.0, 1.25) + (*at, 5.4), _LEAVES, _VEGETATION
