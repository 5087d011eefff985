"""CityJSON in (1.0 to 2.0, documents and sequences): objects with the faces of their finest level of detail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gis.city import F64, CityModel, CityObject, Rings, best_faces
from twin.errors import SourceError

_ROLES = {"WallSurface": "wall", "RoofSurface": "roof", "GroundSurface": "ground", "OuterCeilingSurface": "roof",
          "OuterFloorSurface": "roof", "ClosureSurface": "wall", "Window": "wall", "Door": "wall"}
_EPSG = re.compile(r"EPSG[:/]+(?:[\d.]*[:/])?(\d+)$", re.IGNORECASE)
#: How deep the outer rings of a geometry lie in `boundaries`.
_DEPTH = {"MultiSurface": 1, "CompositeSurface": 1, "Solid": 2, "MultiSolid": 3, "CompositeSolid": 3}


def read_city_json(path: Path) -> CityModel:
    """The objects of a CityJSON file; parts of a building are joined with it.

    Raises:
        SourceError: it is not JSON or no CityJSON.
    """
    try:
        documents = _documents(path)
        objects = [o for document in documents for o in _objects(document, documents[0])]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise SourceError(f"{path.name} is no sound CityJSON ({type(error).__name__}: {error})", where=path.name,
                          mend="check it with a CityJSON validator, or export it again") from error
    found = _EPSG.search(str(documents[0].get("metadata", {}).get("referenceSystem", "")))
    return CityModel(tuple(objects), f"EPSG:{found[1]}" if found else "")


def _documents(path: Path) -> list[dict[str, Any]]:
    """One document, or the first line of a sequence with every feature after it."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        documents = [json.loads(text)]
    except json.JSONDecodeError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not documents or not isinstance(documents[0], dict) or documents[0].get("type") != "CityJSON":
        raise ValueError("its type is not CityJSON")
    return documents


def _objects(document: dict[str, Any], head: dict[str, Any]) -> Iterator[CityObject]:
    vertices = np.array(document["vertices"], dtype=np.float64).reshape(-1, 3)
    transform = document.get("transform") or (head.get("transform") if document.get("type") == "CityJSONFeature" else None)
    if transform:
        vertices = vertices * np.array(transform["scale"]) + np.array(transform["translate"])
    table: dict[str, dict[str, Any]] = document["CityObjects"]
    for object_id, item in table.items():
        if not item.get("parents"):
            family = [item, *(table[child] for child in _below(object_id, table))]
            lod, faces = best_faces(face for member in family for face in _faces(member, vertices))
            yield CityObject(str(object_id), str(item["type"]).lstrip("+"), _texts(item.get("attributes") or {}), faces, lod)


def _below(object_id: str, table: dict[str, dict[str, Any]]) -> list[str]:
    """Everything under an object, each once."""
    seen: list[str] = []
    waiting = list(table[object_id].get("children") or [])
    while waiting:
        child = waiting.pop(0)
        if child in table and child not in seen:
            seen.append(child)
            waiting += table[child].get("children") or []
    return seen


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {str(k): json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else str(v)
            for k, v in attributes.items() if v is not None}


def _faces(item: dict[str, Any], vertices: F64) -> Iterator[tuple[float, str, Rings]]:
    for geometry in item.get("geometry") or []:
        depth = _DEPTH.get(geometry["type"])
        if depth is None:
            continue
        semantics = geometry.get("semantics") or {}
        kinds = [_ROLES.get(str(s.get("type")), "") for s in semantics.get("surfaces") or []]
        for surface, at in _surfaces(geometry["boundaries"], semantics.get("values"), depth):
            rings = tuple(vertices[np.array(ring, dtype=np.intp)] for ring in surface if len(ring) > 2)
            if rings:
                yield float(geometry.get("lod", 0)), kinds[at] if at is not None and kinds else "", rings


def _surfaces(boundaries: Any, values: Any, depth: int) -> Iterator[tuple[list[list[int]], int | None]]:
    """Every surface (its rings of vertex numbers) with the number of its semantics."""
    for k, part in enumerate(boundaries):
        value = values[k] if isinstance(values, list) and k < len(values) else None
        if depth == 1:
            yield part, value
        else:
            yield from _surfaces(part, value, depth - 1)
