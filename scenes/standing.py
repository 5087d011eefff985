"""Whether a park has changed since it was built; asked without loading what builds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gis.sidecars import sidecars
from scenes.kept import CODE_ROOMS
from scenes.meshopt import packing
from scenes.output import digest
from twin.finding import Finding
from twin.overrides import FILE_NAME
from twin.park import ParkSpec
from twin.steps import code_digest

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build came to. `is_fresh` is False when nothing had changed and the build was left as it stood."""

    build: str
    folder: Path
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    is_fresh: bool


def name_of_build(spec: ParkSpec) -> tuple[str, dict[str, str]]:
    """A name for what would be built now, and the SHA-256 of every file that goes in."""
    inputs = {_relative(spec, name): sha for name, sha in digest(source_files(spec)).items()}
    went_in = [FORMAT, code_digest(*CODE_ROOMS), packing(), inputs]
    return hashlib.sha256(json.dumps(went_in, sort_keys=True).encode()).hexdigest()[:12], inputs


def standing(spec: ParkSpec, build: str) -> BuildResult | None:
    """The build that stands, where it is the one that would be made now."""
    path = spec.build_dir / MANIFEST
    if not path.is_file():
        return None
    manifest = json.loads(path.read_text())
    if manifest.get("build") != build:
        return None
    findings = tuple(Finding(**row) for row in json.loads((spec.build_dir / "report.json").read_text()))
    return BuildResult(build, spec.build_dir, findings, manifest["counts"], False)


def _relative(spec: ParkSpec, name: str) -> str:
    path = Path(name)
    return path.relative_to(spec.root).as_posix() if path.is_relative_to(spec.root) else path.name


def source_files(spec: ParkSpec) -> Iterator[Path]:
    """Every file a build reads, sidecars included."""
    yield spec.root / "park.toml"
    yield spec.root / FILE_NAME
    yield from sorted((spec.root / "packs").glob("*.toml"))
    for building in spec.buildings:
        yield from building.ifc
        yield from (plan.source for plan in building.plans)
    for layer in spec.layers:
        yield from sidecars(layer.source)
    if spec.registry is not None:
        yield spec.registry
