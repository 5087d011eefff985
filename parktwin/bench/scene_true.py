"""What was read, against OpenCASCADE: nothing with a body lost in silence, boxes and areas as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ifcopenshell
import numpy as np

from models_bim.discipline import Discipline
from models_bim.geometry import SURE, Shape
from models_bim.structure import elements
from models_bim.worker import read_discipline
from parktwin.bench.rows import Row

Tell = Callable[[str], None]
_REPORTED = ("openings left nothing", "elements have a body")


@dataclass(frozen=True, slots=True)
class Compared:
    """One file read by us and by OpenCASCADE alone.

    Args:
        bodies, drawn, reported: products with a body, those of them with triangles, those a finding counts.
        worst_box_m: largest difference of a box's face over all products both drew.
        areas_m2: total area, ours and OpenCASCADE's.
    """

    name: str
    bodies: int
    drawn: int
    reported: int
    worst_box_m: float
    areas_m2: tuple[float, float]


def true_rows(files: Sequence[Path], conditions: str, tell: Tell) -> list[Row]:
    """Three rows over all files together, the worst file named."""
    found = []
    for path in files:
        tell(f"{path.name} by OpenCASCADE")
        found.append(compare(path))
    named = ", ".join(c.name for c in found)
    lost = sum(c.bodies - c.drawn - c.reported for c in found)
    box, area = max(found, key=lambda c: c.worst_box_m), max(found, key=_area_off)
    return [
        Row(what="products with a body neither drawn nor reported", unit="products", ours=float(lost), target=0.0,
            note=f"{sum(c.bodies for c in found):,} with a body, {sum(c.drawn for c in found):,} drawn, "
                 f"{sum(c.reported for c in found):,} reported, of {named}", conditions=conditions),
        Row(what="bounding boxes off OpenCASCADE's", unit="mm", ours=box.worst_box_m * 1e3, target=10.0,
            note=f"worst product of all, in {box.name}", conditions=conditions),
        Row(what="total area off OpenCASCADE's", unit="%", ours=_area_off(area) * 100, target=0.1,
            note=f"worst file: {area.name}, {area.areas_m2[0]:,.1f} and {area.areas_m2[1]:,.1f} m²", conditions=conditions)]


def compare(path: Path) -> Compared:
    """Read a file both ways."""
    ours, sure = read_discipline(path), read_discipline(path, library=SURE)
    both = sorted(ours.boxes.keys() & sure.boxes.keys())
    off = [float(np.abs(np.subtract(ours.boxes[step], sure.boxes[step])).max()) for step in both]
    bodies = _with_body(path)
    return Compared(
        name=path.name, bodies=len(bodies), drawn=len(bodies & ours.boxes.keys()),
        reported=sum(f.count for f in ours.findings if f.what.startswith(_REPORTED)),
        worst_box_m=max(off, default=0.0), areas_m2=(_area(ours), _area(sure)))


def _with_body(path: Path) -> set[int]:
    """STEP ids of elements, rooms and sites with a representation called Body."""
    file = ifcopenshell.open(path)
    wanted = [*elements(file), *file.by_type("IfcSpace"), *file.by_type("IfcSite")]
    return {p.id() for p in wanted if p.Representation and any(
        r.RepresentationIdentifier == "Body" and r.Items for r in p.Representation.Representations)}


def _area(discipline: Discipline) -> float:
    return sum(_area_of(shape) for shapes in discipline.shapes.values() for shape in shapes)


def _area_of(shape: Shape) -> float:
    corners = (shape.mesh.vertices.astype(np.float64) @ shape.ifc_from_local[:3, :3].T)[shape.mesh.triangles]
    return float(np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2)


def _area_off(compared: Compared) -> float:
    ours, sure = compared.areas_m2
    return abs(ours - sure) / sure if sure else 0.0
