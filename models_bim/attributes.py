"""Attributes of IFC entities that a schema or a class may not have."""

from __future__ import annotations

from typing import Any

import ifcopenshell


def attribute(entity: ifcopenshell.entity_instance, name: str) -> Any:
    """What an entity says under a name, forward or inverse; None where its class has no such attribute.

    As `getattr(entity, name, None)`, but asking for what is not there costs ten times as much that way: IfcOpenShell
    then looks through its rules for a derived one.
    """
    return getattr(entity, name, None) if entity.get_attribute_category(name) else None
