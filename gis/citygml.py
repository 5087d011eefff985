"""CityGML in (1.0 to 3.0, LoD 0 to 3): objects with the faces of their finest level, read member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from gis.city import F64, CityModel, CityObject, Rings, best_faces
from twin.errors import SourceError

_ROLES = {"WallSurface": "wall", "RoofSurface": "roof", "GroundSurface": "ground", "OuterCeilingSurface": "roof",
          "OuterFloorSurface": "roof", "ClosureSurface": "wall"}
_LOD = re.compile(r"lod(\d)")
_EPSG = re.compile(r"EPSG(?:[:/]+|[^\d]*:)(?:[\d.]*[:/])?(\d{4,6})", re.IGNORECASE)
_ADV_UTM = re.compile(r"ETRS89_UTM(\d{2})")
_MEMBERS = ("cityObjectMember", "featureMember")
_NO_ATTRIBUTE = ("boundedBy", "address", "consistsOfBuildingPart", "externalReference", "creationDate")
_GEOMETRY = re.compile(r"^(lod\d|boundary|interior|outer|opening)")


def read_city_gml(path: Path) -> CityModel:
    """The objects of a CityGML file.

    Raises:
        SourceError: not well-formed, or it holds entities, which are never resolved.
    """
    objects: list[CityObject] = []
    crs = ""
    try:
        for _, element in iterparse(path, events=("end",), forbid_dtd=True):
            if not crs and element.get("srsName"):
                crs = _crs(str(element.get("srsName")))
            if _local(element) in _MEMBERS:
                objects += [_object(item, len(objects) + k) for k, item in enumerate(element)]
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} is no sound CityGML ({str(error) or type(error).__name__})", where=path.name,
                          mend="export it again; document type declarations and entities are not read") from error
    return CityModel(tuple(objects), crs)


def _crs(name: str) -> str:
    """The horizontal CRS of an srsName: EPSG in any of its spellings, and the German surveys' own."""
    adv = _ADV_UTM.search(name)
    if adv:
        return f"EPSG:258{adv[1]}"
    found = _EPSG.search(name)
    return f"EPSG:{found[1]}" if found else ""


def _local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _object(item: Element, number: int) -> CityObject:
    gml_id = next((v for k, v in item.attrib.items() if k.rsplit("}", 1)[-1] == "id"), "") or f"object-{number + 1}"
    lod, faces = best_faces(_faces(item, "", None))
    return CityObject(gml_id, _local(item), dict(_attributes(item)), faces, lod)


def _attributes(item: Element) -> Iterator[tuple[str, str]]:
    """Simple values of an object and its generic attributes, by name."""
    for child in item:
        name = _local(child)
        if name in _NO_ATTRIBUTE or _GEOMETRY.match(name):
            continue
        if child.get("name"):
            value = next((v.text for v in child.iter() if _local(v) == "value" and v.text), None)
            if value:
                yield str(child.get("name")), value.strip()
        elif len(child) == 0 and child.text and child.text.strip():
            yield name, child.text.strip()
        elif name == "genericAttribute" or name.endswith("Attribute"):
            texts = {_local(v): v.text.strip() for v in child.iter() if v.text and v.text.strip()}
            if "name" in texts and "value" in texts:
                yield texts["name"], texts["value"]


def _faces(element: Element, role: str, lod: float | None) -> Iterator[tuple[float, str, Rings]]:
    """Every polygon under an element, with the role and level of detail of what holds it."""
    for child in element:
        name = _local(child)
        level = _LOD.match(name)
        inner_lod = float(level[1]) if level else lod
        if name == "Polygon" or name == "PolygonPatch" or name == "Triangle":
            rings = tuple(ring for ring in (_ring(r) for r in child.iter() if _local(r) == "LinearRing") if len(ring) > 2)
            if rings:
                yield (inner_lod if inner_lod is not None else 2.0), role, rings
        elif not name.startswith("interior") or name == "interior":
            yield from _faces(child, _ROLES.get(name, role), inner_lod)


def _ring(ring: Element) -> F64:
    """(k, 3) of a LinearRing, its repeated last point left out."""
    numbers: list[str] = []
    width = 3
    for element in ring.iter():
        name = _local(element)
        if name in ("posList", "pos", "coordinates") and element.text:
            text: Any = element.text.replace(",", " ") if name == "coordinates" else element.text
            parts = text.split()
            width = 2 if element.get("srsDimension") == "2" or (name == "pos" and len(parts) == 2) else width
            numbers += parts
    points = np.array(numbers, dtype=np.float64).reshape(-1, width)
    if width == 2:
        points = np.column_stack([points, np.zeros(len(points))])
    return points[:-1] if len(points) > 3 and np.allclose(points[0], points[-1]) else points
