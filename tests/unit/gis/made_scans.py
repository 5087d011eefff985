"""Synthetic scans and reality meshes for tests: what a scanner or a photogrammetry run would write of a made-up square."""

from __future__ import annotations

from pathlib import Path

import laspy
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS

F64 = NDArray[np.float64]


def square_points(count: int, side_m: float = 60.0, seed: int = 1) -> tuple[F64, NDArray[np.uint8], NDArray[np.uint8]]:
    """A paved square with a gate and trees: (n, 3) metres about its middle, sRGB, ASPRS classes."""
    rng = np.random.default_rng(seed)
    parts, colours, classes = [], [], []

    def add(points: F64, rgb: tuple[int, int, int], cls: int) -> None:
        parts.append(points)
        colours.append(np.clip(rng.normal(rgb, 9, (len(points), 3)), 0, 255))
        classes.append(np.full(len(points), cls, np.uint8))

    n = count // 2
    ground = np.column_stack([rng.uniform(-side_m / 2, side_m / 2, (n, 2)), rng.normal(0.0, 0.01, n)])
    add(ground, (168, 164, 156), 2)
    n = count // 4
    wall = np.column_stack([rng.uniform(-8, 8, n), rng.choice([-0.6, 0.6], n), rng.uniform(0, 7, n)])
    add(wall[(np.abs(wall[:, 0]) > 3) | (wall[:, 2] > 5)], (160, 84, 62), 6)
    for x, y in ((-18, 12), (18, 12), (-20, -14), (16, -16)):
        n = count // 16
        ball = rng.normal(0, 1, (n, 3))
        ball = ball / np.linalg.norm(ball, axis=1)[:, None] * rng.uniform(1.6, 2.6, n)[:, None]
        add(ball + np.array([x, y, 5.5]), (92, 134, 66), 5)
    return np.concatenate(parts), np.concatenate(colours).astype(np.uint8), np.concatenate(classes)


def write_scan(path: Path, points: F64, rgb: NDArray[np.uint8] | None = None, classes: NDArray[np.uint8] | None = None, *,
               crs: str | None = "EPSG:4549", version: str = "1.2", point_format: int | None = None, is_8_bit: bool = False,
               intensity: NDArray[np.uint16] | None = None, withheld: NDArray[np.bool_] | None = None) -> Path:
    """A LAS or LAZ file (by its suffix) as scanners' software writes it."""
    wanted = point_format if point_format is not None else (2 if rgb is not None else 1)
    header = laspy.LasHeader(version=version, point_format=wanted)
    header.scales, header.offsets = [0.001] * 3, np.floor(points.min(0))
    if crs:
        header.add_crs(CRS.from_user_input(crs))
    record = laspy.LasData(header)
    record.x, record.y, record.z = points.T
    if rgb is not None:
        wide = rgb.astype(np.uint16) * (1 if is_8_bit else 257)
        record.red, record.green, record.blue = wide.T
    if classes is not None:
        record.classification = classes
    if intensity is not None:
        record.intensity = intensity
    if withheld is not None:
        record.withheld = withheld
    record.write(path)
    return path


def write_hill(folder: Path, *, shift: tuple[float, float, float] = (0.0, 0.0, 0.0), side: int = 80, step_m: float = 1.0,
               name: str = "mesh") -> Path:
    """A textured hill with a box on it as OBJ, MTL and a JPEG, as photogrammetry writes it (height last)."""
    folder.mkdir(parents=True, exist_ok=True)
    k = np.arange(side + 1)
    x, y = (g.ravel() * step_m for g in np.meshgrid(k, k))
    half = side * step_m / 2
    z = 6 * np.exp(-((x - half) ** 2 + (y - half) ** 2) / (half * 8))
    z += np.where((np.abs(x - half * 0.5) < 6) & (np.abs(y - half * 0.5) < 6), 8.0, 0.0)
    uv = np.column_stack([x, y]) / (side * step_m)
    cell = (k[:-1, None] * (side + 1) + k[None, :-1]).ravel()
    a, b, c, d = cell, cell + 1, cell + side + 2, cell + side + 1
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])]) + 1
    lines = [f"mtllib {name}.mtl", "usemtl photo"]
    lines += [f"v {vx + shift[0]:.4f} {vy + shift[1]:.4f} {vz + shift[2]:.4f}" for vx, vy, vz in zip(x, y, z, strict=True)]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
    lines += [f"f {i}/{i} {j}/{j} {m}/{m}" for i, j, m in faces]
    (folder / f"{name}.obj").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.mtl").write_text(f"newmtl photo\nKd 1 1 1\nmap_Kd {name}.jpg\n")
    photo(1024).save(folder / f"{name}.jpg", quality=90)
    return folder / f"{name}.obj"


def photo(size: int) -> Image.Image:
    """A picture that tells its corners apart: grass with a red west, a blue north, and white stripes."""
    rng = np.random.default_rng(3)
    v, u = np.mgrid[0:size, 0:size] / size
    rgb = np.stack([90 + 120 * (1 - u), 120 + 30 * rng.random((size, size)), 60 + 140 * (1 - v)], axis=-1)
    rgb[(np.mod(u * 40, 1) < 0.08)] = 240
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
