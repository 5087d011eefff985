"""A picture of a place as of a moment, without a browser: the storey opened, rooms painted, alarms, people.

Symbols are those of the pages: priority is colour and shape and letter; an alarm that returned is hollow.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gis.mesh import Surface, triangulate
from scenes.read_glb import read_glb
from scenes.stills import coarse_tiles, lit_colours
from twin.graph import SceneGraph

#: the seven classes of an overlay, as the pages paint them by day
RAMP = ("#f2e9f3", "#e0cce4", "#cbaed4", "#b28ec2", "#8e64a6", "#734b90", "#4b2a6b")
PRIORITY = {1: ("#b50d2b", "#ffffff"), 2: ("#dd6c00", "#1b1200"), 3: ("#fbe745", "#1f1a00"), 4: ("#1f5bd0", "#ffffff")}
EDGE = {1: "#8c0c20", 2: "#a85400", 3: "#7d6900", 4: "#15479f"}  # drawn on pale ground
SKY, INK, EMPTY_ROOM, SENT = "#e9edf1", "#18202b", "#eef0f2", "#0b6b66"
CUT_M = 1.35            # walls of the opened storey are cut this far above its floor
AROUND_M = 45.0         # what is seen about a thing outdoors
PERSON_M = 0.45
_TOO_MUCH_M = 400.0     # surroundings farther than this from the place are not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMark:
    """An alarm in the picture. `at`: park metres."""

    at: tuple[float, float, float]
    priority: int
    is_over: bool = False
    room: int = 0           # the space it is in, 0 for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there was at the moment.

    `rooms`: space node → colour; `people`, `sent`: park metres (n, 3), `sent` being those on a dispatch.
    """

    rooms: Mapping[int, str]
    alarms: Sequence[AlarmMark]
    people: NDArray[np.float64]
    sent: NDArray[np.float64]


class MomentStudio:
    """One place, set up once and pictured at any number of moments. To be used by the thread that made it.

    Args:
        build: the compiled park.
        spaces: rooms as `CompiledPark.spaces`.
        node: dense index of the storey, or of anything in one; outdoors: of the thing itself; the whole park for 1.
        size: pixels.
    """

    def __init__(self, build: Path, graph: SceneGraph, spaces: Sequence[dict[str, Any]], node: int, *,
                 size: tuple[int, int] = (1280, 720)) -> None:
        import pyvista

        self._size = size
        self.storey = graph.ancestor(node, "storey") or 0
        building = graph.ancestor(node, "building") if self.storey else 0
        self._rooms = [room for room in spaces if room["parent"] == self.storey] if self.storey else []
        self._plot = pyvista.Plotter(off_screen=True, window_size=list(size), lighting="none")
        self._plot.set_background(SKY)  # type: ignore[arg-type]
        low, high = _bounds(graph, node, self._rooms)
        self._aim(low, high)
        name = str(graph.columns["id"][building]) if building else ""
        for path in coarse_tiles(build, {name}):
            self._add_tile(path, low, high)
        if self.storey:
            self._open(build, graph, building, name)
        self._own: list[Any] = []

    def shoot(self, seen: Seen) -> bytes:
        """The picture of a moment as JPEG."""
        for actor in self._own:
            self._plot.remove_actor(actor, render=False)
        self._own = []
        for room in self._rooms:
            self._own.append(self._floor(room, seen.rooms.get(room["i"], EMPTY_ROOM)))
        worst = {alarm.room: alarm for alarm in sorted(seen.alarms, key=lambda a: -a.priority) if not alarm.is_over}
        self._own += [self._ring(room, EDGE[worst[room["i"]].priority]) for room in self._rooms if room["i"] in worst]
        for points, colour in ((seen.people, INK), (seen.sent, SENT)):
            if len(points):
                self._own.append(self._dots(points, colour))
        self._plot.render()  # a second screenshot would give the first picture again
        image = Image.fromarray(np.asarray(self._plot.screenshot(return_img=True))).convert("RGB")
        marked = self._marks(image, seen)
        out = io.BytesIO()
        marked.save(out, "JPEG", quality=90)
        return out.getvalue()

    def close(self) -> None:
        """Give the window back."""
        self._plot.close()

    # ---- the set ------------------------------------------------------------------------------------------------
    def _add_tile(self, path: Path, low: NDArray, high: NDArray, *, below: float | None = None, is_calm: bool = True) -> None:
        """One tile's surfaces, those near the place only; `below`: cut at a height."""
        import pyvista

        parts = read_glb(path).surfaces()
        is_planting = any((part.shade[:, 2] == Surface.CROWN).any() for part in parts)
        for part in parts:
            shown = _within(part.position, low, high, _TOO_MUCH_M)
            if is_planting and self.storey:  # no tree stands between the eye and the opened storey
                shown &= ~_within(part.position, low, high, 0.25 * float(np.linalg.norm((high - low)[:2])))
            faces = part.faces[shown[part.faces].any(axis=1)]
            if not len(faces):
                continue
            poly = pyvista.PolyData(part.position, np.column_stack([np.full(len(faces), 3), faces]).ravel())
            colours = lit_colours(part, None, None)
            poly.point_data["rgb"] = _calm(colours) if is_calm else colours
            if below is not None:
                poly = poly.clip("z", origin=(0, 0, below))
            if poly.n_cells:
                self._plot.add_mesh(poly, scalars="rgb", rgb=True, lighting=False, copy_mesh=False)

    def _open(self, build: Path, graph: SceneGraph, building: int, name: str) -> None:
        """The body of the building up to the storey, and the storey with its walls cut."""
        floor = min((room["z0"] for room in self._rooms), default=float(graph.columns["anchor"][self.storey][2]))
        body, own = build / "tiles" / "b" / name / "shell.glb", build / "tiles" / str(graph.columns["tile"][self.storey])
        box = np.asarray(graph.columns["bbox"][building], np.float64)
        if body.is_file():
            self._add_tile(body, box[:3], box[3:], below=floor - 0.05)
        if own.is_file():
            self._add_tile(own, box[:3], box[3:], below=floor + CUT_M, is_calm=False)

    def _floor(self, room: dict[str, Any], colour: str) -> Any:
        import pyvista

        xy, faces = triangulate(shapely.Polygon(room["ring"]))
        points = np.column_stack([xy, np.full(len(xy), room["z0"] + 0.08)])
        mesh = pyvista.PolyData(points, np.column_stack([np.full(len(faces), 3), faces]).ravel())
        return self._plot.add_mesh(mesh, color=colour, lighting=False, render=False)

    def _ring(self, room: dict[str, Any], colour: str) -> Any:
        import pyvista

        ring = np.array([*room["ring"], room["ring"][0]], np.float64)
        points = np.column_stack([ring, np.full(len(ring), room["z0"] + 0.2)])
        line = pyvista.lines_from_points(points)
        return self._plot.add_mesh(line, color=colour, line_width=5, lighting=False, render=False)

    def _dots(self, points: NDArray[np.float64], colour: str) -> Any:
        import pyvista

        cloud = pyvista.PolyData(np.asarray(points, np.float64) + np.array([0, 0, 0.9]))
        balls = cloud.glyph(geom=pyvista.Sphere(radius=PERSON_M, theta_resolution=12, phi_resolution=12), scale=False,
                            orient=False)
        return self._plot.add_mesh(balls, color=colour, lighting=False, render=False)

    def _aim(self, low: NDArray, high: NDArray) -> None:
        middle, span = (low + high) / 2, float(np.linalg.norm((high - low)[:2]))
        self._plot.camera.position = tuple(middle + span * np.array([-0.62, -1.18, 1.42]))
        self._plot.camera.focal_point, self._plot.camera.up = tuple(middle), (0, 0, 1)
        self._plot.camera.view_angle = 28.0
        self._plot.camera.clipping_range = (1.0, 20_000.0)

    # ---- symbols ------------------------------------------------------------------------------------------------
    def _pixel(self, at: Sequence[float]) -> tuple[float, float]:
        renderer = self._plot.renderer
        renderer.SetWorldPoint(*at, 1.0)
        renderer.WorldToDisplay()
        x, y, _ = renderer.GetDisplayPoint()
        return x, self._size[1] - y

    def _marks(self, image: Image.Image, seen: Seen) -> Image.Image:
        fine = 3
        large = image.resize((image.width * fine, image.height * fine), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(large)
        for person in seen.sent:
            x, y = (fine * v for v in self._pixel((*person[:2], person[2] + 0.9)))
            draw.ellipse((x - 13 * fine, y - 13 * fine, x + 13 * fine, y + 13 * fine), outline=SENT, width=3 * fine)
        for alarm in sorted(seen.alarms, key=lambda a: (-a.priority, a.at[1])):
            foot, head = self._pixel(alarm.at), self._pixel((*alarm.at[:2], alarm.at[2] + 2.0))
            top = (head[0], min(head[1], foot[1] - 46.0))
            draw.line([foot[0] * fine, foot[1] * fine, top[0] * fine, top[1] * fine], fill=EDGE[alarm.priority],
                      width=2 * fine)
            symbol(draw, top[0] * fine, top[1] * fine, 17.0 * fine, alarm.priority, is_hollow=alarm.is_over)
        return large.resize(image.size, Image.Resampling.LANCZOS)


def symbol(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, priority: int, *, is_hollow: bool = False) -> None:
    """An alarm's mark at a pixel: ▲ ◆ ■ ● for priorities 1 to 4, with its letter."""
    colour, ink = PRIORITY[priority]
    corners = {1: (3, -90.0, 1.25), 2: (4, -90.0, 1.15), 3: (4, -45.0, 1.15), 4: (48, 0.0, 1.0)}
    n, first, grow = corners[priority]
    outline = EDGE[priority] if is_hollow else "#ffffff"
    turns = [math.radians(first + 360 * k / n) for k in range(n)]
    ring = [(x + r * grow * math.cos(turn), y + r * grow * math.sin(turn)) for turn in turns]
    draw.polygon(ring, fill="#ffffff" if is_hollow else colour, outline=outline, width=max(2, int(r / 7)))
    font = ImageFont.load_default(size=r * 0.8)
    below = r * 0.18 if priority == 1 else 0
    draw.text((x, y + below), f"P{priority}", fill=EDGE[priority] if is_hollow else ink, font=font, anchor="mm")


def class_colour(value: float, breaks: Sequence[float]) -> str | None:
    """The ramp's colour of a value among eight class edges; None where it is not known."""
    if not math.isfinite(value):
        return None
    return RAMP[int(np.clip(np.searchsorted(np.asarray(breaks), value, side="right") - 1, 0, len(RAMP) - 1))]


def _bounds(graph: SceneGraph, node: int, rooms: Sequence[dict[str, Any]]) -> tuple[NDArray, NDArray]:
    """Corners (3,), (3,) of what is looked at, park metres."""
    if rooms:
        xy = np.concatenate([np.asarray(room["ring"], np.float64) for room in rooms])
        floor = min(room["z0"] for room in rooms)
        return np.array([*xy.min(0), floor]), np.array([*xy.max(0), floor])
    box = np.asarray(graph.columns["bbox"][node], np.float64)
    if np.isfinite(box).all() and np.ptp(box.reshape(2, 3)[:, :2], axis=0).max() > AROUND_M:
        return box[:3], box[3:]
    at = np.asarray(graph.columns["anchor"][node], np.float64)
    at = np.where(np.isfinite(at), at, 0.0)
    around = np.array([AROUND_M, AROUND_M, 0.0])
    return at - around, at + around


def _within(points: NDArray[np.float64], low: NDArray, high: NDArray, margin: float) -> NDArray[np.bool_]:
    """Which points (n, 3) lie in a box on the plan, grown by a margin."""
    return np.all((points[:, :2] > low[:2] - margin) & (points[:, :2] < high[:2] + margin), axis=1)


def _calm(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Surroundings step back: paler, at about half their contrast."""
    grey = rgb @ np.array([0.30, 0.59, 0.11])
    return np.clip(208.0 + (0.55 * grey[:, None] + 0.45 * rgb - 150.0) * 0.5, 0, 255).astype(np.uint8)
