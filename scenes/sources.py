"""Everything a park file names, read: buildings, layers, terrain, registry. One bad source stops no other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.check import check_entrances, check_layer
from gis.crs import MissingCrs, lonlat_of
from gis.landing import Frame, Item, land, likely_crs, with_likely_crs
from gis.model import Ground, Layer
from gis.solids import check_bases
from gis.step import ReadLayer
from gis.terrain import Terrain
from models_bim.discipline import Discipline
from models_bim.georeference import park_from_placement, place
from models_bim.model import BimModel
from models_bim.read import ReadModel, federated
from scenes.background_job import Surveyed
from scenes.backgrounds import check_heights, is_background, survey
from scenes.by_hand import UNPLACED, Move, follow, moves_of, place_by_hand, put_devices, stands_of
from scenes.kept import part_key
from scenes.levels import check_levels, flat_ground
from scenes.map_by_hand import Placed, place_map_buildings
from scenes.merge import BuildingSource
from scenes.plan_model import plan_model
from scenes.plans import read_plans
from scenes.things import Pose, anchor_of
from twin.errors import PackError, SourceError, TwinError
from twin.finding import Finding, as_finding
from twin.overrides import Override, PutDevice, read_overrides
from twin.packs import park_packs
from twin.park import BuildingSpec, ParkSpec, Placement
from twin.registry import Device, read_registry
from twin.steps import StepStore
from twin.workshop import Workshop

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What could be read of a park, and what to say about the rest.

    `placed` are buildings of the map that stand elsewhere in `layers` than their files say.
    """

    buildings: dict[str, BuildingSource]
    layers: tuple[Layer, ...]
    ground: Ground
    devices: tuple[Device, ...]
    findings: tuple[Finding, ...]
    overrides: dict[str, Override] = field(default_factory=dict)
    backgrounds: tuple[Surveyed, ...] = ()
    placed: tuple[Placed, ...] = ()


def read_sources(spec: ParkSpec, progress: Progress, workshop: Workshop) -> Sources:
    """Read all sources of a park; a file a step, done in the workshop.

    Raises:
        SourceError: the park names buildings or layers and not one of them could be read.
    """
    findings: list[Finding] = []
    buildings = _read_buildings(spec, progress, findings, workshop)
    layers, terrain, unplaced = _read_layers(spec, progress, findings, workshop)
    surveyed = _survey(spec, findings, unplaced, workshop.store)
    if (spec.buildings or spec.layers) and not (buildings or layers or terrain or surveyed):
        first = next(f for f in [*findings, *map(as_finding, unplaced)] if f.level == "error")
        raise SourceError(f"nothing of the park could be read; first: {first.what}", mend=first.mend, where=first.where)
    overrides, told = read_overrides(spec.root)
    findings += told
    buildings = _on_earth(place_by_hand(buildings, overrides, findings), spec, findings)
    places = [(b, park_corners(source)) for b, source in buildings.items() if source.is_placed]
    frame = Frame(spec.crs, spec.origin)
    findings += [with_likely_crs(as_finding(error), likely_crs(error.sample, layers, frame, places)) for error in unplaced]
    corners = (terrain.id, terrain.vertices[:, :2], terrain.crs) if terrain else None
    landed = land(layers, frame, places, corners, [Item(s.spec.id, s.park[:, :2], 1.0, s.crs, s.raw) for s in surveyed])
    findings += landed.findings
    ground: Ground | None = terrain if terrain and landed.is_ground_here else None
    if ground is None:
        ground, lifted = flat_ground(spec, buildings)
        findings += lifted
    findings += check_levels(buildings, ground)
    findings += [f for layer in landed.layers if layer.shells for f in check_bases(layer, ground)]
    boxes = [shapely.MultiPoint(corners).convex_hull for _, corners in places if len(corners)]
    findings += check_entrances(landed.layers, boxes)
    here = tuple(s for s in surveyed if s.spec.id not in landed.away)
    findings += [f for s in here for f in check_heights(s, ground)]
    moved, placed = place_map_buildings(landed.layers, overrides, ground, findings)
    moves = (*moves_of(buildings), *(one.move() for one in placed))
    devices = _devices(spec, buildings, overrides, moves, findings)
    return Sources(buildings, moved, ground, devices, tuple(findings), overrides, here, placed)


def _read_layers(spec: ParkSpec, progress: Progress, findings: list[Finding], workshop: Workshop,
                 ) -> tuple[list[Layer], Terrain | None, list[MissingCrs]]:
    """Layers in the park frame, the first terrain, and what could not be placed for want of a coordinate system."""
    vector = [layer for layer in spec.layers if not is_background(layer)]
    progress("layers", 0, len(vector))
    read: dict[int, Layer | Terrain | TwinError] = {}
    for place_of, result in workshop.finish((ReadLayer.of(layer, spec) for layer in vector), is_light=True):
        read[place_of] = result
        progress("layers", len(read), len(vector))
    layers: list[Layer] = []
    terrain: Terrain | None = None
    unplaced: list[MissingCrs] = []
    for k, layer_spec in enumerate(vector):
        result = read[k]
        if isinstance(result, MissingCrs):
            unplaced.append(result)
        elif isinstance(result, TwinError):
            findings.append(as_finding(result))
        elif isinstance(result, Layer):
            findings.extend((*result.findings, *check_layer(result)))
            layers.append(result)
        elif terrain is None:
            terrain = result
            findings.extend(terrain.findings)
        else:
            findings.append(Finding("warning", f"layer '{layer_spec.id}' is a second terrain and is left out",
                                    f"park.toml:{layer_spec.line}", f"join it with '{terrain.id}' into one raster"))
    return layers, terrain, unplaced


def _survey(spec: ParkSpec, findings: list[Finding], unplaced: list[MissingCrs], store: StepStore) -> list[Surveyed]:
    """Where the background layers lie."""
    surveyed = []
    for layer in filter(is_background, spec.layers):
        try:
            surveyed.append(survey(layer, spec, store))
            findings.extend(surveyed[-1].findings)
        except MissingCrs as error:
            unplaced.append(error)
        except SourceError as error:
            findings.append(as_finding(error))
    return surveyed


def _on_earth(buildings: dict[str, BuildingSource], spec: ParkSpec, findings: list[Finding]) -> dict[str, BuildingSource]:
    """Those that stand where the park's grid has a place: millimetres taken for metres lead beyond the earth."""
    kept = {}
    for building_id, source in buildings.items():
        corners = park_corners(source)
        if len(corners) and not np.isfinite(lonlat_of(corners, spec.crs, spec.origin)).all():
            away = np.abs(corners).max() / 1000
            findings.append(Finding("error", f"building '{building_id}' lies {away:,.0f} km away, where {spec.crs} has no "
                                             "place, and is left out", "park.toml",
                                    "correct the units or the coordinates of its file, or write its placement"))
        else:
            kept[building_id] = source
    return kept


def park_corners(source: BuildingSource) -> NDArray[np.float64]:
    """Corners (8, 2) of a placed building's box in park metres; (0, 2) where it has no shape."""
    boxes = source.model.boxes
    known = boxes[np.isfinite(boxes).all(axis=1)] if len(boxes) else np.zeros((0, 6))
    if not len(known):
        return np.zeros((0, 2))
    low, high = known[:, :3].min(axis=0), known[:, 3:].max(axis=0)
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
    return (corners @ source.park_from_ifc[:3, :3].T + source.park_from_ifc[:3, 3])[:, :2]


def _read_buildings(spec: ParkSpec, progress: Progress, findings: list[Finding],
                    workshop: Workshop) -> dict[str, BuildingSource]:
    """Every building as soon as its files are read, whatever the order they come in."""
    progress("buildings", 0, len(spec.buildings))
    every = {path: ReadModel.of(path) for path in dict.fromkeys(path for b in spec.buildings for path in b.ifc)}
    read: dict[Path, Discipline | TwinError] = {}
    placed: dict[str, tuple[BuildingSource | None, tuple[Finding, ...]]] = {}
    keys = {path: step.key for path, step in every.items()}
    models: dict[str, BimModel] = {}  # buildings of the same files share one
    for building in spec.buildings:
        key = _model_key(building, keys)
        model = models.get(key) or workshop.store.find(key)
        if isinstance(model, BimModel):
            models[key] = model
            placed[building.id] = _put_down(spec, building, model)
            progress("buildings", len(placed), len(spec.buildings))
    steps = [every[path] for path in dict.fromkeys(path for b in spec.buildings if b.id not in placed for path in b.ifc)]
    for result in itertools.chain([None], workshop.finish(steps, is_light=True)):
        if result is not None:
            read[steps[result[0]].path] = result[1]
        for building in spec.buildings:
            if building.id not in placed and all(path in read for path in building.ifc):
                placed[building.id] = _placed(spec, building, read, keys, workshop.store, models)
                progress("buildings", len(placed), len(spec.buildings))
        still = {path for b in spec.buildings if b.id not in placed for path in b.ifc}
        read = {path: found for path, found in read.items() if path in still}
    out: dict[str, BuildingSource] = {}
    for building in spec.buildings:
        source, told = placed[building.id]
        findings.extend(told)
        if source is not None:
            out[building.id] = source
    return out


def _placed(spec: ParkSpec, building: BuildingSpec, read: dict[Path, Discipline | TwinError],
            keys: dict[Path, str], store: StepStore, models: dict[str, BimModel],
            ) -> tuple[BuildingSource | None, tuple[Finding, ...]]:
    try:
        if building.plans:
            return lift(building, spec)
        key = _model_key(building, keys)
        model = models.get(key) or federated([read[path] for path in building.ifc], [keys[path] for path in building.ifc])
    except TwinError as error:
        return None, (as_finding(error),)
    if model.digest and key not in models:
        models[key] = model
        store.keep(key, model)
    return _put_down(spec, building, model)


def _model_key(building: BuildingSpec, keys: dict[Path, str]) -> str:
    """Of the whole building as it is read; "" where it is not read from models."""
    return part_key("model", [keys[path] for path in building.ifc]) if building.ifc else ""


def _put_down(spec: ParkSpec, building: BuildingSpec,
              model: BimModel) -> tuple[BuildingSource | None, tuple[Finding, ...]]:
    """A building that was read, in its place."""
    told = model.findings
    try:
        placed = place(model, spec, building.id, building.placement, building.georeference)
        return (BuildingSource(model=model, park_from_ifc=placed.park_from_ifc, from_source=placed.park_from_ifc),
                (*told, *placed.findings))
    except SourceError as error:
        return _unplaced(model), (*told, _at_origin(error, building.id))


def _unplaced(model: BimModel) -> BuildingSource:
    """A building that nothing places: the foot of its middle at the park's origin, unturned."""
    matrix = Pose(at=(0.0, 0.0, 0.0), anchor=anchor_of(model), heading=0.0).matrix()
    return BuildingSource(model=model, park_from_ifc=matrix, is_placed=False)


def _at_origin(error: SourceError, building: str) -> Finding:
    return Finding("warning", f"{error.what}; until it has a place it lies at the park's origin", error.where or "",
                   f"place it on the editor page (/editor), or {error.mend}", code=UNPLACED, fill={"building": building})


def lift(building: BuildingSpec, spec: ParkSpec) -> tuple[BuildingSource, tuple[Finding, ...]]:
    """A building of floor plans, in its place.

    Raises:
        SourceError: none of its plans can be read.
    """
    findings: list[Finding] = []
    model = plan_model(building, read_plans(building, spec, findings), findings)
    place_of = building.placement or Placement(at=(0.0, 0.0, 0.0))
    matrix = park_from_placement(place_of)
    return BuildingSource(model=model, park_from_ifc=matrix, from_source=matrix), tuple(findings)


def _devices(spec: ParkSpec, buildings: dict[str, BuildingSource], overrides: dict[str, Override],
             moves: tuple[Move, ...], findings: list[Finding]) -> tuple[Device, ...]:
    """The registry: devices of a moved building where it took them, those put by hand where they were put."""
    if spec.registry is None and not any(isinstance(o, PutDevice) for o in overrides.values()):
        return ()
    try:
        packs = park_packs(spec.root)
    except PackError as error:
        findings.append(as_finding(error))
        return ()
    devices: tuple[Device, ...] = ()
    if spec.registry is not None:
        registry = read_registry(spec.registry, packs)
        findings.extend(Finding("warning", fault.what, f"{spec.registry.name}:{fault.line}", fault.mend)
                        for fault in registry.faults)
        devices = follow(registry.devices, moves)
    return put_devices(devices, overrides, stands_of(buildings), moves, packs, findings)
