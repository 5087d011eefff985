"""A picture of a scheme in its surroundings without a browser: façades by hours of sun, breaches in magenta."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from gis.mesh import polygons_of, triangulate
from scenes.read_glb import read_glb
from scenes.stills import coarse_tiles, lit_colours

#: hours of sun, one colour an hour from 0 to 8
SUN_RAMP = ("#503866", "#685085", "#7a72a0", "#708da6", "#63a5a5", "#7dbca6", "#a3d2ab", "#d9edbe")
BREACH, ROOF, SITE = "#a8006d", "#f2f3f1", "#18202b"
_GREY, _CONTRAST = 214.0, 0.45


def scheme_still(build: Path, result: dict[str, Any], *, size: tuple[int, int] = (1280, 800)) -> bytes:
    """PNG of one worked-out scheme from the south-west; the surroundings grey.

    Args:
        build: the compiled park.
        result: as `Workshop.work_out` gives it.
    """
    import pyvista

    plotter = pyvista.Plotter(off_screen=True, window_size=list(size), lighting="none")
    plotter.set_background("#eceff1")  # type: ignore[arg-type]
    for path in coarse_tiles(build, set(result["removed"])):
        for part in read_glb(path).surfaces():
            cells = np.column_stack([np.full(len(part.faces), 3), part.faces])
            poly = pyvista.PolyData(part.position, cells.ravel())
            poly.point_data["rgb"] = _calm(lit_colours(part, None, None))
            plotter.add_mesh(poly, scalars="rgb", rgb=True, lighting=False, copy_mesh=False)
    for ring in result["greens"]:
        _add(plotter, *_flat([ring], result["ground"] + 0.25), "#bcd3b4")
    for building in result["buildings"]:
        for part in building["parts"]:
            _add(plotter, *_flat(part["rings"], part["z1"]), ROOF)
            _add(plotter, *_walls(part["rings"], part["z0"], part["z1"]), "#c9ced6")
    _facades(plotter, result)
    for row in result["indicators"]:
        for breach in row["breaches"]:
            if breach["kind"] == "prism":
                _add(plotter, *_walls(breach["rings"], breach["z0"], breach["z1"], 0.15), BREACH, 0.55)
                _add(plotter, *_flat(breach["rings"], breach["z1"] + 0.2), BREACH, 0.55)
    _line(plotter, result["site"], result["ground"] + 0.6)
    _aim(plotter, np.array(result["site"]), result["ground"])
    out = io.BytesIO()
    Image.fromarray(np.asarray(plotter.screenshot(return_img=True))).save(out, "PNG")
    plotter.close()
    return out.getvalue()


def _calm(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Surroundings step back: mostly their lightness, at less than half its contrast."""
    grey = rgb @ np.array([0.30, 0.59, 0.11])
    mixed = 0.75 * grey[:, None] + 0.25 * rgb
    return np.clip(_GREY + (mixed - 150.0) * _CONTRAST, 0, 255).astype(np.uint8)


def _facades(plotter: Any, result: dict[str, Any]) -> None:
    sun = result["sunlight"]
    a, b = np.array(sun["a"]).reshape(-1, 2), np.array(sun["b"]).reshape(-1, 2)
    if not len(a):
        return
    own = np.isin(np.array(sun["stack"]), [k for k, key in enumerate(sun["stacks"])
                                           if key in {x["id"] for x in result["buildings"]}])
    out = np.column_stack([(b - a)[:, 1], -(b - a)[:, 0]])
    out = 0.06 * out / np.maximum(np.linalg.norm(out, axis=1), 1e-9)[:, None]
    z0, z1 = np.array(sun["z0"]) + 0.12, np.array(sun["z1"]) - 0.12
    band = np.clip(np.array(sun["hours_after"]), 0, 7.999).astype(int)
    for k, colour in enumerate(SUN_RAMP):
        rows = np.flatnonzero(own & (band == k))
        if not len(rows):
            continue
        corner = np.empty((len(rows), 4, 3))
        corner[:, [0, 3], :2], corner[:, [1, 2], :2] = (a + out)[rows, None], (b + out)[rows, None]
        corner[:, :2, 2], corner[:, 2:, 2] = z0[rows, None], z1[rows, None]
        faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(len(rows))[:, None, None]).reshape(-1, 3)
        _add(plotter, corner.reshape(-1, 3), faces, colour)


def _flat(rings: list[list[list[float]]], z: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    points: list[NDArray[np.float64]] = [np.zeros((0, 3))]
    faces: list[NDArray[np.int64]] = [np.zeros((0, 3), np.int64)]
    for polygon in (p for ring in rings for p in polygons_of(shapely.Polygon(ring))):
        xy, part = triangulate(polygon)
        faces.append(part.astype(np.int64) + sum(len(p) for p in points))
        points.append(np.column_stack([xy, np.full(len(xy), z)]))
    return np.concatenate(points), np.concatenate(faces)


def _walls(rings: list[list[list[float]]], z0: float, z1: float, grow: float = 0.0,
           ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    quads: list[NDArray[np.float64]] = [np.zeros((0, 4, 3))]
    for ring in rings:
        shape = shapely.Polygon(ring).buffer(grow, join_style="mitre") if grow else shapely.Polygon(ring)
        xy = np.asarray(shape.exterior.coords)[:, :2]
        quad = np.empty((len(xy) - 1, 4, 3))
        quad[:, [0, 3], :2], quad[:, [1, 2], :2] = xy[:-1, None], xy[1:, None]
        quad[:, :2, 2], quad[:, 2:, 2] = z0, z1
        quads.append(quad)
    corners = np.concatenate(quads)
    faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(len(corners))[:, None, None]).reshape(-1, 3)
    return corners.reshape(-1, 3), faces


def _add(plotter: Any, points: NDArray[np.float64], faces: NDArray[np.int64], colour: str, opacity: float = 1.0) -> None:
    import pyvista

    if len(faces):
        cells = np.column_stack([np.full(len(faces), 3), faces])
        plotter.add_mesh(pyvista.PolyData(points, cells.ravel()), color=colour, opacity=opacity, lighting=False)


def _line(plotter: Any, ring: list[list[float]], z: float) -> None:
    import pyvista

    points = np.column_stack([np.array([*ring, ring[0]]), np.full(len(ring) + 1, z)])
    plotter.add_mesh(pyvista.lines_from_points(points), color=SITE, line_width=3, lighting=False)


def _aim(plotter: Any, site: NDArray[np.float64], ground: float) -> None:
    low, high = site.min(0), site.max(0)
    middle, span = np.array([*(low + high) / 2, ground + 12.0]), float(np.linalg.norm(high - low))
    plotter.camera.position = tuple(middle + span * np.array([-0.75, -1.25, 0.95]))
    plotter.camera.focal_point, plotter.camera.up, plotter.camera.view_angle = tuple(middle), (0, 0, 1), 30.0
    plotter.camera.clipping_range = (1.0, 20_000.0)
