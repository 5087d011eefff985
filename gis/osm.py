"""OpenStreetMap extracts in: the tags that make a feature what a layer's kind shows."""

from __future__ import annotations

import bz2
import gzip
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from gis.osm_relations import ANY, Tags, incomplete
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerKind, LayerSpec

_POINTS, _LINES, _AREAS = "points", "lines", "multipolygons"
_FOOT = ("footway", "path", "pedestrian", "steps", "cycleway", "bridleway", "corridor", "track")
_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "service",
          "living_street", "motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link", "road", "busway")
_SEATS = ("bench", "waste_basket", "recycling", "post_box", "bicycle_parking", "drinking_water", "fountain", "shelter",
          "vending_machine", "telephone", "waste_disposal", "clock", "charging_station")
#: Kind → tables of the extract → (tag, values) any of which makes a feature one of that kind.
TAGS: dict[LayerKind, dict[str, Tags]] = {
    "buildings": {_AREAS: (("building", ANY), ("building:part", ANY))},
    "roads": {_LINES: (("highway", _ROADS),)},
    "paths": {_LINES: (("highway", _FOOT),)},
    "paving": {_AREAS: (("highway", ("pedestrian", "footway")), ("area:highway", ANY), ("place", ("square",)))},
    "parking": {_AREAS: (("amenity", ("parking", "bicycle_parking")),)},
    "greens": {_AREAS: (
        ("landuse", ("grass", "forest", "meadow", "village_green", "recreation_ground", "orchard", "flowerbed")),
        ("leisure", ("park", "garden", "pitch", "golf_course", "dog_park")),
        ("natural", ("wood", "grassland", "scrub", "heath")))},
    "water": {_AREAS: (("natural", ("water",)), ("waterway", ("riverbank", "dock")), ("landuse", ("reservoir", "basin")),
                       ("leisure", ("swimming_pool",))),
              _LINES: (("waterway", ("river", "stream", "canal", "ditch", "drain")),)},
    "trees": {_POINTS: (("natural", ("tree",)),)},
    "lamps": {_POINTS: (("highway", ("street_lamp",)),)},
    "bollards": {_POINTS: (("barrier", ("bollard",)),)},
    "gates": {_POINTS: (("barrier", ("gate", "lift_gate", "swing_gate", "entrance")),)},
    "entrances": {_POINTS: (("entrance", ANY),)},
    "furniture": {_POINTS: (("amenity", _SEATS), ("emergency", ("fire_hydrant",)), ("highway", ("bus_stop",)),
                            ("man_made", ("flagpole", "surveillance", "manhole", "street_cabinet")),
                            ("tourism", ("information",)), ("leisure", ("picnic_table",)), ("advertising", ANY),
                            ("traffic_sign", ANY), ("manhole", ANY))},
    "fence": {_LINES: (("barrier", ("fence", "wall", "hedge", "retaining_wall", "guard_rail")),)},
    "pipes": {_LINES: (("man_made", ("pipeline",)),)},
    "cables": {_LINES: (("power", ("cable",)), ("communication", ("line",)), ("telecom", ("line",)))},
    "parcels": {_AREAS: (("boundary", ("lot", "parcel")), ("landuse", ("plot",)))},
    "landuse": {_AREAS: (("landuse", ANY),)},
    "boundary": {_AREAS: (("boundary", ANY), ("amenity", ("university", "college", "school", "hospital")),
                          ("landuse", ("industrial", "commercial", "education")))},
    "poi": {_POINTS: (("amenity", ANY), ("shop", ANY), ("tourism", ANY), ("office", ANY))},
}
#: The tag that says what a piece of furniture is.
_WHAT = ("amenity", "emergency", "highway", "man_made", "tourism", "leisure", "advertising", "traffic_sign", "manhole")
_QUOTED = re.compile(r"\\(.)")
#: Kinds that are drawn on the ground: what a tag puts under it is left out of them.
_SURFACE: frozenset[LayerKind] = frozenset({"buildings", "roads", "paths", "paving", "parking", "water", "greens"})
_ABOVE_ALL_THE_SAME = ("no", "building_passage", "covered")
_DELETED = re.compile(rb"<(node|way|relation)\b(?=[^>]*\bid=[\"'](-?\d+))(?=[^>]*(?:visible=[\"']false|action=[\"']delete))")
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')


def is_osm(path: Path) -> bool:
    """Whether a file is an OpenStreetMap extract."""
    return path.name.lower().endswith((".osm", ".pbf", ".osm.bz2", ".osm.gz", ".osc", ".osh"))


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """An extract as its reader takes it: one that came packed by bzip2 or gzip is unpacked for as long as it is read."""
    packer = {".bz2": bz2, ".gz": gzip}.get(path.suffix.lower())
    if packer is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="parktwin-osm-") as folder:
        plain = Path(folder) / path.stem
        try:
            with packer.open(path, "rb") as packed, plain.open("wb") as out:
                shutil.copyfileobj(packed, out, 1 << 20)
        except (EOFError, zlib.error) as error:
            raise OSError("what is packed in it breaks off") from error
        yield plain


def read_osm(spec: LayerSpec, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Features of an extract that a layer's kind means, every tag a column. A `table` and `only` say it otherwise.

    Raises:
        SourceError: nothing in an extract is of this kind.
    """
    with _unpacked(spec.source) as plain:
        return _read(spec if plain == spec.source else replace(spec, source=plain), findings)


def _read(spec: LayerSpec, findings: list[Finding]) -> gpd.GeoDataFrame:
    wanted = {spec.table: ()} if spec.table else TAGS.get(spec.kind)
    if wanted is None:
        raise SourceError(f"layer '{spec.id}': kind '{spec.kind}' is not read from OpenStreetMap", where=spec.source.name,
                          mend=f"use one of {', '.join(TAGS)}")
    if ".osh" in spec.source.name.lower() or spec.source.suffix.lower() == ".osc":
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds the history of the map, or changes to it",
                          where=spec.source.name, mend="take the map of one day out of it (osmium time-filter)")
    gone = _deleted(spec.source)
    parts = [_there(_read_table(spec.source, table, tags), table, gone) for table, tags in wanted.items()]
    if not spec.table and _AREAS in wanted:
        parts.append(_closed(_there(_read_table(spec.source, _LINES, wanted[_AREAS]), _LINES, gone)))
        findings += incomplete(spec, wanted[_AREAS])
    rows = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0].reset_index(drop=True)
    rows = rows.drop(columns="is_way", errors="ignore")
    if spec.kind == "furniture":
        rows["type"] = [next((str(row[t]) for t in _WHAT if t in rows and _is_set(row[t])), "")
                        for _, row in rows.iterrows()]
    if spec.kind in _SURFACE and len(rows):
        rows = _on_the_ground(spec, rows, findings)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


def _on_the_ground(spec: LayerSpec, rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Features without those in tunnels and under the ground."""
    under = np.zeros(len(rows), np.bool_)
    if "tunnel" in rows:
        under |= (rows["tunnel"].notna() & ~rows["tunnel"].isin(_ABOVE_ALL_THE_SAME)).to_numpy()
    if "location" in rows:
        under |= rows["location"].isin(("underground", "subsurface")).to_numpy()
    if under.any():
        findings.append(Finding("note", f"layer '{spec.id}': features in tunnels or under the ground are not drawn on it",
                                spec.source.name, "", int(under.sum())))
    return rows[~under]


def _deleted(path: Path) -> frozenset[tuple[str, str]]:
    """(node, way or relation; id) that a file of an editor or of the history still holds but calls deleted."""
    if path.suffix.lower() != ".osm":
        return frozenset()
    found: set[tuple[str, str]] = set()
    with path.open("rb") as file:
        for line in file:
            if b"false" in line or b"delete" in line:
                found.update((m[1].decode(), m[2].decode()) for m in _DELETED.finditer(line))
    return frozenset(found)


def _there(rows: gpd.GeoDataFrame, table: str, gone: frozenset[tuple[str, str]]) -> gpd.GeoDataFrame:
    if not gone or not len(rows) or "osm_id" not in rows:
        return rows
    sort = {_POINTS: "node", _LINES: "way"}.get(table, "")
    sorts = np.where(rows["is_way"], "way", "relation") if "is_way" in rows else np.full(len(rows), sort)
    return rows[[(s, str(i)) not in gone for s, i in zip(sorts, rows["osm_id"], strict=True)]]


def _read_table(path: Path, table: str, tags: Tags) -> gpd.GeoDataFrame:
    rows = pyogrio.read_dataframe(path, layer=table, use_arrow=False)
    rows = _unfold(rows)
    if "osm_way_id" in rows:  # areas made of ways have their id in a column of its own
        rows["is_way"] = rows["osm_way_id"].notna()
        rows["osm_id"] = rows["osm_id"].where(rows["osm_id"].notna(), rows["osm_way_id"])
        rows = rows.drop(columns="osm_way_id")
    if not tags:
        return rows
    keep = np.zeros(len(rows), dtype=np.bool_)
    for tag, values in tags:
        if tag in rows:
            has = rows[tag].notna() & ~rows[tag].isin(("", "no"))
            keep |= (has if values == ANY else has & rows[tag].isin(values)).to_numpy()
    return rows[keep].dropna(axis=1, how="all") if keep.any() else rows[keep]


def _closed(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Ways that go round an area though the reader takes them for lines, as it does those of tags it does not know."""
    closed = shapely.is_closed(rows.geometry.values) & (shapely.get_num_coordinates(rows.geometry.values) > 3)
    rows = rows[closed]
    return rows.set_geometry([shapely.Polygon(line.coords) for line in rows.geometry])


def _unfold(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Tags without a column of their own, out of `other_tags` ("key"=>"value",…) into columns."""
    if "other_tags" not in rows:
        return rows
    tags = [{_plain(key): _plain(value) for key, value in _PAIR.findall(text)} if isinstance(text, str) else {}
            for text in rows["other_tags"]]
    names = sorted({name for row in tags for name in row} - set(rows.columns))
    more = pd.DataFrame({name: [row.get(name) for row in tags] for name in names}, index=rows.index, dtype=object)
    return gpd.GeoDataFrame(pd.concat([rows.drop(columns="other_tags"), more], axis=1), geometry="geometry", crs=rows.crs)


def _plain(text: str) -> str:
    """A key or value as it was before it was quoted."""
    return _QUOTED.sub(r"\1", text)


def _is_set(value: object) -> bool:
    return isinstance(value, str) and bool(value)
