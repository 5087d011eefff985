"""Reality meshes: where they stand, what they look like near and far, and what files may not do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from made_scans import photo, write_hill

from gis import meshtiles
from gis.atlas import Atlas, pack
from gis.crs import MissingCrs
from gis.meshtiles import Coarse, Emit, MeshNode, Piece, build_mesh_tree, corner_colours
from gis.photomesh import Surface, read_surfaces, survey_mesh
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import BackgroundSpec, LayerSpec, Placement

CRS_TEXT, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)
SHIFT = (500_100.0, 3_300_050.0, 12.0)


def _spec(path: Path, **more: object) -> LayerSpec:
    return LayerSpec(id="hill", source=path, kind="mesh", **more)  # type: ignore[arg-type]


def _surfaces(spec: LayerSpec, findings: list[Finding] | None = None) -> list[Surface]:
    told = findings if findings is not None else []
    return list(read_surfaces(survey_mesh(spec, CRS_TEXT, ORIGIN), CRS_TEXT, ORIGIN, told))


def test_large_coordinates_keep_their_millimetres(tmp_path: Path) -> None:
    near, far = (_surfaces(_spec(write_hill(tmp_path / name, shift=shift), crs=CRS_TEXT)) for name, shift in
                 (("a", (0.0, 0.0, 0.0)), ("b", SHIFT)))
    moved = np.concatenate([s.corners for s in far]) - np.concatenate([s.corners for s in near])
    assert np.abs(moved - np.array(SHIFT)).max() < 0.0005


def test_photogrammetry_metadata_says_where_it_stands(tmp_path: Path) -> None:
    path = write_hill(tmp_path / "Data" / "Tile_0")
    with pytest.raises(MissingCrs, match="does not say where it stands"):
        survey_mesh(_spec(path), CRS_TEXT, ORIGIN)
    (tmp_path / "metadata.xml").write_text(
        f'<?xml version="1.0"?><ModelMetadata version="1"><SRS>{CRS_TEXT}</SRS>'
        f"<SRSOrigin>{','.join(map(str, SHIFT))}</SRSOrigin></ModelMetadata>")
    survey = survey_mesh(_spec(path), CRS_TEXT, ORIGIN)
    assert survey.crs == CRS_TEXT
    assert survey.park.min(0) == pytest.approx([100.0, 50.0, 2.0], abs=0.01)


def test_a_placement_and_the_axis_that_is_up(tmp_path: Path) -> None:
    path = write_hill(tmp_path / "a")
    placed = _surfaces(_spec(path, placement=Placement(at=(10.0, 20.0, 3.0), rotation_deg=90.0)))[0].corners.reshape(-1, 3)
    assert placed.min(0) == pytest.approx([10.0 - 80.0, 20.0, 3.0], abs=0.01)
    lying = survey_mesh(_spec(path, crs="park", background=BackgroundSpec(up="y")), CRS_TEXT, ORIGIN)
    assert np.ptp(lying.park[:, 2]) == pytest.approx(80.0, abs=0.1)


def test_corners_may_be_counted_from_the_last_one(tmp_path: Path) -> None:
    corners = "v 0 0 0\nv 30 0 0\nv 30 30 1\nv 0 30 1\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    plain, back = tmp_path / "plain.obj", tmp_path / "back.obj"
    plain.write_text(f"{corners}f 1/1 2/2 3/3\nf 1/1 3/3 4/4\n", "utf-8")
    back.write_text(f"{corners}f -4/-4 -3/-3 -2/-2\nf -4/-4 -2/-2 -1/-1\n", "utf-8")
    one, other = (np.concatenate([s.corners for s in _surfaces(_spec(path, placement=Placement(at=(0.0, 0.0, 0.0))))])
                  for path in (plain, back))
    assert np.allclose(one, other)


def test_glb_stands_upright(tmp_path: Path) -> None:
    box = trimesh.creation.box((4.0, 10.0, 2.0))  # y is up in glTF: ten metres tall
    box.export(tmp_path / "box.glb")
    corners = np.concatenate([s.corners for s in _surfaces(_spec(tmp_path / "box.glb", crs="park"))]).reshape(-1, 3)
    assert np.ptp(corners, axis=0) == pytest.approx([4.0, 2.0, 10.0])


def test_the_texture_lies_as_it_was_photographed(tmp_path: Path) -> None:
    surface = _surfaces(_spec(write_hill(tmp_path / "a", side=40, step_m=2.0), crs="park"))[0]
    piece = Piece(surface, np.arange(len(surface.corners)))
    colour, position = corner_colours(piece).reshape(-1, 3).astype(float), surface.corners.reshape(-1, 3)
    west, east = (colour[rows][:, 0].mean() for rows in (position[:, 0] < 20, position[:, 0] > 60))
    north, south = (colour[rows][:, 2].mean() for rows in (position[:, 1] > 60, position[:, 1] < 20))
    assert west > east + 40
    assert north > south + 40


def test_an_atlas_shows_each_triangle_the_same_pixels() -> None:
    image, rng = photo(512), np.random.default_rng(2)
    corner = rng.uniform(0.02, 0.9, (60, 1, 2))
    uv = corner + rng.uniform(0.0, 0.06, (60, 3, 2))
    surface = Surface(np.zeros((60, 3, 3)), uv, image, np.arange(60), np.zeros((60, 3, 3), np.uint8))
    atlas = pack([(surface, np.arange(60))])
    assert atlas is not None
    assert atlas.uv[0] is not None
    assert max(atlas.image.size) < 512
    inner = rng.dirichlet([1, 1, 1], 60)[:, :, None]
    there, here = (uv * inner).sum(1), (atlas.uv[0] * inner).sum(1)
    source, packed = np.asarray(image), np.asarray(atlas.image)
    want = source[((1 - there[:, 1]) * 512).astype(int), (there[:, 0] * 512).astype(int)]
    got = packed[(here[:, 1] * packed.shape[0]).astype(int), (here[:, 0] * packed.shape[1]).astype(int)]
    assert (np.abs(want.astype(int) - got).max(axis=1) == 0).mean() > 0.9


def test_a_texture_that_repeats_and_one_in_scraps() -> None:
    image = photo(256)
    uv = np.array([[[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]]]) + np.array([[[5.2, -4.1]]])
    repeating = Surface(np.zeros((1, 3, 3)), uv, image, np.zeros(1, np.int64), np.zeros((1, 3, 3), np.uint8))
    atlas = pack([(repeating, np.arange(1))])
    assert atlas is not None
    assert atlas.uv[0] is not None
    assert atlas.image.width == 1024
    n = 90_000
    scraps = Surface(np.zeros((n, 3, 3)), np.random.default_rng(1).uniform(0, 1, (n, 3, 2)), image, np.arange(n),
                     np.zeros((n, 3, 3), np.uint8))
    assert pack([(scraps, np.arange(n))]) is None


def _tree(surfaces: list[Surface],
          monkeypatch: pytest.MonkeyPatch) -> tuple[MeshNode, dict[str, list[Piece]], dict[str, Coarse]]:
    monkeypatch.setattr(meshtiles, "MOST_TRIANGLES", 3_000)
    monkeypatch.setattr(meshtiles, "MOST_TEXELS", 150_000)
    fine: dict[str, list[Piece]] = {}
    coarse: dict[str, Coarse] = {}

    def keep(name: str, pieces: list[Piece], atlas: Atlas | None) -> None:
        assert atlas is not None
        fine[name] = pieces

    return build_mesh_tree(surfaces, Emit(keep, coarse.__setitem__)), fine, coarse


def test_the_finest_tiles_hold_every_triangle_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    surfaces = _surfaces(_spec(write_hill(tmp_path / "a"), crs="park"))
    root, fine, coarse = _tree(surfaces, monkeypatch)
    rows = np.concatenate([p.rows for pieces in fine.values() for p in pieces])
    assert sorted(rows.tolist()) == list(range(len(surfaces[0].corners)))
    assert len(fine) > 4
    assert "r" in coarse
    assert root.cell_m > 0


def test_coarse_tiles_keep_within_a_cell_of_the_surface_in_its_colours(tmp_path: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    surface = _surfaces(_spec(write_hill(tmp_path / "a"), crs="park"))[0]
    monkeypatch.setattr(meshtiles, "CELLS_ACROSS", 30)
    root, _, coarse = _tree([surface], monkeypatch)
    mesh = coarse["r"]
    whole = trimesh.Trimesh(*trimesh.triangles.to_kwargs(surface.corners).values(), process=False)
    _, distance, _ = trimesh.proximity.closest_point_naive(whole, mesh.position[::29])
    assert distance.max() <= root.cell_m * np.sqrt(3)
    assert len(mesh.faces) < len(surface.corners)
    west = mesh.colour[mesh.position[:, 0] < 20].mean(0)
    east = mesh.colour[mesh.position[:, 0] > 60].mean(0)
    assert west[0] > east[0] + 40
    assert np.ptp(mesh.position[:, :2], axis=0) == pytest.approx([80.0, 80.0], abs=2 * root.cell_m)


def test_a_texture_that_is_missing_or_elsewhere_leaves_it_plain(tmp_path: Path) -> None:
    path = write_hill(tmp_path / "park" / "a", side=10)
    (path.parent / "mesh.jpg").unlink()
    photo(64).save(tmp_path / "secret.jpg")
    findings: list[Finding] = []
    assert _surfaces(_spec(path, crs="park"), findings)[0].image is None
    for name in (str(tmp_path / "secret.jpg"), "../../secret.jpg", "/etc/passwd", "http://example.org/a.jpg"):
        (path.parent / "mesh.mtl").write_text(f"newmtl photo\nKd 1 1 1\nmap_Kd {name}\n")
        assert _surfaces(_spec(path, crs="park"), [])[0].image is None
    assert any("textures that could not be read" in f.what for f in findings)


@pytest.mark.parametrize(("text", "said"), [
    ("", "no vertices"), ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "holds no triangles|cannot be read"),
    ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "cannot be read|holds no triangles"),
    ("v nan nan nan\nf 1 1 1\n", "no vertices"),
])
def test_what_cannot_be_read_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.obj").write_text(text)
    with pytest.raises(SourceError, match=said):
        _surfaces(_spec(tmp_path / "a.obj", crs="park"))


def test_a_broken_glb_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(b"glTF\x02\x00\x00\x00" + bytes(100))
    with pytest.raises(SourceError, match="cannot be read"):
        survey_mesh(_spec(tmp_path / "a.glb", crs="park"), CRS_TEXT, ORIGIN)
