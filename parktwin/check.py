"""`parktwin check`: everything wrong with a park folder at once, each with its mend, before anything is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.registry import check_sources
from gis.check import check_layer
from gis.landing import Frame, Item, land
from gis.model import Layer
from gis.read import is_terrain, read_layer
from models_bim.read import glance_file
from scenes.background_job import Surveyed
from scenes.backgrounds import is_background, survey
from scenes.schemes.file import read_rules, read_scheme
from scenes.sources import lift
from twin.errors import PackError, SourceError, TwinError
from twin.fences import read_declared
from twin.finding import Finding, Level
from twin.packs import PackSet, park_packs
from twin.park import BuildingSpec, LayerSpec, ParkSpec
from twin.park_points import read_own
from twin.parkfile import FILE_NAME, read_park
from twin.registry import Device, PointTable, read_registry

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="check")(check)


def check(folder: Annotated[Path, typer.Argument(help="the park folder")]) -> None:
    """Say everything that is wrong with a park and how to mend it; exit 1 only when nothing could be built."""
    findings, is_buildable = check_park(folder)
    show(findings, Console())
    if not is_buildable:
        raise typer.Exit(1)


def check_park(folder: Path) -> tuple[list[Finding], bool]:
    """All findings on a park folder, and whether anything of it could be built."""
    packs, findings = _packs(folder)
    spec, faults = read_park(folder, known_packs=None if packs is None else [pack.id for pack in packs.packs])
    findings += [Finding(f.severity, f.what, f"{FILE_NAME}:{f.line}" if f.line else FILE_NAME, f.mend) for f in faults]
    findings += read_declared(folder / "fences.toml")[1]
    if spec is not None and packs is not None:
        registry = read_registry(spec.registry, packs).devices if spec.registry and spec.registry.is_file() else ()
        findings += read_own(folder, packs.kinds, registry).findings
    findings += _check_schemes(folder)
    if spec is None:
        return findings, False
    guids: dict[str, set[str]] = {}
    opened: set[str] = set()
    for building in spec.buildings:
        ids = _check_plans(building, spec, findings) if building.plans else _check_building(building, findings)
        if ids is not None:
            opened.add(building.id)
            guids[building.id] = ids
    features: set[str] = set()
    read = [layer for s in spec.layers if (layer := _check_layer(s, spec, findings)) is not None]
    surveyed = [found for s in spec.layers if (found := _survey(s, spec, findings)) is not None]
    layers = len(read) + len(surveyed)
    for layer in read:
        features.update(layer.node_ids())
    by_hand = [(b.id, np.array([b.placement.at[:2]])) for b in spec.buildings if b.placement is not None]
    behind = [Item(s.spec.id, s.park[:, :2], 1.0, s.crs, s.raw) for s in surveyed]
    findings += land(read, Frame(spec.crs, spec.origin), by_hand, backgrounds=behind).findings
    if spec.registry is not None and spec.registry.is_file() and packs is not None:
        findings += _check_registry(spec.registry, packs, guids, features, {b.id for b in spec.buildings})
        findings += check_sources(spec, PointTable(read_registry(spec.registry, packs).devices, packs.kinds))
    if not spec.buildings and not spec.layers:
        findings.append(
            Finding("error", "the park names no building and no layer", FILE_NAME, "add a [[building]] or a [[layer]]")
        )
    return findings, bool(opened or layers)


def _check_schemes(folder: Path) -> Iterator[Finding]:
    """Faults of rules.toml and of every scheme; what a scheme would stand in is told on the planner's page."""
    paths = sorted((folder / "schemes").glob("*.toml"))
    read = {"rules.toml": read_rules(folder / "rules.toml")[1]} if paths or (folder / "rules.toml").is_file() else {}
    for name, faults in (read | {f"schemes/{path.name}": read_scheme(path)[1] for path in paths}).items():
        for fault in faults:
            yield Finding(fault.severity, fault.what, f"{name}:{fault.line}" if fault.line else name, fault.mend)


def show(findings: list[Finding], console: Console) -> None:
    """Print findings as a table, errors first; one line when there are none."""
    if not findings:
        console.print("✓ nothing to mend")
        return
    table = Table(show_lines=False, header_style="bold", expand=True)
    for name in ("", "where", "what", "mend"):
        table.add_column(name, overflow="fold", ratio=None if not name else {"where": 2, "what": 4, "mend": 3}[name])
    order: dict[Level, int] = {"error": 0, "warning": 1, "note": 2}
    for finding in sorted(findings, key=lambda f: (order[f.level], f.where)):
        what = finding.what if finding.count == 1 else f"{finding.what} ({finding.count}×)"
        # Text, not markup: names out of files may hold brackets
        table.add_row(
            Text(finding.level, style=_COLOURS[finding.level]), Text(finding.where), Text(what), Text(finding.mend)
        )
    console.print(table)
    counts = Counter(f.level for f in findings)
    console.print(
        ", ".join(f"{counts[level]} {level}{'s' if counts[level] != 1 else ''}" for level in order if counts[level])
    )


def _packs(folder: Path) -> tuple[PackSet | None, list[Finding]]:
    try:
        return park_packs(folder), []
    except PackError as error:
        return None, [Finding("error", error.what, error.where or "", error.mend)]


def _check_building(building: BuildingSpec, findings: list[Finding]) -> set[str] | None:
    """GlobalIds of a building's files; None when none of them opens. Files that are missing were already told."""
    guids: set[str] = set()
    has_opened = False
    for path in building.ifc:
        if not path.is_file():
            continue
        try:
            seen = glance_file(path)
        except TwinError as error:
            findings.append(Finding("error", error.what, f"{FILE_NAME}:{building.line}", error.mend))
            continue
        has_opened = True
        findings += seen.findings
        guids |= seen.guids
        if building.placement is None and not seen.says_where:
            findings.append(
                Finding(
                    "warning",
                    f"{path.name} says nothing about where it stands, and building '{building.id}' has no placement",
                    f"{FILE_NAME}:{building.line}",
                    "give it placement = { at = [x, y, z], rotation = 0.0 }",
                )
            )
    return guids if has_opened else None


def _check_plans(building: BuildingSpec, spec: ParkSpec, findings: list[Finding]) -> set[str] | None:
    """GlobalIds of what a building's plans are lifted to; None when none of them can be read."""
    try:
        source, told = lift(building, spec)
    except TwinError as error:
        findings.append(Finding("error", error.what, f"{FILE_NAME}:{building.line}", error.mend))
        return None
    findings += told
    return {str(guid) for guid in source.model.entities.guid}


def _survey(layer: LayerSpec, spec: ParkSpec, findings: list[Finding]) -> Surveyed | None:
    if not is_background(layer) or not layer.source.exists():
        return None
    try:
        found = survey(layer, spec)
    except SourceError as error:
        findings.append(Finding("error", error.what, error.where or f"{FILE_NAME}:{layer.line}", error.mend))
        return None
    findings.extend(found.findings)
    return found


def _check_layer(layer: LayerSpec, spec: ParkSpec, findings: list[Finding]) -> Layer | None:
    if not layer.source.is_file() or is_background(layer) or (layer.kind == "terrain" and is_terrain(layer.source)):
        return None
    where = f"{FILE_NAME}:{layer.line}"
    try:
        read = read_layer(layer, spec.crs, spec.origin)
    except TwinError as error:
        findings.append(Finding("error", error.what, where, error.mend))
        return None
    findings += (*read.findings, *check_layer(read))
    bounds = read.bounds()
    if bounds is None:
        findings.append(Finding("warning", f"layer '{layer.id}' holds nothing", where, "check its source"))
    return read


def _check_registry(
    path: Path,
    packs: PackSet,
    guids: dict[str, set[str]],
    features: set[str],
    buildings: set[str],
) -> Iterator[Finding]:
    registry = read_registry(path, packs)
    for fault in registry.faults:
        yield Finding("error", fault.what, f"{path.name}:{fault.line}" if fault.line else path.name, fault.mend)
    for device in registry.devices:
        what = _misses(device, guids, features, buildings)
        if what:
            yield Finding(
                "warning",
                f"device '{device.id}' {what}",
                f"{path.name}:{device.line}",
                "correct its guid, building or x, y, z",
            )


def _misses(device: Device, guids: dict[str, set[str]], features: set[str], buildings: set[str]) -> str:
    """What a device's binding does not hit, as far as can be told without building."""
    if device.building and device.building not in buildings and device.building not in features:
        return f"names building '{device.building}', which is not in the park"
    if device.guid and not any(device.guid in ids for ids in guids.values()):
        return f"points to element '{device.guid}', which is in no model"
    if not (device.guid or device.space or device.building or device.at):
        return "is bound to nothing"
    return ""
