"""A folder of scans or of photogrammetry's tiles is one layer: all of its files drawn, a broken one told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from scenes.background_folder import Frame
from scenes.backgrounds import survey
from scenes.mesh_tiles import tile_mesh
from scenes.scan_tiles import tile_scan
from twin.errors import SourceError
from twin.park import LayerSpec, ParkSpec
from twin.parkfile import load_park

sys.path.insert(0, str(Path(__file__).parents[1] / "gis"))
from made_scans import square_points, write_hill, write_scan

CRS, ORIGIN = "EPSG:4549", (519_200.0, 3_342_600.0, 4.0)
FRAME = Frame(CRS, ORIGIN, (-1e9, -1e9, 1e9, 1e9), shapely.Polygon())
PARK = """[park]
id = "square"
name = "Square"
crs = "{crs}"
origin = [{at[0]}, {at[1]}, {at[2]}]
[[layer]]
id = "it"
{layer}
"""


def _park(root: Path, layer: str) -> ParkSpec:
    (root / "park.toml").write_text(PARK.format(crs=CRS, at=ORIGIN, layer=layer), encoding="utf-8")
    return load_park(root)


def _scans(folder: Path, *, is_coloured: bool = True) -> int:
    """Two halves of a square in files of their own; how many points."""
    points, rgb, classes = square_points(6_000)
    folder.mkdir(parents=True)
    for name, half in (("west.laz", points[:, 0] < 0), ("east.las", points[:, 0] >= 0)):
        write_scan(folder / name, points[half] + np.array(ORIGIN), rgb[half] if is_coloured else None, classes[half])
    return len(points)


def _said(out: Path) -> list[dict]:
    return json.loads((out / "tileset.json").read_text())["extras"]["findings"]


def test_scans_of_a_folder_are_one_cloud(tmp_path: Path) -> None:
    count = _scans(tmp_path / "scans", is_coloured=False)
    park = _park(tmp_path, 'source = "scans"\nkind = "pointcloud"\nspacing = 0.001')
    found = survey(park.layers[0], park)
    assert np.ptp(found.park[:, 0]) == pytest.approx(60.0, abs=1.0)
    assert [f.count for f in found.findings if "coloured by" in f.what] == [2]
    (out := tmp_path / "out").mkdir()
    extras = tile_scan(park.layers[0], FRAME, out, lambda done, total: None)
    assert extras["read"] == count
    assert extras["points"] + sum(f["count"] for f in extras["findings"]) == count


def test_a_broken_scan_of_a_folder_costs_itself_alone(tmp_path: Path) -> None:
    _scans(tmp_path / "scans")
    (tmp_path / "scans/broken.laz").write_bytes(b"LASF nothing more")
    park = _park(tmp_path, 'source = "scans"\nkind = "pointcloud"')
    assert ["broken.laz" in f.what for f in survey(park.layers[0], park).findings if f.level == "error"] == [True]


def test_tiles_of_photogrammetry_stand_side_by_side(tmp_path: Path) -> None:
    for k in range(3):
        write_hill(tmp_path / f"Data/Tile_{k}", shift=(k * 40.0, 0.0, 0.0), side=40, name=f"Tile_{k}")
    (tmp_path / "Data/Tile_2/Tile_2.obj").write_text("v not a number\n")
    (tmp_path / "metadata.xml").write_text(
        f"<ModelMetadata><SRS>{CRS}</SRS><SRSOrigin>{','.join(map(str, ORIGIN))}</SRSOrigin></ModelMetadata>")
    park = _park(tmp_path, 'source = "Data"\nkind = "mesh"')
    spec: LayerSpec = park.layers[0]
    (out := tmp_path / "out").mkdir()
    extras = tile_mesh(spec, FRAME, out, lambda done, total: None)
    root = json.loads((out / "tileset.json").read_text())["root"]
    assert extras["triangles"] == 2 * 40 * 40 * 2
    assert [tile["content"]["uri"] for tile in root["children"]] == ["0r.glb", "1r.glb"]
    middle, half = np.array(root["boundingVolume"]["box"][:3]), np.array(root["boundingVolume"]["box"][3:])
    assert (middle[0] - half[0], middle[0] + half[0]) == pytest.approx((0.0, 80.0), abs=0.01)
    assert ["Tile_2.obj" in f["what"] for f in _said(out) if f["level"] == "error"] == [True]


def test_an_empty_folder_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    park = _park(tmp_path, 'source = "scans"\nkind = "pointcloud"')
    with pytest.raises(SourceError, match=r"there are no \.las or \.laz files in scans/"):
        survey(park.layers[0], park)
