"""A picture of a scheme in its surroundings without a browser: façades by hours of sun, breaches in magenta."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from gis.mesh import Mesh, polygons_of, triangulate
from scenes.read_glb import read_glb
from scenes.schemes.model import model_meshes
from scenes.stills import coarse_tiles, lit_colours

#: hours of sun, one colour an hour from 0 to 8
SUN_RAMP = ("#503866", "#685085", "#7a72a0", "#708da6", "#63a5a5", "#7dbca6", "#a3d2ab", "#d9edbe")
BREACH, ROOF, SITE, GHOST = "#a8006d", "#f2f3f1", "#18202b", "#4a5565"
STILL_HOUR = 10.5
_GREY, _CONTRAST = 200.0, 0.6


@dataclass(frozen=True, slots=True)
class Still:
    """A picture (PNG) and where each breach with a place of its own lies on it: (index, x, y), pixels from the top left."""

    png: bytes
    spots: list[tuple[int, float, float]]


def scheme_still(build: Path, result: dict[str, Any], *, size: tuple[int, int] = (1500, 940)) -> Still:
    """One worked-out scheme from the south-west; the surroundings grey.

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
    models = model_meshes(build / "schemes" / result["id"] / "scheme.glb") if _modelled(result) else {}
    for building in result["buildings"]:
        if building["id"] in models:
            _model(plotter, models[building["id"]], result)
            continue
        for part in building["parts"]:
            _add(plotter, *_flat(part["rings"], part["z1"]), ROOF)
            _add(plotter, *_walls(part["rings"], part["z0"], part["z1"]), "#c9ced6")
            for ring in part["rings"]:
                _line(plotter, ring, part["z1"] + 0.1, width=1.5)
    _facades(plotter, result, set(models))
    for left in result["left_out"]:
        _add(plotter, *_walls(left["rings"], left["z0"], left["z1"]), GHOST, 0.3)
        _add(plotter, *_flat(left["rings"], left["z1"]), GHOST, 0.3)
    for row in result["indicators"]:
        for breach in row["breaches"]:
            if breach["kind"] == "prism":
                _add(plotter, *_walls(breach["rings"], breach["z0"], breach["z1"], 0.15), BREACH, 0.55)
                _add(plotter, *_flat(breach["rings"], breach["z1"] + 0.2), BREACH, 0.55)
    _line(plotter, result["site"], result["ground"] + 0.6)
    _aim(plotter, np.array(result["site"]), result["ground"])
    out = io.BytesIO()
    Image.fromarray(np.asarray(plotter.screenshot(return_img=True))).save(out, "PNG")
    places = [breach["at"] for row in result["indicators"] for breach in row["breaches"]]
    kinds = [breach["kind"] for row in result["indicators"] for breach in row["breaches"]]
    spots = [(k, *_seen_at(plotter, at, size)) for k, at in enumerate(places) if kinds[k] != "site"]
    plotter.close()
    return Still(out.getvalue(), spots)


def _seen_at(plotter: Any, at: list[float], size: tuple[int, int]) -> tuple[float, float]:
    """Pixel of a park point, from the top left."""
    plotter.renderer.SetWorldPoint(*at, 1.0)
    plotter.renderer.WorldToDisplay()
    x, y, _ = plotter.renderer.GetDisplayPoint()
    return float(x), float(size[1] - y)


def _calm(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Surroundings step back: mostly their lightness, at less than half its contrast."""
    grey = rgb @ np.array([0.30, 0.59, 0.11])
    mixed = 0.75 * grey[:, None] + 0.25 * rgb
    return np.clip(_GREY + (mixed - 150.0) * _CONTRAST, 0, 255).astype(np.uint8)


def _modelled(result: dict[str, Any]) -> set[str]:
    return {building["id"] for building in result["buildings"] if building["modelled"]}


def _model(plotter: Any, model: Mesh, result: dict[str, Any]) -> None:
    """An IFC in its own colours, lit from where the sun stands at half past ten."""
    import pyvista

    path = np.array(result["sunlight"]["path"])
    sun = path[np.argmin(np.abs(path[:, 0] - STILL_HOUR)), 1:]
    share = np.maximum(model.normal @ sun, 0.0)
    rgb = np.clip(model.colour * (0.74 + 0.34 * share[:, None]), 0, 255).astype(np.uint8)
    poly = pyvista.PolyData(model.position, np.column_stack([np.full(len(model.faces), 3), model.faces]).ravel())
    poly.point_data["rgb"] = rgb
    plotter.add_mesh(poly, scalars="rgb", rgb=True, lighting=False, copy_mesh=False)


def _facades(plotter: Any, result: dict[str, Any], modelled: set[str]) -> None:
    """Cells of the scheme's own buildings; over a model's walls and windows they lie like glass."""
    sun = result["sunlight"]
    a, b = np.array(sun["a"]).reshape(-1, 2), np.array(sun["b"]).reshape(-1, 2)
    if not len(a):
        return
    own, like_glass = (np.isin(np.array(sun["stack"]), [k for k, key in enumerate(sun["stacks"]) if key in keys])
                       for keys in ({x["id"] for x in result["buildings"]}, modelled))
    out = np.column_stack([(b - a)[:, 1], -(b - a)[:, 0]])
    out = 0.06 * out / np.maximum(np.linalg.norm(out, axis=1), 1e-9)[:, None]
    z0, z1 = np.array(sun["z0"]) + 0.12, np.array(sun["z1"]) - 0.12
    band = np.clip(np.array(sun["hours_after"]), 0, 7.999).astype(int)
    for k, colour, is_glass in ((k, colour, is_glass) for k, colour in enumerate(SUN_RAMP) for is_glass in (False, True)):
        rows = np.flatnonzero(own & (like_glass == is_glass) & (band == k))
        if not len(rows):
            continue
        corner = np.empty((len(rows), 4, 3))
        corner[:, [0, 3], :2], corner[:, [1, 2], :2] = (a + out)[rows, None], (b + out)[rows, None]
        corner[:, :2, 2], corner[:, 2:, 2] = z0[rows, None], z1[rows, None]
        faces = (np.array([[0, 1, 2], [0, 2, 3]]) + 4 * np.arange(len(rows))[:, None, None]).reshape(-1, 3)
        _add(plotter, corner.reshape(-1, 3), faces, colour, 0.6 if is_glass else 1.0)


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


def _line(plotter: Any, ring: list[list[float]], z: float, *, width: float = 3) -> None:
    import pyvista

    points = np.column_stack([np.array([*ring, ring[0]]), np.full(len(ring) + 1, z)])
    plotter.add_mesh(pyvista.lines_from_points(points), color=SITE, line_width=width, lighting=False)


def _aim(plotter: Any, site: NDArray[np.float64], ground: float) -> None:
    low, high = site.min(0), site.max(0)
    middle, span = np.array([*(low + high) / 2, ground + 12.0]), float(np.linalg.norm(high - low))
    plotter.camera.position = tuple(middle + span * np.array([-0.75, -1.25, 0.95]))
    plotter.camera.focal_point, plotter.camera.up, plotter.camera.view_angle = tuple(middle), (0, 0, 1), 30.0
    plotter.camera.clipping_range = (1.0, 20_000.0)
