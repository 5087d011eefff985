"""Which IFC classes are things that measure, act or distribute (`IfcDistributionElement` and lifts)."""

from __future__ import annotations

import functools

import ifcopenshell.ifcopenshell_wrapper as wrapper

ROOTS = ("IfcDistributionElement", "IfcTransportElement", "IfcTransportationDevice")


@functools.cache
def device_classes() -> frozenset[str]:
    """Their names over IFC2X3, IFC4 and IFC4X3."""
    found: set[str] = set()
    for schema in ("IFC2X3", "IFC4", "IFC4X3_ADD2"):
        declarations = wrapper.schema_by_name(schema)
        for root in ROOTS:
            try:
                begin = declarations.declaration_by_name(root).as_entity()
            except RuntimeError:  # not in this schema
                continue
            ways = [begin] if begin is not None else []
            while ways:
                here = ways.pop()
                found.add(here.name())
                ways += here.subtypes()
    return frozenset(found)
