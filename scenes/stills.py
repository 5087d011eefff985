"""A picture of a compiled park without a browser: PyVista, off screen, with the light the tiles carry."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gis.mesh import Surface
from scenes.read_glb import Surfaces, read_glb

SUN = np.array([2.42, 2.14, 1.74])
SKY = np.array([0.46, 0.57, 0.74])
GROUND = np.array([0.31, 0.30, 0.27])
BACKDROP = "#dce5ee"
_PULSE = {Surface.PUNCHED: (0.46, 0.56), Surface.RIBBON: (0.93, 0.52), Surface.CURTAIN: (0.90, 0.80)}


def finest_tiles(build: Path, wanted: Callable[[dict[str, Any]], bool] = lambda tile: True) -> list[Path]:
    """Content files of the tileset's leaves (what refinement ends at) whose `extras` pass; pipes left out."""
    root = json.loads((build / "tiles/tileset.json").read_text())["root"]
    found: list[Path] = []

    def walk(tile: dict[str, Any]) -> None:
        children = tile.get("children", [])
        uri = tile.get("content", {}).get("uri", "")
        if uri.endswith(".glb") and not (children and tile["refine"] == "REPLACE") and wanted(tile["extras"]):
            found.append(build / "tiles" / uri)
        for child in children:
            walk(child)

    walk(root)
    return found


def coarse_tiles(build: Path, removed: set[str]) -> list[Path]:
    """The coarsest content of every branch (shells, simple trees), but masses and pipes; not of buildings `removed` (ids)."""
    found: list[Path] = []

    def walk(tile: dict[str, Any]) -> None:
        uri = tile.get("content", {}).get("uri", "")
        is_apart = tile.get("extras", {}).get("layer") == "pipes" or uri.endswith(".json")  # underground, or a background
        if is_apart or uri.split("/")[:2] in [["b", key] for key in removed]:
            return
        is_mass = tile.get("extras", {}).get("mass", False)
        if uri and not is_mass:
            found.append(build / "tiles" / uri)
        if not uri or is_mass or tile.get("refine") != "REPLACE":
            for child in tile.get("children", []):
                walk(child)

    walk(json.loads((build / "tiles/tileset.json").read_text(encoding="utf-8"))["root"])
    return found


def lit_colours(part: Surfaces, light: NDArray[np.uint8] | None, bounds: list[float] | None) -> NDArray[np.uint8]:
    """Display colours (n, 3) of a tile's vertices: the recipe's day light, gamma 2, its tone curve."""
    albedo = (part.colour[:, :3] / 255.0) ** 2
    ao, sun = part.colour[:, 3] / 255.0, part.shade[:, 0] / 255.0
    surface = part.shade[:, 2]
    if light is not None and bounds is not None:
        rows = np.isin(surface, (6, 7, 8, 9, 16))
        texel = _sample(light, bounds, part.position[rows, :2]) / 255.0
        ao[rows], sun[rows] = texel[:, 0], sun[rows] * texel[:, 2]
    up = part.shade[:, 1] / 255.0
    colour = albedo * ((GROUND + (SKY - GROUND) * up[:, None]) * ao[:, None]
                       + SUN * (sun * (0.55 + 0.45 * ao))[:, None])
    shown = np.sqrt(1 - np.exp(-colour))
    smooth = shown * shown * (3 - 2 * shown)
    shown = shown + 0.28 * (smooth - shown)
    return np.clip(shown * 255, 0, 255).astype(np.uint8)


def _sample(light: NDArray[np.uint8], bounds: list[float], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = light.shape[:2]
    column = np.clip((xy[:, 0] - bounds[0]) / (bounds[2] - bounds[0]) * width, 0, width - 1).astype(int)
    row = np.clip((bounds[3] - xy[:, 1]) / (bounds[3] - bounds[1]) * height, 0, height - 1).astype(int)
    return light[row, column].astype(np.float64)


def draw_still(build: Path, *, size: tuple[int, int] = (1280, 720), camera: tuple[NDArray, NDArray] | None = None,
               tiles: list[Path] | None = None, with_edges: bool = True) -> bytes:
    """PNG of a compiled park by day.

    Args:
        camera: eye and target in park metres; by default from the south-west over the whole park.
        tiles: which files; the finest of every layer but pipes where None.
    """
    import pyvista

    manifest = json.loads((build / "manifest.json").read_text())
    image = np.asarray(Image.open(build / manifest["light"]["image"])) if manifest.get("light") else None
    bounds = manifest["light"]["bounds"] if manifest.get("light") else None
    plotter = pyvista.Plotter(off_screen=True, window_size=list(size), lighting="none")
    plotter.set_background(BACKDROP)  # type: ignore[arg-type]
    for path in tiles if tiles is not None else finest_tiles(build, lambda extras: extras["layer"] != "pipes"):
        glb = read_glb(path)
        for part in glb.surfaces():
            plotter.add_mesh(_poly(part, image, bounds), **_looks(part))
        lines = glb.edges()
        if with_edges and len(lines):
            cells = np.column_stack([np.full(len(lines), 2), np.arange(2 * len(lines)).reshape(-1, 2)])
            plotter.add_mesh(pyvista.PolyData(lines.reshape(-1, 3), lines=cells.ravel()), color="#46545f", opacity=0.34,
                             line_width=1, lighting=False)
    _aim(plotter, manifest["bounds"], camera)
    out = io.BytesIO()
    Image.fromarray(np.asarray(plotter.screenshot(return_img=True))).save(out, "PNG")
    plotter.close()
    return out.getvalue()


def _looks(part: Surfaces) -> dict[str, Any]:
    return {"scalars": "rgb", "rgb": True, "lighting": False, "copy_mesh": False}


def _poly(part: Surfaces, image: NDArray[np.uint8] | None, bounds: list[float] | None) -> Any:
    import pyvista

    part = _fine_ground(part)
    cells = np.column_stack([np.full(len(part.faces), 3), part.faces])
    poly = pyvista.PolyData(part.position, cells.ravel())
    poly.point_data["rgb"] = lit_colours(part, image, bounds)
    return poly


def _fine_ground(part: Surfaces) -> Surfaces:
    """Ground faces split until the light texture shows (a still has no shader)."""
    import trimesh

    is_ground = np.isin(part.shade[part.faces[:, 0], 2], (6, 7, 8, 9))
    if not is_ground.any() or len(part.faces) > 400_000:
        return part
    columns = np.column_stack([part.colour, part.shade, part.node])
    position, faces, extra = trimesh.remesh.subdivide_to_size(
        part.position, part.faces[is_ground], 4.0, max_iter=8, return_index=True)
    owner = part.faces[is_ground][extra][:, 0]
    row = np.zeros(len(position), np.int64)
    row[faces] = owner[:, None]
    kept = part.faces[~is_ground]
    joined = np.vstack([columns, columns[row]])
    return Surfaces(np.vstack([part.position, position]), joined[:, :4].astype(np.uint8),
                    joined[:, 4:8].astype(np.uint8),
                    np.zeros((len(joined), 2), np.float32), joined[:, 8].astype(np.uint32),
                    np.vstack([kept, faces + len(part.position)]).astype(np.uint32))


def _aim(plotter: Any, bounds: list[float], camera: tuple[NDArray, NDArray] | None) -> None:
    middle = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, 0.0])
    span = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    eye, target = camera if camera else (middle + span * np.array([-0.55, -1.0, 0.62]), middle)
    plotter.camera.position, plotter.camera.focal_point = tuple(eye), tuple(target)
    plotter.camera.up, plotter.camera.view_angle = (0, 0, 1), 27.5
    plotter.camera.clipping_range = (1.0, 20_000.0)
