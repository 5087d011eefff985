"""Everything a park file names, read: buildings, layers, terrain, registry. One bad source stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gis.check import check_layer
from gis.model import FlatGround, Ground, Layer
from gis.read import is_terrain, read_layer
from gis.tables import sidecars
from gis.terrain import Terrain, read_terrain
from models_bim.georeference import place
from models_bim.read import read_building
from scenes.merge import BuildingSource
from twin.errors import PackError, SourceError, TwinError
from twin.finding import Finding
from twin.packs import park_packs
from twin.park import BuildingSpec, ParkSpec
from twin.registry import Device, read_registry

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What could be read of a park, and what to say about the rest."""

    buildings: dict[str, BuildingSource]
    layers: tuple[Layer, ...]
    ground: Ground
    devices: tuple[Device, ...]
    findings: tuple[Finding, ...]


def read_sources(spec: ParkSpec, progress: Progress, jobs: int = 2) -> Sources:
    """Read all sources of a park.

    Raises:
        SourceError: the park names buildings or layers and not one of them could be read.
    """
    findings: list[Finding] = []
    buildings = _read_buildings(spec, progress, jobs, findings)
    layers: list[Layer] = []
    ground: Ground = FlatGround(0.0)
    for done, layer_spec in enumerate(spec.layers):
        progress("layers", done, len(spec.layers))
        try:
            if layer_spec.kind == "terrain" or is_terrain(layer_spec.source):
                ground = read_terrain(layer_spec, spec.crs, spec.origin)
                findings.extend(ground.findings)
            else:
                layer = read_layer(layer_spec, spec.crs, spec.origin)
                findings.extend((*layer.findings, *check_layer(layer)))
                layers.append(layer)
        except SourceError as error:
            findings.append(as_finding(error))
    progress("layers", len(spec.layers), len(spec.layers))
    if (spec.buildings or spec.layers) and not (buildings or layers or isinstance(ground, Terrain)):
        first = next(f for f in findings if f.level == "error")
        raise SourceError(f"nothing of the park could be read; first: {first.what}", mend=first.mend, where=first.where)
    return Sources(buildings, tuple(layers), ground, _devices(spec, findings), tuple(findings))


def as_finding(error: TwinError) -> Finding:
    """An error that ended one source as a row of the report."""
    return Finding("error", error.what, error.where or "", error.mend)


def _read_buildings(spec: ParkSpec, progress: Progress, jobs: int,
                    findings: list[Finding]) -> dict[str, BuildingSource]:
    out: dict[str, BuildingSource] = {}
    progress("buildings", 0, len(spec.buildings))
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda b: _read_one(spec, b), spec.buildings)
        for done, (building, result) in enumerate(zip(spec.buildings, results, strict=True), 1):
            source, told = result
            findings.extend(told)
            if source is not None:
                out[building.id] = source
            progress("buildings", done, len(spec.buildings))
    return out


def _read_one(spec: ParkSpec, building: BuildingSpec) -> tuple[BuildingSource | None, tuple[Finding, ...]]:
    told: tuple[Finding, ...] = ()
    try:
        model = read_building(building.ifc, jobs=1)
        told = model.findings
        placed = place(model, spec, building.id, building.placement)
        return BuildingSource(model=model, park_from_ifc=placed.park_from_ifc), (*told, *placed.findings)
    except SourceError as error:
        return None, (*told, as_finding(error))


def _devices(spec: ParkSpec, findings: list[Finding]) -> tuple[Device, ...]:
    if spec.registry is None:
        return ()
    try:
        packs = park_packs(spec.root)
    except PackError as error:
        findings.append(as_finding(error))
        return ()
    registry = read_registry(spec.registry, packs)
    findings.extend(Finding("warning", fault.what, f"{spec.registry.name}:{fault.line}", fault.mend)
                    for fault in registry.faults)
    return registry.devices


def source_files(spec: ParkSpec) -> Iterator[Path]:
    """Every file a build reads, sidecars included."""
    yield spec.root / "park.toml"
    yield from sorted((spec.root / "packs").glob("*.toml"))
    for building in spec.buildings:
        yield from building.ifc
    for layer in spec.layers:
        yield from sidecars(layer.source)
    if spec.registry is not None:
        yield spec.registry
