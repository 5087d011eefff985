"""R18: 500 broken files go through the real readers; none crashes a build, each comes to a result or one message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from models_bim.read import read_file
from twin.errors import SourceError
from twin.finding import Finding

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "models_bim"))
from ifc_maker import Maker, two_rooms
from mutants import MUTATIONS, mutant, mutant_glb

ROOT = Path(__file__).resolve().parents[2]
READERS = 2
_LOST = ("crash", "timeout")
IFC_FILES, MAP_FILES, MESH_FILES = 300, 112, 88


def _models(folder: Path) -> list[Path]:
    """Small models with a little of everything, one a schema."""
    made = []
    for schema, unit in (("IFC4", "mm"), ("IFC2X3", "ft"), ("IFC4X3_ADD2", "m")):
        maker = Maker(schema=schema, unit=unit)
        things = two_rooms(maker) if schema != "IFC2X3" else {}
        storey = things.get("L1") or maker.storey("L1", 0.0)
        wall = maker.box("IfcWall", (0, 0, 0), (5, 0.2, 3), storey, Name="W")
        maker.opening(wall, (1, -0.1, 0), (1, 0.4, 2), maker.box("IfcDoor", (1, 0, 0), (1, 0.2, 2), storey, Name="D"))
        maker.properties(wall, "Pset_WallCommon", {"IsExternal": maker.new("IfcBoolean", True)})
        kind = maker.root("IfcWallType", Name="T", PredefinedType="STANDARD")
        maker.root("IfcRelDefinesByType", RelatedObjects=[wall], RelatingType=kind)
        layer = maker.new("IfcMaterialLayer", Material=maker.new("IfcMaterial", Name="Brick"), LayerThickness=0.1)
        layers = maker.new("IfcMaterialLayerSet", MaterialLayers=[layer])
        maker.root("IfcRelAssociatesMaterial", RelatedObjects=[wall], RelatingMaterial=layers)
        system = maker.root("IfcSystem", Name="S")
        maker.root("IfcRelAssignsToGroup", RelatingGroup=system, RelatedObjects=[wall])
        made.append(maker.write(folder / f"{schema}.ifc"))
    return made


def _maps(folder: Path) -> list[Path]:
    """A GeoJSON layer of every kind of geometry."""
    ring = [[117.2, 30.2], [117.2003, 30.2], [117.2003, 30.2003], [117.2, 30.2003], [117.2, 30.2]]
    shapes = [{"type": "Polygon", "coordinates": [ring]}, {"type": "MultiPolygon", "coordinates": [[ring]]},
              {"type": "LineString", "coordinates": ring}, {"type": "Point", "coordinates": ring[0]}]
    features = [{"type": "Feature", "id": k, "geometry": shape, "properties": {"height": 9.5 + k, "name": "楼 <b>"}}
                for k, shape in enumerate(shapes)]
    path = folder / "layer.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, indent=1), encoding="utf-8")
    return [path]


def _meshes(folder: Path) -> list[Path]:
    """A reality mesh with a photograph on it, and one coloured by vertex."""
    u = np.linspace(0, 1, 6)
    x, y = (grid.ravel() for grid in np.meshgrid(u, u))
    corner = (np.arange(5)[:, None] * 6 + np.arange(5)).ravel()
    faces = np.concatenate([np.column_stack([corner, corner + 1, corner + 6]),
                            np.column_stack([corner + 1, corner + 7, corner + 6])])
    points = np.column_stack([x * 20, np.sin(x * 6), y * 20])
    picture = Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3))
    looks = {"photo": trimesh.visual.TextureVisuals(np.column_stack([x, y]), image=picture),
             "colour": trimesh.visual.ColorVisuals(vertex_colors=np.full((36, 4), 180, np.uint8))}
    for name, visual in looks.items():
        trimesh.Trimesh(points, faces, visual=visual, process=False).export(folder / f"{name}.glb")
    return [folder / f"{name}.glb" for name in looks]


def _break(folder: Path, bases: list[Path], count: int, kind: str) -> list[dict[str, str]]:
    asked = []
    for seed in range(count):
        base = bases[seed // len(MUTATIONS) % len(bases)]
        how, data = (mutant_glb if kind == "mesh" else mutant)(base.read_bytes(), seed)
        path = folder / f"{seed:03d}-{how}{base.suffix}"
        path.write_bytes(data)
        asked.append({"kind": kind, "path": str(path)})
    return asked


def _read(asked: list[dict[str, str]]) -> list[dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "system" / "mutant_reader.py")], check=False, capture_output=True, text=True,
        input="".join(json.dumps(a) + "\n" for a in asked), env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_500_broken_files_each_come_to_a_result_or_one_message(tmp_path: Path) -> None:
    for name in ("bases", "ifc", "map", "mesh"):
        (tmp_path / name).mkdir()
    asked = _break(tmp_path / "ifc", _models(tmp_path / "bases"), IFC_FILES, "ifc")
    asked += _break(tmp_path / "map", _maps(tmp_path / "bases"), MAP_FILES, "map")
    asked += _break(tmp_path / "mesh", _meshes(tmp_path / "bases"), MESH_FILES, "mesh")
    assert len(asked) == 500
    with ThreadPoolExecutor(READERS) as pool:
        told = [row for part in pool.map(_read, [asked[k::READERS] for k in range(READERS)]) for row in part]
    assert sorted(row["path"] for row in told) == sorted(row["path"] for row in asked), "every file was answered"
    tally = Counter((row["kind"], row["status"]) for row in told)
    print(dict(tally))
    assert not [row for row in told if "Traceback" in row["text"] or (row["kind"] != "ifc" and row["status"] in _LOST)]
    assert all("\n" not in row["text"] and row["text"] for row in told if row["status"] == "message")
    assert tally["ifc", "result"] > 50, "most damage costs a part, not the file"
    assert min(tally["mesh", "result"], tally["mesh", "message"]) > 0
    for row in told:
        if row["status"] in _LOST:  # the kernel died or hung: the build goes on without its shapes, and says so
            _the_build_goes_on(Path(row["path"]), died=row["status"] == "crash")


def _the_build_goes_on(path: Path, *, died: bool) -> None:
    findings = []
    try:
        findings = read_file(path, memory_bytes=3 * 2**30, timeout_secs=6).findings
    except SourceError as error:
        findings = [Finding("error", error.what, path.name, error.mend)]
    assert not died or any(path.name in f.what + f.where and f.mend for f in findings if f.level == "error") or any(
        f.code == "ifc.crashed" for f in findings)


@pytest.mark.parametrize("seed", range(len(MUTATIONS)))
def test_a_seed_breaks_a_file_the_same_way_every_time(seed: int) -> None:
    data = b"".join(b"#%d=IFCWALL(#%d,$,(1.%d,2));\n" % (k, k + 1, k) for k in range(1, 40))
    assert mutant(data, seed) == mutant(data, seed)
    assert mutant(data, seed)[1] != data
