"""BIM and GIS into one scene graph: the node table of docs/architecture.md, and who is who in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.boundary import park_outline
from gis.floors import floor_areas
from gis.lines import buried_m
from gis.model import FlatGround, Ground, Layer
from models_bim.model import BimModel
from scenes.bind import bind
from scenes.double import Standing, shared_places, twins
from scenes.footprints import already_there, undeclared
from scenes.kept import NOTHING_KEPT
from scenes.locate import SpaceIndex, SpaceShape
from scenes.map_buildings import MapBuildings, outlines_of
from scenes.regroup import Regroup
from scenes.rows import NodeRows
from scenes.spread import Spread, spread_building
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.overrides import Override
from twin.park import BuildingSpec, ParkSpec
from twin.registry import Device
from twin.steps import StepStore


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuildingSource:
    """A building read and placed: float64 (4, 4) ifc metres → park metres.

    Args:
        from_source: the same as its sources alone say; None where they say nothing that can be used.
        is_placed: False where it lies at the park's origin for want of a place.
        moved_from: where it stood before it was moved by hand; None where it was not.
    """

    model: BimModel
    park_from_ifc: NDArray[np.float64]
    from_source: NDArray[np.float64] | None = None
    is_placed: bool = True
    moved_from: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """One scene graph, and where its parts came from.

    Args:
        graph: nodes, with `tile` still empty (the tile compiler fills it).
        entity_nodes: building id → uint32 (entities,), the node of every entity row.
        building_nodes: building id → node. storey_nodes: building id → node of every storey, in the model's order.
        footprints: building id → the ground its model covers, park metres.
        layers: GIS layers without the features merged away, each with uint32 (n,) nodes of its features.
        absorbed: what was merged away, each with the nodes (n,) that stand for it and so keep its attributes.
        spaces: rooms in the park frame, ascending by node.
        findings: merged-away footprints, unbound devices, everything else worth a line in the report.
    """

    graph: SceneGraph
    entity_nodes: dict[str, NDArray[np.uint32]]
    building_nodes: dict[str, int]
    storey_nodes: dict[str, tuple[int, ...]]
    footprints: dict[str, shapely.Geometry]
    layers: list[tuple[Layer, NDArray[np.uint32]]]
    absorbed: list[tuple[Layer, NDArray[np.uint32]]]
    spaces: tuple[SpaceShape, ...]
    findings: tuple[Finding, ...]


def merge(
    spec: ParkSpec,
    buildings: dict[str, BuildingSource],
    layers: Sequence[Layer] = (),
    devices: Sequence[Device] = (),
    ground: Ground | None = None,
    overrides: Mapping[str, Override] | None = None,
    store: StepStore = NOTHING_KEPT,
    from_source: Mapping[str, shapely.Geometry] | None = None,
) -> Merged:
    """Put everything of a park under one root. The same inputs give the same nodes in the same order.

    Args:
        buildings: those of `spec.buildings` that could be read and placed, by id.
        layers: GIS layers in the park frame.
        devices: the registry.
        ground: what GIS features stand on; flat at park height 0 where None.
        overrides: names, groups and zones given by hand (places are in `buildings`, `layers` and `devices` already).
        store: where what was worked out of buildings before comes from.
        from_source: outlines of the map that were put elsewhere by hand, as their files have them, by node id.
    """
    rows, findings = NodeRows(), list[Finding]()
    park = rows.add("park", "park", 0, name=spec.name, name_zh=spec.name_zh or "", source="park.toml")
    zones = {
        z.id: rows.add(z.id, "zone", park, name=z.name, name_zh=z.name_zh or "", source="park.toml") for z in spec.zones
    }
    spreads: dict[str, Spread] = {}
    for building in spec.buildings:
        if building.id in buildings:
            spreads[building.id] = _add_building(
                rows, building, zones.get(building.zone or "", park), buildings[building.id], store
            )
    spaces = tuple(sorted((s for spread in spreads.values() for s in spread.spaces), key=lambda s: s.node))
    standing = [_standing(rows, building, spreads[building.id]) for building in spec.buildings
                if building.id in spreads and buildings[building.id].is_placed]
    findings += [*shared_places(standing), *undeclared(standing, layers)]
    kept, absorbed = _add_layers(rows, layers, park, standing, ground or FlatGround(), findings)
    models = {b: (buildings[b].model, spread) for b, spread in spreads.items()}
    if overrides:
        Regroup(rows, models, MapBuildings(outlines_of(layers, from_source)), park, findings).apply(overrides)
    rows.enclose(park)
    bind(rows, devices, models, SpaceIndex(spaces), park, findings)
    return Merged(
        graph=SceneGraph(rows.columns(), rows.aliases),
        entity_nodes={b: s.nodes for b, s in spreads.items()},
        building_nodes={b: s.node for b, s in spreads.items()},
        storey_nodes={b: s.storeys for b, s in spreads.items()},
        footprints={b: s.footprint for b, s in spreads.items()},
        layers=kept,
        absorbed=absorbed,
        spaces=spaces,
        findings=tuple(findings),
    )


def _add_building(rows: NodeRows, building: BuildingSpec, parent: int, source: BuildingSource, store: StepStore) -> Spread:
    return spread_building(rows, building, parent, source.model, source.park_from_ifc, store)


def _standing(rows: NodeRows, building: BuildingSpec, spread: Spread) -> Standing:
    names = (building.id, building.name or "", building.name_zh or "", rows.text("name", spread.node),
             rows.text("name_zh", spread.node))
    return Standing(building.id, spread.footprint, spread.node, names, building.footprint, building.line)


def _add_layers(
    rows: NodeRows, layers: Sequence[Layer], park: int, standing: list[Standing], ground: Ground, findings: list[Finding],
) -> tuple[list[tuple[Layer, NDArray[np.uint32]]], list[tuple[Layer, NDArray[np.uint32]]]]:
    """Every layer's nodes; a building that already stands there takes the place of a footprint."""
    kept: dict[int, tuple[Layer, NDArray[np.uint32]]] = {}
    absorbed: list[tuple[Layer, NDArray[np.uint32]]] = []
    outline = park_outline(layers)
    # layers with roofs of their own come before plain footprints of the same buildings, whatever the park file's order
    for k in sorted(range(len(layers)), key=lambda k: (not layers[k].shells, k)):
        layer = layers[k]
        if layer.kind == "buildings":
            stay, node = already_there(layer, standing, findings)
            absorbed.append((layer.take(~stay), node[~stay]))
            layer = layer.take(stay)
            first = twins(layer, findings)
            again, layer = layer.take(first >= 0), layer.take(first < 0)
            nodes = _add_layer(rows, layer, park, ground, outline)
            absorbed.append((again, nodes[np.searchsorted(np.flatnonzero(first < 0), first[first >= 0])]))
        else:
            nodes = _add_layer(rows, layer, park, ground, outline)
        kept[k] = layer, nodes
        if layer.kind == "buildings":
            standing += [Standing(i, g, int(n)) for i, g, n in zip(layer.node_ids(), layer.geometry, nodes, strict=True)]
    for layer, nodes in absorbed:
        for feature, node in zip(layer.node_ids(), nodes.tolist(), strict=True):
            rows.alias(feature, node)
    return [kept[k] for k in sorted(kept)], [(layer, nodes) for layer, nodes in absorbed if len(layer)]


def _add_layer(rows: NodeRows, layer: Layer, park: int, ground: Ground, outline: shapely.Geometry | None,
               ) -> NDArray[np.uint32]:
    if not len(layer):
        return np.zeros(0, dtype=np.uint32)
    spots = _spots(layer.geometry)
    z = ground.height_at(spots)
    height = np.where(np.isfinite(layer.height_m), layer.height_m, 0.0)
    below = buried_m(layer, z)
    bounds = shapely.bounds(layer.geometry)
    kind = "building" if layer.kind == "buildings" else "feature"
    nodes = np.empty(len(layer), dtype=np.uint32)
    ids = layer.node_ids()
    area = (floor_areas(layer, outline) if kind == "building" else
            np.where(shapely.get_dimensions(layer.geometry) == 2, shapely.area(layer.geometry), np.nan))
    for k in range(len(layer)):
        box = (bounds[k, 0], bounds[k, 1], z[k] - below[k], bounds[k, 2], bounds[k, 3], z[k] - below[k] + height[k])
        nodes[k] = rows.add(
            ids[k],
            kind,
            park,
            name=str(layer.names[k]),
            name_zh=str(layer.names_zh[k]),
            cls=layer.kind,
            source=layer.source,
            anchor=(spots[k, 0], spots[k, 1], z[k] - below[k] + height[k] / 2),
            box=box,
            height=float(layer.height_m[k]),
            area=float(area[k]),
        )
    return nodes


def _spots(geometry: NDArray[np.object_]) -> NDArray[np.float64]:
    """(n, 2) a point on each geometry: inside an area, half way along a line."""
    is_line = shapely.get_dimensions(geometry) == 1
    spots = shapely.point_on_surface(geometry)
    simple = is_line & (shapely.get_type_id(geometry) == 1)
    if simple.any():
        spots[simple] = shapely.line_interpolate_point(geometry[simple], 0.5, normalized=True)
    return shapely.get_coordinates(spots)
