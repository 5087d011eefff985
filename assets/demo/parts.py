"""The geometry of walls, slabs, stairs and rooms as IFC maps."""

from __future__ import annotations

from collections.abc import Sequence

from assets.demo.catalogue import Make, door_parts, makes, window_parts
from assets.demo.ifcmodel import Entity, Model
from assets.demo.meshes import Mesh, steps
from assets.demo.plan import Gap, Rect, Wall
from assets.demo.programs import STAIR_LANDING_M, STAIR_RUN_M


def ring_of(rect: Rect) -> list[tuple[float, float]]:
    """A rectangle's corners, counter-clockwise."""
    x0, y0, x1, y1 = rect
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def wall_map(model: Model, wall: Wall) -> Entity:
    """A wall drawn in elevation (door gaps notched, windows as holes) through its thickness; outside towards −y."""
    gaps = sorted(wall.gaps, key=lambda g: g.at)
    key = (
        "wall",
        round(wall.length, 3),
        wall.thickness,
        wall.height,
        wall.style,
        tuple((g.at, g.width, g.sill, g.height) for g in gaps),
    )
    found = model.map_of(key)
    if found is not None:
        return found
    outline = [(0.0, 0.0)]
    voids = []
    for g in gaps:
        if g.sill <= 0.0:
            top = min(g.height, wall.height)
            outline += [(g.at, 0.0), (g.at, top), (g.at + g.width, top), (g.at + g.width, 0.0)]
        else:
            voids.append(ring_of((g.at, g.sill, g.at + g.width, g.sill + g.height)))
    outline += [(wall.length, 0.0), (wall.length, wall.height), (0.0, wall.height)]
    open_top = any(g.sill <= 0.0 and g.height >= wall.height for g in gaps)
    axes = model.axes((0.0, wall.thickness / 2, 0.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    if open_top:  # a parapet with gaps: one solid a stretch
        items = [
            (wall.style, model.extrusion(ring_of((a, 0.0, b, wall.height)), (), axes, wall.thickness))
            for a, b in _stretches(wall)
        ]
    else:
        items = [(wall.style, model.extrusion(outline, voids, axes, wall.thickness))]
    return model.shape_map(key, items, "SweptSolid")


def _stretches(wall: Wall) -> list[tuple[float, float]]:
    edges = [0.0, *(e for g in wall.gaps for e in (g.at, g.at + g.width)), wall.length]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.01]


def filling_map(model: Model, gap: Gap) -> tuple[Entity, str]:
    """Window or door of a gap's size, and its type key."""
    key = f"{gap.make}-{round(gap.width * 1000)}x{round(gap.height * 1000)}"
    parts = window_parts(gap.width, gap.height, gap.make) if gap.sill > 0 else door_parts(gap.make, gap.width, gap.height)
    return model.mesh_map(key, parts), key


def slab_map(model: Model, outline: Rect, holes: Sequence[Rect], thickness: float, style: str) -> Entity:
    """A floor whose top is at z = 0."""
    key = ("slab", outline, tuple(holes), thickness, style)
    found = model.map_of(key)
    if found is not None:
        return found
    solid = model.extrusion(ring_of(outline), [ring_of(h) for h in holes], model.axes((0.0, 0.0, -thickness)), thickness)
    return model.shape_map(key, [(style, solid)], "SweptSolid")


def space_map(model: Model, rect: Rect, height: float) -> Entity:
    """A room's clear volume, from its own corner."""
    x0, y0, x1, y1 = rect
    key = ("space", round(x1 - x0, 3), round(y1 - y0, 3), height)
    found = model.map_of(key)
    if found is not None:
        return found
    solid = model.extrusion(ring_of((0.0, 0.0, x1 - x0, y1 - y0)), (), model.origin, height)
    return model.shape_map(key, [(None, solid)], "SweptSolid")


def flight_maps(model: Model, width: float, height: float) -> tuple[Entity, Entity]:
    """One flight (half the storey) and the half landing of a dog-leg stair in a well of this clear width."""
    half = round(width / 2 - 0.1, 3)
    count = max(8, round(height / 2 / 0.168))
    run = STAIR_RUN_M - 0.2
    flight = model.mesh_map(("flight", half, height), [("stair", steps(run, height / 2, half, count))])
    landing = model.mesh_map(("landing", width), [("stair", Mesh().box(0.0, 0.0, -0.18, width, STAIR_LANDING_M, 0.0))])
    return flight, landing


def thing(model: Model, key: str) -> tuple[Make, Entity]:
    """A catalogue make and its map."""
    make = makes()[key]
    return make, model.mesh_map(key, make.parts)


def box_map(model: Model, key: object, parts: Sequence[tuple[str, Mesh]]) -> Entity:
    """A one-off coloured mesh."""
    return model.mesh_map(key, parts)
