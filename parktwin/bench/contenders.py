"""Who takes part in `parktwin bench scene`: our own build and the peers, each a command over the same files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import brotli

from parktwin.bench.child import Cost, Failed, python, run

_HERE = Path(__file__).resolve().parent
PEERS = _HERE.parents[1] / "tests" / "peers" / "node_modules"
MORE_PEERS = PEERS.parents[1] / "peers_of_benches" / "node_modules"
VIEWER = _HERE.parents[1] / "assets" / "viewer" / "node_modules"
OURS = "parktwin"
_PARK = """[park]
id = "bench"
name = "Bench"
crs = "EPSG:4549"
origin = [519200.0, 3342600.0, 0.0]
"""
_BUILDING = """
[[building]]
id = "b{row}"
ifc = [{file}]
placement = {{ at = [{x}, 0.0, 0.0], rotation = 0.0 }}
"""


@dataclass(frozen=True, slots=True)
class Made:
    """One contender's run over some files: what it cost and what it wrote (bytes as they are and as sent)."""

    cost: Cost
    raw_bytes: int = 0
    sent_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Contender:
    """A name, what `make(files, folder)` does, and what stands in the way of it ("" for nothing)."""

    name: str
    make: Callable[[Sequence[Path], Path], Made]
    absent: str = ""


def ifc_contenders() -> list[Contender]:
    """Ours first, then each peer."""
    return [Contender(OURS, _ours),
            _by_node("fragments", "@thatopen/fragments"),
            _by_node("web_ifc", "web-ifc"),
            Contender("ifcopenshell GLB", _ifcopenshell),
            _by_node("xeokit", "@xeokit/xeokit-convert", MORE_PEERS, "npm ci in tests/peers_of_benches")]


def extruder() -> Contender:
    """three.js' ExtrudeGeometry over a GeoJSON file of footprints."""
    return _by_node("extrude", "three", VIEWER, "npm ci in assets/viewer")


def park_of(files: Sequence[Path], folder: Path) -> Path:
    """A park folder whose buildings are those files, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_BUILDING.format(row=row, file=json.dumps(str(file.resolve())), x=250.0 * row) for row, file in enumerate(files)]
    (folder / "park.toml").write_text("".join([_PARK, *rows]), encoding="utf-8")
    return folder


def _ours(files: Sequence[Path], folder: Path) -> Made:
    park = park_of(files, folder / "park")
    cost = run(python("parktwin", "build", str(park), "--force"))
    raw, sent = built_bytes(park / "build")
    return Made(cost, raw, sent)


def built_bytes(build: Path) -> tuple[int, int]:
    """Bytes of a build's buildings and tables: as they lie there, and as they are sent."""
    files = [*(build / "tiles" / "b").rglob("*.glb"), *build.glob("*.parquet")]
    packed = [p.with_name(p.name + ".br") for p in files]
    return (sum(p.stat().st_size for p in files),
            sum((b if b.exists() else p).stat().st_size for p, b in zip(files, packed, strict=True)))


def _by_node(script: str, package: str, modules: Path = PEERS, mend: str = "npm ci in tests/peers") -> Contender:
    absent = "" if shutil.which("node") else "node is not installed"
    if not (modules / package).is_dir():
        absent = f"{package} is not installed ({mend})"

    def make(files: Sequence[Path], folder: Path) -> Made:
        folder.mkdir(parents=True, exist_ok=True)
        cost = run(["node", str(_HERE / "peers" / f"{script}.mjs"), str(modules), str(folder), *map(str, files)])
        return _written(cost, folder)

    return Contender(package, make, absent)


def _ifcopenshell(files: Sequence[Path], folder: Path) -> Made:
    folder.mkdir(parents=True, exist_ok=True)
    return _written(run(python("parktwin.bench.peers.ifcopenshell_glb", str(folder), *map(str, files))), folder)


def _written(cost: Cost, folder: Path) -> Made:
    files = [p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()]
    sent = sum(min(len(data), len(brotli.compress(data, quality=7, lgwin=22))) for data in files)
    return Made(cost, sum(map(len, files)), sent)


__all__ = ["OURS", "Contender", "Failed", "Made", "built_bytes", "extruder", "ifc_contenders", "park_of"]
