"""What can be told of an IFC file without drawing it: its GlobalIds, whether it says where it stands, what is odd."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import ifcopenshell

from models_bim.opening import open_ifc
from models_bim.salvage import Salvage
from twin.finding import Finding


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One file looked at: the GlobalIds of its products, and whether it says where on Earth it stands."""

    guids: frozenset[str]
    says_where: bool
    findings: tuple[Finding, ...]


def glance(path: Path) -> Glance:
    """Look at one file in this process; `models_bim.read.glance_file` does it in one of its own.

    Raises:
        SourceError: the file cannot be opened or parsed.
    """
    try:
        seen = _glance(path, is_lazy=True)
        if not any(finding.code.startswith("damaged") for finding in seen.findings):
            return seen
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001, S110 - whatever it was, reading the whole file tells it better
        pass
    return _glance(path, is_lazy=False)


def _glance(path: Path, *, is_lazy: bool) -> Glance:
    opened = open_ifc(path, is_lazy=is_lazy)
    file, salvage = opened.file, Salvage(path.name)
    guids = salvage.part("GlobalIds", lambda: [str(p.GlobalId or "") for p in file.by_type("IfcProduct")], [])
    findings = [*opened.findings, *_odd_guids(guids, path.name)]
    if not salvage.part("its storeys", lambda: file.by_type("IfcBuildingStorey"), [None]):
        findings.append(Finding("warning", "the model has no storeys", path.name, "export it with its storeys"))
    says_where = salvage.part("its georeference", lambda: _says_where(file), True)
    return Glance(frozenset(guids) - {""}, says_where, (*findings, *salvage.findings()))


def _odd_guids(guids: list[str], name: str) -> list[Finding]:
    findings = []
    doubled = sorted(guid for guid, count in Counter(guids).items() if count > 1 and guid)
    if doubled:
        findings.append(Finding("warning", f"GlobalId {doubled[0]} is used more than once", name,
                                "give every element its own GlobalId", len(doubled)))
    if "" in guids:
        findings.append(Finding("warning", "things have no GlobalId", name, "export with GlobalIds", guids.count("")))
    return findings


def _says_where(file: ifcopenshell.file) -> bool:
    if any(site.RefLatitude and site.RefLongitude for site in file.by_type("IfcSite")):
        return True
    if file.schema != "IFC2X3":
        return bool(file.by_type("IfcMapConversion"))
    return any((p.Name or "").casefold() == "epset_mapconversion" for p in file.by_type("IfcPropertySet"))
