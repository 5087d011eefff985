"""Shapes out of an IFC file: each distinct mesh once, placed many times."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import ifcopenshell
import ifcopenshell.geom
import numpy as np
from numpy.typing import NDArray

from models_bim.careful import carefully
from models_bim.forks import in_forks
from models_bim.model import Mesh
from models_bim.shape import FAST, NO_SHAPES, SURE, Shape, mesh_digest
from models_bim.triangles import steady_together

Entity = ifcopenshell.entity_instance
MOST_IN_A_SHARE = 1000  # products, and megabytes of the file they stand for: what a kernel takes for them is then given back
MOST_MB_IN_A_SHARE = 3.0
LEAST_IN_A_SHARE = 100
WORTH_A_FORK = 400  # products
LARGEST_M = 100_000.0  # a body larger than this is a slip of the pen, and would stretch the park to its size
TOGETHER = 30_000  # triangles steadied in one go: alike small shapes cost more in calls than in work
DEFAULT_RGB = (178, 178, 178)
#: Representations that are not what the thing looks like; used only where a product has no other.
_AUXILIARY = frozenset(
    {
        "Box",
        "Clearance",
        "CoG",
        "FootPrint",
        "Axis",
        "Profile",
        "SurveyPoints",
        "Lighting",
        "Reference",
        "Annotation",
        "Plan",
    }
)


@dataclass(slots=True, eq=False)
class Shapes:
    """Everything drawn of one file: shapes sorted by product, and products that yielded no triangles.

    `lost`: those among them that ended the kernel, or held it up.
    """

    by_product: dict[int, list[Shape]]
    empty: list[int]
    retried: int = 0
    lost: list[int] = field(default_factory=list)


def read_shapes(
    file: ifcopenshell.file,
    products: list[ifcopenshell.entity_instance],
    *,
    library: str = FAST,
    progress: Callable[[int, int], None] = lambda done, total: None,
    forks: int = 1,
    megabytes: float = 0.0,
    careful_secs: float = 0.0,
) -> Shapes:
    """Triangulate products; those that come back empty from a fast kernel are tried again with OpenCASCADE.

    Args:
        products: elements and spaces to draw (never openings: they only cut).
        library: geometry library of the first attempt.
        progress: called with (products done, products in all).
        forks: processes that share the work where there is much of it (see `in_forks`).
        megabytes: size of the file the products are all of.
        careful_secs: where a kernel died of the file, or hung: draw so that only the products it fails on are lost, for
            so long at most with each kernel.
    """
    if library == NO_SHAPES:
        return Shapes({}, [])
    wanted = sorted((p for p in products if p.Representation), key=lambda p: p.id())
    shapes: dict[int, list[Shape]] = {}
    meshes: dict[bytes, Mesh] = {}
    lost: list[Entity] = []

    def drawn(these: list[Entity], kernel: str) -> Iterator[Shape]:
        work = partial(_iterate, file, library=kernel)
        if careful_secs:
            lost.clear()
            return carefully(these, work, lost, careful_secs)
        return in_forks(_shares(these, megabytes, forks), forks, work)

    for done, shape in enumerate(drawn(wanted, library)):
        _keep(shapes, shape, meshes)
        if done % 100 == 99:
            progress(min(done, len(wanted)), len(wanted))
    missing = [p for p in wanted if p.id() not in shapes and _has_body(p)]
    retried = 0
    if missing and library != SURE:
        for shape in drawn(missing, SURE):
            _keep(shapes, shape, meshes)
        retried = sum(p.id() in shapes for p in missing)
    progress(len(wanted), len(wanted))
    return Shapes(
        by_product={key: _best(shapes[key]) for key in sorted(shapes)},
        empty=[p.id() for p in missing if p.id() not in shapes],
        retried=retried,
        lost=[p.id() for p in lost],
    )


def world_box(shape: Shape) -> NDArray[np.float64]:
    """(6,) xmin,ymin,zmin,xmax,ymax,zmax of a placed shape in ifc metres."""
    points = shape.mesh.vertices.astype(np.float64) @ shape.ifc_from_local[:3, :3].T + shape.ifc_from_local[:3, 3]
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _shares(products: list[Entity], megabytes: float, forks: int) -> list[list[Entity]]:
    """Products in shares of like effort; those drawn from one representation map stand together."""
    ordered = sorted(products, key=lambda p: (_map_of(p), p.id()))
    at_once = min(MOST_IN_A_SHARE, int(len(products) * MOST_MB_IN_A_SHARE / max(megabytes, 1e-6)))
    if len(products) < WORTH_A_FORK:
        forks = 1
    most = max(LEAST_IN_A_SHARE // forks, min(at_once // forks, -(-len(products) // forks)))
    return [ordered[start : start + most] for start in range(0, len(ordered), most)]


def _map_of(product: Entity) -> int:
    """STEP id of the first representation map a product is drawn from; its own where it has a body to itself."""
    for representation in product.Representation.Representations or ():
        for item in representation.Items or ():
            if item.is_a("IfcMappedItem") and item.MappingSource is not None:
                return int(item.MappingSource.id())
    return int(product.id())


def _keep(shapes: dict[int, list[Shape]], shape: Shape, meshes: dict[bytes, Mesh]) -> None:
    shape = replace(shape, mesh=meshes.setdefault(mesh_digest(shape.mesh), shape.mesh))
    kept = shapes.setdefault(shape.product, [])
    if not any(
        other.mesh is shape.mesh and np.allclose(other.ifc_from_local, shape.ifc_from_local)
        for other in kept
    ):
        kept.append(shape)


def _best(shapes: list[Shape]) -> list[Shape]:
    looks = [s for s in shapes if s.context not in _AUXILIARY]
    return looks or shapes[:1]


def _has_body(product: ifcopenshell.entity_instance) -> bool:
    return any(
        r.RepresentationIdentifier not in _AUXILIARY
        and r.RepresentationType
        not in ("Curve2D", "Curve3D", "GeometricCurveSet", "Annotation2D", "Point", "PointCloud")
        for r in product.Representation.Representations
    )


def _iterate(file: ifcopenshell.file, products: Sequence[ifcopenshell.entity_instance], library: str) -> Iterator[Shape]:
    settings = ifcopenshell.geom.settings()
    iterator = ifcopenshell.geom.iterator(settings, file, 1, include=products, geometry_library=library)  # type: ignore
    if not iterator.initialize():
        return
    raws: list[_Raw] = []
    pending = 0
    known: dict[bytes, tuple[Mesh, NDArray[np.float64]]] = {}
    while True:
        raw = _raw(iterator.get())
        if raw is not None:
            raws.append(raw)
            pending += len(raw.triangles)
        is_more = iterator.next()
        if raws and (pending > TOGETHER or not is_more):
            yield from _shapes(raws, known)
            raws, pending = [], 0
        if not is_more:
            return


@dataclass(frozen=True, slots=True, eq=False)
class _Raw:
    """One shape as the kernel gave it, copied out of its memory; `key` is the same for shapes that are alike."""

    product: int
    context: str
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    material: NDArray[np.int32]
    colours: NDArray[np.float64]
    names: list[str]
    matrix: NDArray[np.float64]
    key: bytes


def _raw(found: object) -> _Raw | None:
    geometry = found.geometry  # type: ignore[attr-defined]
    triangles = np.frombuffer(geometry.faces_buffer, dtype=np.int32).reshape(-1, 3)
    vertices = np.frombuffer(geometry.verts_buffer, dtype=np.float64).reshape(-1, 3)
    if not len(triangles) or not np.isfinite(vertices).all() or np.ptp(vertices, axis=0).max() > LARGEST_M:
        return None
    material = np.frombuffer(geometry.material_ids_buffer, dtype=np.int32)
    digest = hashlib.blake2b(digest_size=16)
    colours = np.frombuffer(geometry.colors_buffer, dtype=np.float64).reshape(-1, 4)
    names = [m.name for m in geometry.materials]
    for column in (vertices, triangles, material, colours):
        digest.update(column.tobytes())
    digest.update(repr(names).encode(errors="surrogateescape"))
    return _Raw(
        product=found.id,  # type: ignore[attr-defined]
        context=found.context,  # type: ignore[attr-defined]
        vertices=vertices.copy(),
        triangles=triangles.copy(),
        material=material.copy(),
        colours=colours.copy(),
        names=names,
        matrix=np.frombuffer(found.transformation_buffer, dtype=np.float64).reshape(4, 4).T.copy(),  # type: ignore[attr-defined]
        key=digest.digest(),
    )


def _shapes(raws: list[_Raw], known: dict[bytes, tuple[Mesh, NDArray[np.float64]]]) -> Iterator[Shape]:
    """Shapes of the kernel's; `known` remembers the mesh, and the middle of its box, of the many that are alike."""
    fresh = list({raw.key: raw for raw in raws if raw.key not in known}.values())
    steadied = steady_together([(raw.vertices, raw.triangles, raw.material) for raw in fresh])
    known.update((raw.key, _mesh(raw, triangles)) for raw, triangles in zip(fresh, steadied, strict=True))
    for raw in raws:
        mesh, centre = known[raw.key]
        matrix = raw.matrix.copy()
        matrix[:3, 3] += matrix[:3, :3] @ centre
        yield Shape(raw.product, raw.context, mesh, matrix)


def _mesh(raw: _Raw, triangles: NDArray[np.int32]) -> tuple[Mesh, NDArray[np.float64]]:
    centre = (raw.vertices.min(axis=0) + raw.vertices.max(axis=0)) / 2
    order = np.argsort(raw.material, kind="stable")
    run_start, run_rgba, is_default = _runs(raw.material[order], raw.colours, raw.names)
    return Mesh(
        vertices=(raw.vertices - centre).astype(np.float32),
        triangles=triangles[order].astype(np.uint32),
        run_start=run_start,
        run_rgba=run_rgba,
        is_default=is_default,
    ), centre


def _runs(
    material: NDArray[np.int32], colours: NDArray[np.float64], names: list[str]
) -> tuple[NDArray, NDArray, NDArray]:
    cuts = np.flatnonzero(np.diff(material)) + 1
    starts = np.concatenate([[0], cuts, [len(material)]]).astype(np.int32)
    rgba = np.empty((len(starts) - 1, 4), dtype=np.uint8)
    default = np.zeros(len(starts) - 1, dtype=np.bool_)
    for row, slot in enumerate(material[starts[:-1]]):
        default[row] = slot < 0 or names[slot] == "DefaultMaterial" or not np.isfinite(colours[slot, :3]).all()
        rgba[row] = (*DEFAULT_RGB, 255) if default[row] else _byte_colour(colours[slot])
    return starts, rgba, default


def _byte_colour(rgba: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.round(np.clip(np.nan_to_num(rgba, nan=1.0), 0, 1) * 255).astype(np.uint8)
