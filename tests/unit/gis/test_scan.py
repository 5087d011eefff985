"""LAS and LAZ as they come: formats, units, colours, marks, and files that are damaged."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import laspy
import numpy as np
import pytest
from made_scans import square_points, write_scan
from pyproj import CRS

from gis.crs import MissingCrs
from gis.scan import PIECE, Points, Scan, read_points, survey_scan
from gis.scancolours import CLASSES
from twin.errors import SourceError
from twin.park import BackgroundSpec, LayerSpec, Placement

CRS_TEXT, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)
EAST = np.array([500_100.0, 3_300_050.0, 12.0])


def _spec(path: Path, **more: object) -> LayerSpec:
    return LayerSpec(id="scan", source=path, kind="pointcloud", **more)  # type: ignore[arg-type]


def _all(scan: Scan, left_out: Counter[str] | None = None) -> Points:
    parts = list(read_points(scan, CRS_TEXT, ORIGIN, left_out if left_out is not None else Counter()))
    return Points(np.concatenate([p.position for p in parts]), np.concatenate([p.colour for p in parts]))


@pytest.mark.parametrize(("version", "point_format"), [
    ("1.1", 0), ("1.1", 1), ("1.2", 2), ("1.2", 3), ("1.3", 4), ("1.3", 5), ("1.4", 6), ("1.4", 7), ("1.4", 8), ("1.4", 9),
    ("1.4", 10)])
@pytest.mark.parametrize("suffix", [".las", ".laz"])
def test_every_point_format_stands_to_the_millimetre(tmp_path: Path, version: str, point_format: int, suffix: str) -> None:
    if suffix == ".laz" and point_format in (4, 5, 9, 10):
        pytest.skip("laszip knows no waveforms")
    points, rgb, classes = square_points(2_000)
    colour = rgb if point_format in (2, 3, 5, 7, 8, 10) else None
    path = write_scan(tmp_path / f"a{suffix}", points + EAST, colour, classes, version=version, point_format=point_format)
    read = _all(survey_scan(_spec(path), CRS_TEXT, ORIGIN))
    assert len(read.position) == len(points)
    assert np.abs(read.position - (points + EAST - np.array(ORIGIN))).max() < 0.0006
    if colour is not None:
        assert np.array_equal(read.colour, rgb)


def test_las_1_0_is_read(tmp_path: Path) -> None:
    points, _, classes = square_points(500)
    path = write_scan(tmp_path / "old.las", points + EAST, None, classes, version="1.1", point_format=0, crs=None)
    data = bytearray(path.read_bytes())
    data[25] = 0  # the minor version
    path.write_bytes(data)
    assert len(_all(survey_scan(_spec(path, crs=CRS_TEXT), CRS_TEXT, ORIGIN)).position) == len(points)


@pytest.mark.parametrize("is_8_bit", [True, False])
def test_colours_of_eight_and_of_sixteen_bits_look_the_same(tmp_path: Path, is_8_bit: bool) -> None:
    points, rgb, _ = square_points(3_000)
    path = write_scan(tmp_path / "a.laz", points + EAST, rgb, is_8_bit=is_8_bit)
    assert np.array_equal(_all(survey_scan(_spec(path), CRS_TEXT, ORIGIN)).colour, rgb)


def test_without_colour_classes_are_told_apart_and_intensity_shades_them(tmp_path: Path) -> None:
    points, _, classes = square_points(4_000)
    path = write_scan(tmp_path / "a.laz", points + EAST, None, classes)
    scan = survey_scan(_spec(path), CRS_TEXT, ORIGIN)
    colour = _all(scan).colour
    assert scan.painter.by == "class"
    for code in (2, 5, 6):
        assert np.array_equal(np.unique(colour[classes == code], axis=0), [CLASSES[code]])
    echo = np.linspace(0, 900, len(points)).astype(np.uint16)
    path = write_scan(tmp_path / "b.laz", points + EAST, None, classes, intensity=echo)
    shaded = survey_scan(_spec(path), CRS_TEXT, ORIGIN)
    ground = _all(shaded).colour[classes == 2].sum(axis=1)
    assert shaded.painter.by == "class and intensity"
    assert ground[-1] > ground[0]
    plain = survey_scan(_spec(write_scan(tmp_path / "c.laz", points + EAST, None, None, intensity=echo)), CRS_TEXT, ORIGIN)
    assert plain.painter.by == "intensity"
    assert len(np.unique(_all(plain).colour, axis=0)) > 50


def test_withheld_and_noise_are_left_out_and_counted(tmp_path: Path) -> None:
    points, rgb, classes = square_points(4_000)
    classes[:10], classes[10:30] = 7, 18
    withheld = np.zeros(len(points), bool)
    withheld[25:60] = True
    path = write_scan(tmp_path / "a.laz", points + EAST, rgb, classes, version="1.4", point_format=7, withheld=withheld)
    left_out: Counter[str] = Counter()
    assert len(_all(survey_scan(_spec(path), CRS_TEXT, ORIGIN), left_out).position) == len(points) - 60
    assert left_out["marked as withheld"] == 35
    assert left_out["classified as noise (7, 18)"] == 25


def test_heights_in_feet_come_in_metres(tmp_path: Path) -> None:
    points, rgb, _ = square_points(1_000)
    compound = CRS.from_user_input("EPSG:2263+6360")  # New York, US survey feet; NAVD88 height in US survey feet
    header = laspy.LasHeader(version="1.4", point_format=7)
    header.add_crs(compound)
    header.scales, header.offsets = [0.001] * 3, [980_000.0, 190_000.0, 0.0]
    record = laspy.LasData(header)
    foot = 1200 / 3937
    record.x, record.y, record.z = (points / foot + np.array([980_100.0, 190_100.0, 100.0])).T
    record.red, record.green, record.blue = (rgb.astype(np.uint16) * 257).T
    record.write(tmp_path / "ny.laz")
    scan = survey_scan(_spec(tmp_path / "ny.laz"), "EPSG:32618", (580_000.0, 4_500_000.0, 0.0))
    assert scan.height_m == pytest.approx(foot)
    assert np.ptp(scan.park, axis=0) == pytest.approx(np.ptp(points, axis=0), rel=0.02)
    assert np.median(scan.park[:, 2]) == pytest.approx(100 * foot, abs=0.5)


def test_without_a_coordinate_system_it_is_asked_for_and_placed_by_hand(tmp_path: Path) -> None:
    points, rgb, _ = square_points(1_000)
    path = write_scan(tmp_path / "a.laz", points, rgb, crs=None)
    with pytest.raises(MissingCrs, match="no coordinate system") as caught:
        survey_scan(_spec(path), CRS_TEXT, ORIGIN)
    assert len(caught.value.sample) > 500
    placed = _spec(path, placement=Placement(at=(10.0, 20.0, 3.0), rotation_deg=90.0))
    read = _all(survey_scan(placed, CRS_TEXT, ORIGIN)).position
    turned = np.column_stack([-points[:, 1], points[:, 0], points[:, 2]]) + np.array([10.0, 20.0, 3.0])
    assert np.abs(read - turned).max() < 0.002


def test_an_offset_moves_it(tmp_path: Path) -> None:
    points, rgb, _ = square_points(1_000)
    path = write_scan(tmp_path / "a.laz", points, rgb, crs=None)
    spec = _spec(path, crs=CRS_TEXT, background=BackgroundSpec(offset=(500_100.0, 3_300_050.0, 12.0)))
    assert np.abs(_all(survey_scan(spec, CRS_TEXT, ORIGIN)).position - (points + np.array([100.0, 50.0, 2.0]))).max() < 0.002


def test_a_cut_off_las_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    points, rgb, _ = square_points(4_000)
    path = write_scan(tmp_path / "a.las", points + EAST, rgb)
    path.write_bytes(path.read_bytes()[:-(26 * 1_000 + 7)])
    scan = survey_scan(_spec(path), CRS_TEXT, ORIGIN)
    assert len(_all(scan).position) == scan.count == len(points) - 1_001
    assert any("breaks off" in f.what and f.count == 1_001 for f in scan.findings)


def _cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_scale(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[131:139] = np.float64(np.nan).tobytes()
    path.write_bytes(data)


def _empty(path: Path) -> None:
    laspy.LasData(laspy.LasHeader(version="1.2", point_format=2)).write(path)


def _other(path: Path) -> None:
    path.write_bytes(b"LASF" + bytes(range(256)) * 3)


@pytest.mark.parametrize(("spoil", "said"), [
    (_cut_in_half, "damaged"), (_no_scale, "to be multiplied by nan"), (_empty, "no points"), (_other, "cannot be read")])
def test_what_cannot_be_read_is_said_in_one_message(tmp_path: Path, spoil: object, said: str) -> None:
    points, rgb, _ = square_points(4_000)
    path = write_scan(tmp_path / "a.laz", points + EAST, rgb)
    spoil(path)  # type: ignore[operator]
    with pytest.raises(SourceError, match=said) as caught:
        _all(survey_scan(_spec(path, crs=CRS_TEXT), CRS_TEXT, ORIGIN))
    assert caught.value.mend


def test_a_damaged_chunk_costs_its_own_points_only(tmp_path: Path) -> None:
    points, rgb, _ = square_points(240_000)
    path = write_scan(tmp_path / "a.laz", points + EAST, rgb)
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at:at + 64] = bytes(64)
    path.write_bytes(data)
    left_out: Counter[str] = Counter()
    read = _all(survey_scan(_spec(path), CRS_TEXT, ORIGIN), left_out)
    assert len(points) - 50_000 <= len(read.position) <= len(points)
    assert 0 < sum(left_out.values()) == len(points) - len(read.position)
    assert (np.abs(read.position - np.array([100.0, 50.0, 2.0])) < 40).all()


def test_bytes_flipped_in_the_middle_end_in_a_message_or_in_fewer_points(tmp_path: Path) -> None:
    points, rgb, _ = square_points(60_000)
    path = write_scan(tmp_path / "a.laz", points + EAST, rgb)
    whole, rng = path.read_bytes(), np.random.default_rng(5)
    for _ in range(25):
        data = bytearray(whole)
        for at in rng.integers(227, len(data), 6):
            data[at] ^= int(rng.integers(1, 255))
        path.write_bytes(data)
        left_out: Counter[str] = Counter()
        try:
            read = _all(survey_scan(replace(_spec(path), crs=CRS_TEXT), CRS_TEXT, ORIGIN), left_out)
        except SourceError:
            continue
        assert np.isfinite(read.position).all()
        assert len(read.position) <= len(points)


def test_points_come_in_pieces() -> None:
    assert PIECE * 40 < 64 * 2**20  # the records of one piece, uncompressed
