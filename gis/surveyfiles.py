"""The files of a background layer: one, or all of a folder, as drones and photogrammetry deliver them tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gis.model import TEXTURES
from twin.errors import SourceError
from twin.finding import Finding, as_finding
from twin.park import LayerKind, LayerSpec

SUFFIXES: dict[LayerKind, tuple[str, ...]] = {"pointcloud": (".las", ".laz"), "mesh": (".obj", ".glb")}
_BESIDE = (".mtl", ".bin", *TEXTURES)
T = TypeVar("T")


def files_of(spec: LayerSpec) -> list[LayerSpec]:
    """A layer for every file of one: itself, or, where its source is a folder, each scan or mesh in and below it, by name.

    Raises:
        SourceError: the folder holds none.
    """
    if not spec.source.is_dir():
        return [spec]
    wanted = SUFFIXES[spec.kind]
    found = [path for path in sorted(spec.source.rglob("*")) if path.suffix.lower() in wanted and path.is_file()]
    if not found:
        raise SourceError(f"layer '{spec.id}': there are no {' or '.join(wanted)} files in {spec.source.name}/",
                          where=spec.where, mend="name the folder that holds them, or one file")
    return [replace(spec, source=path) for path in found]


def folder_files(folder: Path) -> list[Path]:
    """Everything of a folder that a background layer reads from it, by name."""
    wanted = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes} | set(_BESIDE)
    return [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in wanted or p.name == "metadata.xml"]


def each_file(spec: LayerSpec, do: Callable[[LayerSpec], T], findings: list[Finding]) -> list[T]:
    """What `do` gives of every file; one that cannot be read is told and costs itself alone.

    Raises:
        SourceError: none can be read: the reason of the first.
    """
    done: list[T] = []
    errors: list[SourceError] = []
    for one in files_of(spec):
        try:
            done.append(do(one))
        except SourceError as error:
            errors.append(error)
    if not done:
        raise errors[0]
    findings += map(as_finding, errors)
    return done


def once(findings: list[Finding]) -> list[Finding]:
    """What many files of a folder say alike, said once, with its count."""
    told: dict[tuple[str, str], Finding] = {}
    for f in findings:
        key = (f.level, f.what)
        told[key] = f if key not in told else replace(told[key], count=told[key].count + f.count)
    return list(told.values())
