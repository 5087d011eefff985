"""How high a storey lies: attribute, placement or what stands on it, whichever the geometry agrees with."""

from __future__ import annotations

from collections.abc import Iterator

import ifcopenshell
import numpy as np

from models_bim.discipline import RawStorey, Row
from models_bim.structure import placement_z
from twin.finding import Finding

Boxes = dict[int, tuple[float, ...]]


def read_storeys(
    file: ifcopenshell.file,
    rows: list[Row],
    boxes: Boxes,
    metres: float,
    name: str,
) -> tuple[list[RawStorey], list[Finding]]:
    """Storeys of one file with elevations in ifc metres, sorted by elevation then STEP id.

    The Elevation attribute is relative to the building and often missing; the placement is what the geometry hangs
    on, but some exporters leave it at zero. The one nearer to the feet of what the storey contains wins, for the file.
    """
    entities = sorted(file.by_type("IfcBuildingStorey"), key=lambda e: e.id())
    feet = {e.id(): _feet(e.id(), rows, boxes) for e in entities}
    stated = {e.id(): None if e.Elevation is None else e.Elevation * metres for e in entities}
    placed = {e.id(): placement_z(e, metres) for e in entities}
    chosen = placed if _misfit(placed, feet) <= _misfit(stated, feet) else stated
    other = stated if chosen is placed else placed
    storeys, guessed = [], 0
    flat = len(entities) > 1 and len({chosen[e.id()] for e in entities}) == 1 and _misfit(chosen, feet) > 1.0
    for entity in entities:
        step = entity.id()
        elevation = None if flat else chosen[step] if chosen[step] is not None else other[step]
        assumed = elevation is None
        if elevation is None:
            elevation = feet[step]
            guessed += 1
        storeys.append(
            RawStorey(
                step=step,
                name=" ".join((entity.Name or "").split()),
                assumed=assumed,
                elevation=None if elevation is None else round(elevation, 6) + 0.0,
            )
        )
    findings = (
        [
            Finding(
                "warning",
                "storeys carry no usable elevation; it was taken from what stands on them",
                name,
                "give the storeys their Elevation",
                guessed,
                "ifc.elevation",
            )
        ]
        if guessed
        else []
    )
    storeys += _parts(file, rows, boxes, metres)
    return sorted(storeys, key=lambda s: (s.elevation is None, s.elevation or 0.0, s.step)), findings


def _parts(file: ifcopenshell.file, rows: list[Row], boxes: Boxes, metres: float) -> Iterator[RawStorey]:
    """Parts of roads and bridges begin where the lowest thing in them does."""
    for row in rows:
        if row.kind == "storey" and row.cls != "IfcBuildingStorey":
            low = [boxes[r.step][2] for r in rows if r.storey == row.step and r.step in boxes]
            elevation = min(low) if low else placement_z(file.by_id(row.step), metres)
            yield RawStorey(step=row.step, name=row.name, assumed=False, is_part=True,
                            elevation=None if elevation is None else round(elevation, 6) + 0.0)


def _feet(storey: int, rows: list[Row], boxes: Boxes) -> float | None:
    """Where most of what a storey contains begins (metres): the lower quartile of box bottoms, slabs aside."""
    bottoms = [
        boxes[row.step][2]
        for row in rows
        if row.storey == storey and row.step in boxes and not row.cls.startswith(("IfcSlab", "IfcFooting", "IfcPile"))
    ]
    return float(np.percentile(bottoms, 25)) if bottoms else None


def _misfit(elevations: dict[int, float | None], feet: dict[int, float | None]) -> float:
    if all(value is None for value in elevations.values()):
        return float("inf")
    pairs = [(elevations[s], feet[s]) for s in feet]
    gaps = [abs(high - foot) for high, foot in pairs if high is not None and foot is not None]
    return round(float(np.median(gaps)), 2) if gaps else 0.0
