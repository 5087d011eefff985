"""Extracts as they come: as XML or PBF, cut through the middle of areas, with areas their reader takes for lines."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import shapely
from osm_pbf import pbf_from_xml
from pyproj import Transformer

from gis.osm import TAGS
from gis.osm_relations import incomplete
from gis.read import read_layer
from twin.errors import SourceError
from twin.park import LayerKind, LayerSpec

CRS, ORIGIN = "EPSG:4549", (500_000.0, 3_300_000.0, 10.0)
LONLAT = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
SQUARES = {1: (0, 0, 40), 2: (10, 10, 10), 3: (100, 0, 20), 4: (200, 0, 20), 5: (300, 0, 20)}
WAYS = {1: {}, 2: {}, 3: {"building": "yes", "name": "A 楼", "height": "30"}, 4: {"area:highway": "footway"},
        5: {"building:part": "yes", "height": "7"}}
RELATIONS = {
    1: ({"type": "multipolygon", "building": "office", "name": "Court"}, [(1, "outer"), (2, "inner")]),
    2: ({"type": "multipolygon", "leisure": "park"}, [(99, "outer"), (3, "outer")]),
    3: ({"type": "multipolygon", "natural": "water"}, [(98, "outer")])}


@pytest.fixture
def xml(tmp_path: Path) -> Path:
    """An extract of squares (x, y, side), relations and a tree, some of it cut off."""
    lines = ['<?xml version="1.0"?>', '<osm version="0.6">']
    for number, (x, y, side) in SQUARES.items():
        for k, (dx, dy) in enumerate(((0, 0), (side, 0), (side, side), (0, side))):
            lon, lat = LONLAT.transform(ORIGIN[0] + x + dx, ORIGIN[1] + y + dy)
            lines.append(f'<node id="{number * 10 + k}" lon="{lon:.7f}" lat="{lat:.7f}" version="1"/>')
    lon, lat = LONLAT.transform(ORIGIN[0] + 5, ORIGIN[1] + 60)
    lines.append(f'<node id="900" lon="{lon:.7f}" lat="{lat:.7f}" version="1"><tag k="natural" v="tree"/></node>')
    for number, tags in WAYS.items():
        refs = "".join(f'<nd ref="{number * 10 + k}"/>' for k in (0, 1, 2, 3, 0))
        lines.append(f'<way id="{number}" version="1">{refs}{_tags(tags)}</way>')
    for number, (told, members) in RELATIONS.items():
        of = "".join(f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in members)
        lines.append(f'<relation id="{number}" version="1">{of}{_tags(told)}</relation>')
    path = tmp_path / "a.osm"
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def _tags(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())


def _spec(path: Path, kind: str = "buildings") -> LayerSpec:
    return LayerSpec(id="it", source=path, kind=kind, line=7)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["buildings", "paving", "trees", "greens"])
def test_pbf_gives_what_the_same_extract_gives_as_xml(xml: Path, kind: LayerKind) -> None:
    ours, theirs = (read_layer(_spec(path, kind), CRS, ORIGIN)
                    for path in (xml, pbf_from_xml(xml, xml.with_suffix(".osm.pbf"))))
    assert ours.ids.tolist() == theirs.ids.tolist()
    assert ours.names.tolist() == theirs.names.tolist()
    assert {k: v.tolist() for k, v in ours.properties.items()} == {k: v.tolist() for k, v in theirs.properties.items()}
    for a, b in zip(ours.geometry, theirs.geometry, strict=True):
        assert a.equals_exact(b, 1e-6)
    assert kind == "greens" or len(ours)


def test_a_court_is_an_area_with_a_hole_and_a_lone_part_a_building(xml: Path) -> None:
    layer = read_layer(_spec(xml), CRS, ORIGIN)
    area = dict(zip(layer.names.tolist(), (g.area for g in layer.geometry), strict=True))
    assert area["Court"] == pytest.approx(1500.0, rel=1e-3)
    assert area["A 楼"] == pytest.approx(400.0, rel=1e-3)
    assert sorted(np.nan_to_num(layer.height_m).tolist()) == [0.0, 7.0, 30.0]


@pytest.mark.parametrize("is_pbf", [False, True])
@pytest.mark.parametrize(("kind", "relation"), [("greens", "2"), ("water", "3"), ("buildings", "")])
def test_an_area_cut_through_is_said_and_only_where_it_is_meant(xml: Path, kind: str, relation: str, is_pbf: bool) -> None:
    path = pbf_from_xml(xml, xml.with_suffix(".osm.pbf")) if is_pbf else xml
    layer = read_layer(_spec(path, kind), CRS, ORIGIN)
    said = [f for f in layer.findings if "outside the extract" in f.what]
    assert [f.where for f in said] == ([f"{path.name}: relations {relation}"] if relation else [])


def test_a_damaged_pbf_is_told_by_the_reader_of_its_layer_alone(xml: Path) -> None:
    path = pbf_from_xml(xml, xml.with_suffix(".osm.pbf"))
    whole = path.read_bytes()
    for cut in (3, 40, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:cut])
        assert incomplete(_spec(path, "greens"), TAGS["greens"]["multipolygons"]) == []
    path.write_bytes(whole[:-40] + b"\x00" * 40)
    assert incomplete(_spec(path, "greens"), TAGS["greens"]["multipolygons"]) == []


def test_a_pavement_is_an_area_though_its_way_has_a_tag_the_reader_does_not_know(xml: Path) -> None:
    assert "paving" in TAGS
    assert [round(g.area) for g in read_layer(_spec(xml, "paving"), CRS, ORIGIN).geometry] == [400]


@pytest.mark.parametrize("pack", [bz2, gzip])
def test_an_extract_is_read_as_it_is_downloaded(xml: Path, pack: ModuleType) -> None:
    packed = xml.with_suffix(f".osm.{'bz2' if pack is bz2 else 'gz'}")
    packed.write_bytes(pack.compress(xml.read_bytes()))
    ours, plain = (read_layer(_spec(path), CRS, ORIGIN) for path in (packed, xml))
    assert ours.ids.tolist() == plain.ids.tolist()
    assert shapely.equals(ours.geometry, plain.geometry).all()
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(SourceError, match="cannot be read"):
        read_layer(_spec(packed), CRS, ORIGIN)


def test_closed_ways_with_other_numbers_of_corners_are_areas_all_the_same(xml: Path) -> None:
    more = ('<way id="6" version="1"><nd ref="10"/><nd ref="11"/><nd ref="12"/><nd ref="10"/>'
            '<tag k="area:highway" v="footway"/></way></osm>')
    xml.write_text(xml.read_text("utf-8").replace("</osm>", more), "utf-8")
    assert len(read_layer(_spec(xml, "paving"), CRS, ORIGIN)) == 2
