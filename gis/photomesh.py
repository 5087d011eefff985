"""Reality meshes in (OBJ with MTL, GLB): photographed surfaces in the park frame, as triangles with their texture."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from numpy.typing import NDArray
from PIL import Image
from trimesh.resolvers import Resolver

from gis.crs import PARK, MissingCrs, park_from_map_xy, parse_crs
from gis.model import TEXTURES
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerSpec

F64 = NDArray[np.float64]
SUFFIXES = (".obj", ".glb")
MOST_PIXELS = 400_000_000
_SAMPLES, _SAMPLE_BYTES = 24, 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles that share one texture.

    Args:
        corners: (m, 3, 3) park metres. uv: (m, 3, 2), v up, or None. image: RGB, or None.
        chart: (m,) which connected piece of the texture each triangle lies on.
        colour: (m, 3, 3) sRGB at the corners where there is no texture.
    """

    corners: F64
    uv: F64 | None
    image: Image.Image | None
    chart: NDArray[np.int64]
    colour: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class MeshSurvey:
    """What a mesh is before it is read: what its coordinates are in, what is added to them, which way is up.

    Args:
        offset: taken from the file's own metadata or park.toml, map units. raw: (k, 2) of its points with the offset.
        park: (k, 3) the same in park metres.
    """

    spec: LayerSpec
    crs: str
    offset: tuple[float, float, float]
    is_y_up: bool
    raw: F64
    park: F64
    findings: tuple[Finding, ...]


def is_mesh(path: Path) -> bool:
    """Whether a layer file is a reality mesh that is read here."""
    return path.suffix.lower() in SUFFIXES


def survey_mesh(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float]) -> MeshSurvey:
    """Where a mesh will stand, from some of its vertices.

    Raises:
        SourceError: it cannot be read, or has no vertices.
        MissingCrs: neither it, its metadata.xml nor park.toml says where it stands.
    """
    if not is_mesh(spec.source):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is no reality mesh that is read here", where=spec.where,
                          mend="export it as OBJ with MTL, or as GLB")
    if not spec.source.is_file():
        raise SourceError(f"layer '{spec.id}' names {spec.source.name}, which does not exist", where=spec.where,
                          mend="correct `source` in park.toml or put the file there")
    findings: list[Finding] = []
    points = _obj_sample(spec.source) if spec.source.suffix.lower() == ".obj" else _glb_sample(spec)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} has no vertices", where=spec.where,
                          mend="export it again as OBJ or GLB")
    is_y_up = (spec.background.up or ("y" if spec.source.suffix.lower() == ".glb" else "z")) == "y"
    crs, offset = _frame_of(spec, points, findings)
    extent = np.ptp(points, axis=0)
    if not spec.background.up and not is_y_up and extent[1] * 2 < min(extent[0], extent[2]):
        findings.append(Finding("warning", f"layer '{spec.id}': the mesh looks as if it stood on edge", spec.source.name,
                                'write up = "y" in the layer if its second coordinate is the height'))
    survey = MeshSurvey(spec, crs, offset, is_y_up, np.zeros((0, 2)), np.zeros((0, 3)), tuple(findings))
    in_map = _upright(survey, points) + np.array(offset)
    return MeshSurvey(spec, crs, offset, is_y_up, in_map[:, :2], _placed(survey, points, park_crs, origin), tuple(findings))


def read_surfaces(survey: MeshSurvey, park_crs: str, origin: tuple[float, float, float],
                  findings: list[Finding]) -> Iterator[Surface]:
    """The surfaces of a mesh, one a texture; what is broken is left out and said.

    Raises:
        SourceError: the file cannot be read, or holds no triangles.
    """
    spec, broken, drawn = survey.spec, 0, 0
    missing: list[str] = []
    for geometry, matrix in _loaded(spec, missing):
        vertices = np.asarray(geometry.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        placed = _placed(survey, vertices, park_crs, origin)
        faces = np.asarray(geometry.faces, np.int64).reshape(-1, 3)
        is_there = ((faces >= 0) & (faces < len(placed))).all(axis=1)
        broken += int((~is_there).sum())
        faces = faces[is_there]
        corners = placed[faces]
        sound = np.isfinite(corners).all(axis=(1, 2))
        sound &= (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
        broken += int((~sound).sum())
        faces, corners = faces[sound], corners[sound]
        if len(faces):
            drawn += len(faces)
            yield _surface(geometry, faces, corners, missing)
    if broken:
        findings.append(Finding("warning", f"layer '{spec.id}': triangles without area, corners or coordinates left out",
                                spec.source.name, "", broken))
    if missing:
        findings.append(Finding("warning", f"layer '{spec.id}': textures that could not be read; those parts are plain",
                                f"{spec.source.name}: {', '.join(missing[:4])}", "put them beside the mesh", len(missing)))
    if not drawn:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds no triangles", where=spec.where,
                          mend="export it again as a triangle mesh")


def _surface(geometry: trimesh.Trimesh, faces: NDArray[np.int64], corners: F64, missing: list[str]) -> Surface:
    uv, image, plain = _look(geometry, missing)
    charts = trimesh.graph.connected_component_labels(
        np.concatenate([faces[:, :2], faces[:, 1:]]), node_count=len(geometry.vertices))
    colour = np.broadcast_to(np.asarray(plain, np.uint8), (*corners.shape[:2], 3)) if np.ndim(plain) == 1 else plain[faces]
    has_texture = image is not None and uv is not None and np.isfinite(uv).all()
    return Surface(corners, uv[faces] if has_texture and uv is not None else None, image if has_texture else None,
                   charts[faces[:, 0]].astype(np.int64), colour)


def _look(geometry: trimesh.Trimesh, missing: list[str]) -> tuple[F64 | None, Image.Image | None, NDArray[np.uint8]]:
    """Texture coordinates, texture and colour (one, or one a vertex)."""
    visual = geometry.visual
    if isinstance(visual, trimesh.visual.TextureVisuals):
        material: Any = visual.material
        image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
        plain = getattr(material, "main_color", None)
        uv = None if visual.uv is None or len(visual.uv) != len(geometry.vertices) else np.asarray(visual.uv, np.float64)
        rgb = np.asarray(plain if plain is not None else (190, 190, 190, 255), np.uint8)[:3]
        return uv, None if image is None else _rgb(image, missing), rgb
    colours = np.asarray(getattr(visual, "vertex_colors", ()), np.uint8).reshape(-1, 4)
    return None, None, colours[:, :3] if len(colours) == len(geometry.vertices) else np.array([190, 190, 190], np.uint8)


def _rgb(image: Image.Image, missing: list[str]) -> Image.Image | None:
    """A picture as RGB; None, and told, where its bytes are damaged."""
    try:
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        missing.append("a picture in it")
        return None


def _loaded(spec: LayerSpec, missing: list[str]) -> Iterator[tuple[trimesh.Trimesh, F64]]:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        load = partial(trimesh.load_scene, spec.source, resolver=_Beside(spec.source.parent, missing), process=False)
        try:
            scene = load(maintain_order=True)
        except IndexError:  # it cannot keep the order of vertices that are counted from the last one
            scene = load()
        parts = [(scene.geometry[name], np.asarray(matrix, np.float64)) for matrix, name in
                 (scene.graph[node] for node in scene.graph.nodes_geometry)]
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the readers raise almost anything
        raise _unreadable(spec, error) from error
    for geometry, matrix in parts:
        if isinstance(geometry, trimesh.Trimesh) and len(geometry.faces):
            yield geometry, matrix


def _unreadable(spec: LayerSpec, error: Exception) -> SourceError:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return SourceError(f"layer '{spec.id}': {spec.source.name} cannot be read ({text[:160]})", where=spec.where,
                       mend="export it again as OBJ with MTL, or as GLB")


class _Beside(Resolver):
    """Gives a mesh the files of its own folder and those below, and no others."""

    def __init__(self, folder: Path, missing: list[str]) -> None:
        self.folder, self.missing = folder.resolve(), missing

    def get(self, name: str) -> bytes:
        clean = str(name).strip().replace("\\", "/").lstrip("/")
        path = (self.folder / clean).resolve()
        if not path.is_file():
            path = self.folder / Path(clean).name
        is_allowed = path.is_relative_to(self.folder) and path.suffix.lower() in (*TEXTURES, ".mtl", ".bin")
        if not is_allowed or not path.is_file():
            self.missing.append(Path(clean).name)
            raise FileNotFoundError(name)
        data = path.read_bytes()
        if path.suffix.lower() in TEXTURES:
            try:
                with Image.open(io.BytesIO(data)) as image:
                    image.verify()
            except Exception as error:
                self.missing.append(path.name)
                raise FileNotFoundError(name) from error
        return data

    def write(self, name: str, data: bytes) -> None:
        raise PermissionError(name)

    def keys(self) -> list[str]:
        return []

    def namespaced(self, namespace: str) -> _Beside:
        return _Beside(self.folder / namespace, self.missing)


def _upright(survey: MeshSurvey, points: F64) -> F64:
    """File coordinates with the height last."""
    out = np.column_stack([points[:, 0], -points[:, 2], points[:, 1]]) if survey.is_y_up else points
    return out * (survey.spec.unit_m or 1.0)


def _placed(survey: MeshSurvey, points: F64, park_crs: str, origin: tuple[float, float, float]) -> F64:
    spec, here = survey.spec, _upright(survey, points)
    if spec.placement is not None:
        turn = math.radians(spec.placement.rotation_deg)
        matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        return np.column_stack([here[:, :2] @ matrix, here[:, 2]]) + np.array(spec.placement.at)
    here = here + np.array(survey.offset)
    xy = here[:, 1::-1] if spec.is_north_first else here[:, :2]
    rise = 0.0 if survey.crs.lower() == PARK else origin[2]
    with np.errstate(all="ignore"):
        return np.column_stack([park_from_map_xy(xy, survey.crs, park_crs, origin), here[:, 2] - rise])


def _frame_of(spec: LayerSpec, points: F64, findings: list[Finding]) -> tuple[str, tuple[float, float, float]]:
    """CRS and offset: park.toml's word, else that of the metadata.xml which photogrammetry writes beside its meshes."""
    if spec.placement is not None:
        return PARK, (0.0, 0.0, 0.0)
    told, shift = _metadata(spec, findings)
    crs, offset = spec.crs or told, spec.background.offset or shift or (0.0, 0.0, 0.0)
    if crs:
        parse_crs(crs, spec.where)
        return crs, offset
    error = MissingCrs(f"layer '{spec.id}': {spec.source.name} does not say where it stands", where=spec.where,
                       mend='add crs = "EPSG:…" (and offset = [x, y, z] where its coordinates were shortened), or '
                            "placement = { at = [x, y, z] }")
    error.sample = points[:, :2]
    raise error


def _metadata(spec: LayerSpec, findings: list[Finding]) -> tuple[str, tuple[float, float, float] | None]:
    """SRS and SRSOrigin of the nearest metadata.xml, at most two folders up."""
    for folder in list(spec.source.parents)[:3]:
        path = folder / "metadata.xml"
        if not path.is_file():
            continue
        try:
            root = ElementTree.fromstring(path.read_bytes())
            srs, text = (root.findtext("SRS") or "").strip(), (root.findtext("SRSOrigin") or "").strip()
            origin = [float(v) for v in text.split(",")] if text else []
        except (ElementTree.ParseError, DefusedXmlException, ValueError):
            findings.append(Finding("warning", f"layer '{spec.id}': metadata.xml beside the mesh cannot be read", path.name,
                                    "say crs and offset in park.toml"))
            return "", None
        is_plain = srs.upper().startswith("EPSG:")
        if srs and not is_plain and not spec.crs:
            findings.append(Finding("warning", f"layer '{spec.id}': metadata.xml says '{srs[:60]}', which is no EPSG code",
                                    path.name, "say crs and offset in park.toml"))
        offset = (origin[0], origin[1], origin[2]) if len(origin) == 3 else None
        return (srs.split("+")[0] if is_plain else ""), offset
    return "", None


def _obj_sample(path: Path) -> F64:
    """Vertices from all over an OBJ, without reading it whole."""
    size, rows = path.stat().st_size, []
    with path.open("rb") as file:
        for start in np.unique(np.linspace(0, max(0, size - _SAMPLE_BYTES), _SAMPLES).astype(np.int64)).tolist():
            file.seek(start)
            lines = file.read(_SAMPLE_BYTES).split(b"\n")
            for line in lines[1 if start else 0:-1 if start + _SAMPLE_BYTES < size else None]:
                parts = line.split()
                if len(parts) >= 4 and parts[0] == b"v":
                    try:
                        rows.append((float(parts[1]), float(parts[2]), float(parts[3])))
                    except ValueError:
                        continue
    return np.array(rows, np.float64).reshape(-1, 3)


def _glb_sample(spec: LayerSpec) -> F64:
    parts = [np.asarray(g.vertices, np.float64) @ m[:3, :3].T + m[:3, 3] for g, m in _loaded(spec, [])]
    points = np.concatenate(parts) if parts else np.zeros((0, 3))
    return points[np.linspace(0, len(points) - 1, min(len(points), 20_000)).astype(int)] if len(points) else points
