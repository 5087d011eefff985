"""Buildings with faces of their own, drawn: walls with bays and storeys, roofs as they slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis import palette
from gis.blocks import BAY_M, BlockForm, block_mesh, forms_in
from gis.ground import hash_of
from gis.mesh import Mesh, Surface, join, make_mesh, newell, split_large, triangulate
from gis.model import Ground, Layer, Shell
from gis.plain_blocks import plain_blocks
from twin.finding import Finding

F64 = NDArray[np.float64]
LONGEST_M = 8.0
TOLD_M = 1.0
QUARTERS_ACROSS, LEAST_QUARTER_M = 8, 250.0
_FLAT = 0.98  # |z| of a roof's normal over which it is flat


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Buildings that are drawn each by itself: (n,) footprints, faces of their own or None, forms, nodes and ids."""

    geometry: NDArray[np.object_]
    shells: tuple[Shell | None, ...]
    forms: tuple[BlockForm, ...]
    nodes: NDArray[np.uint32]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.forms)

    def take(self, rows: slice) -> Standing:
        """Some of them."""
        return Standing(self.geometry[rows], self.shells[rows], self.forms[rows], self.nodes[rows], self.ids[rows])

    def meshes(self, ground: Ground) -> list[Mesh]:
        """One mesh a building: its own faces where it has them, else a block on its footprint."""
        return [block_mesh(geometry, form, node, feature_id, ground) if shell is None else
                shell_mesh(shell, geometry, form, node, feature_id, ground)
                for geometry, shell, form, node, feature_id in zip(
                    self.geometry, self.shells, self.forms, self.nodes.tolist(), self.ids, strict=True)]


def building_meshes(layer: Layer, nodes: NDArray[np.uint32], ground: Ground, park: shapely.Geometry | None = None,
                    ) -> list[Mesh]:
    """One mesh a building, after those outside the park, of which there is one for every square; see `surroundings_of`."""
    around, standing = surroundings_of(layer, nodes, ground, park)
    return [*around, *standing.meshes(ground)]


def surroundings_of(layer: Layer, nodes: NDArray[np.uint32], ground: Ground, park: shapely.Geometry | None = None,
                    ) -> tuple[list[Mesh], Standing]:
    """Meshes of what stands outside the park, one for every square of it, as it may be a whole city; and all others.

    Args:
        park: the park's own area; what stands outside it is drawn as bare, pale surroundings. None for no such line.
    """
    shells = layer.shells or (None,) * len(layer)
    forms = forms_in(layer, park)
    plain = [form.facade is Surface.CONTEXT and shell is None for form, shell in zip(forms, shells, strict=True)]
    around = [plain_blocks(layer.geometry[rows], [forms[k] for k in rows], nodes[rows], ground)
              for rows in _quarters(layer.geometry, np.flatnonzero(plain))]
    own = np.flatnonzero(np.logical_not(plain))
    standing = Standing(layer.geometry[own], tuple(shells[k] for k in own), tuple(forms[k] for k in own), nodes[own],
                        tuple(str(layer.ids[k]) for k in own))
    return [mesh for mesh in around if len(mesh)], standing


def _quarters(geometry: NDArray[np.object_], rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Rows of footprints by squares of the city they make up, so that what is behind a camera need not be drawn."""
    if not len(rows):
        return []
    middle = shapely.get_coordinates(shapely.centroid(geometry[rows]))
    side = max(LEAST_QUARTER_M, float(np.ptp(middle, axis=0).max()) / QUARTERS_ACROSS)
    square = np.floor((middle - middle.min(axis=0)) / side).astype(np.int64)
    of = square[:, 0] * (int(square[:, 1].max()) + 1) + square[:, 1]
    order = np.argsort(of, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(of[order])) + 1)


def check_bases(layer: Layer, ground: Ground) -> tuple[Finding, ...]:
    """What is said when a layer's own heights and the ground are not of one datum."""
    lifts = [base_lift_m(shell, geometry, ground)
             for shell, geometry in zip(layer.shells, layer.geometry, strict=False)
             if shell is not None and not shell.is_above_ground]
    middle = float(np.median(lifts)) if lifts else 0.0
    if abs(middle) <= TOLD_M:
        return ()
    return (Finding("note", f"layer '{layer.id}': buildings stood on the ground, {abs(middle):,.1f} m "
                            f"{'above' if middle > 0 else 'below'} their own heights", layer.source,
                    "correct the park's origin height or the terrain where the two should agree", len(lifts)),)


def base_lift_m(shell: Shell, footprint: shapely.Geometry, ground: Ground) -> float:
    """How far a shell is lifted (or sunk) so that it stands on the lowest ground under it, metres."""
    rim = shapely.get_coordinates(footprint)
    low = min(float(ring[:, 2].min()) for rings in shell.rings for ring in rings)
    return float(ground.height_at(rim).min()) - low


def shell_mesh(shell: Shell, footprint: shapely.Geometry, form: BlockForm, node: int, feature_id: str,
               ground: Ground) -> Mesh:
    """The mesh of a shell, standing on the ground; what lies on the ground itself is not drawn."""
    lift = np.array([0.0, 0.0, base_lift_m(shell, footprint, ground)])
    z = np.concatenate([rings[0][:, 2] for rings in shell.rings])
    base, storey = float(z.min()), max(float(np.ptp(z)) / form.storeys, 2.2)
    roof = palette.ROOF_TILES[hash_of(feature_id + "roof") % len(palette.ROOF_TILES)]
    parts = []
    for rings, role in zip(shell.rings, shell.role, strict=True):
        normal = newell(rings[0])
        if role == "ground" or not normal.any():
            continue
        flat = _in_plane(rings, normal)
        if flat is None:
            continue
        points, faces = flat
        if role == "wall" and abs(normal[2]) < 0.5:
            parts.append(_wall(points, faces, normal, form, node, base, storey))
        else:
            colour = palette.ROOF if abs(normal[2]) > _FLAT else roof
            parts.append(make_mesh(points, faces, normal=normal, colour=colour, surface=Surface.ROOF, node=node))
    mesh = join(parts)
    if not len(mesh):
        return mesh
    mesh.position[:] += lift
    return split_large(mesh, np.full(len(mesh.faces), LONGEST_M))[0]


def _in_plane(rings: tuple[F64, ...], normal: F64) -> tuple[F64, NDArray[np.uint32]] | None:
    """A face triangulated in its own plane: points (n, 3) and faces counter-clockwise about the normal."""
    along = np.cross([0.0, 0.0, 1.0], normal) if abs(normal[2]) < 0.999 else np.array([1.0, 0.0, 0.0])
    along /= np.linalg.norm(along)
    frame = np.column_stack([along, np.cross(normal, along)])
    try:
        polygon = shapely.Polygon(rings[0] @ frame, [hole @ frame for hole in rings[1:]])
    except ValueError:
        return None
    if polygon.is_empty or not polygon.area > 0.001:
        return None
    _, faces = triangulate(polygon)
    return np.concatenate(rings), faces


def _wall(points: F64, faces: NDArray, normal: F64, form: BlockForm, node: int, base: float, storey: float) -> Mesh:
    run = np.array([-normal[1], normal[0]])
    along = points[:, :2] @ (run / max(float(np.linalg.norm(run)), 1e-9))
    length = float(np.ptp(along))
    bays = max(1.0, float(np.rint(length / BAY_M[form.facade])))
    uv = np.column_stack([(along - along.min()) / max(length, 1e-9) * bays, (points[:, 2] - base) / storey])
    return make_mesh(points, faces, normal=normal, colour=form.wall, surface=form.facade, node=node,
                     storey_dm=int(np.clip(storey * 10, 0, 255)), uv=uv.astype(np.float32))
