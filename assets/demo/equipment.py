"""Placed things and the services under the ceilings of a storey."""

from __future__ import annotations

from assets.demo.furnish import Item
from assets.demo.ifcmodel import Entity, Model
from assets.demo.meshes import Mesh
from assets.demo.parts import thing
from assets.demo.plan import SLAB_M, Storey, inner

_QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


def write_item(model: Model, entity: Entity, item: Item) -> None:
    """A catalogue thing at its place in a storey."""
    make, source = thing(model, item.make) if item.make != "column" else (None, None)
    place = model.placement(
        entity.ObjectPlacement, (item.x, item.y, item.z), _QUARTERS[item.quarter % 4] if item.quarter % 4 else None
    )
    if make is None:
        body = model.product("IfcColumn", item.key, f"Column {item.key}", place, _column_map(model, entity), None, "COLUMN")
    else:
        rest = [None, make.predefined] if make.cls != "IfcBuildingElementProxy" else [None, "USERDEFINED"]
        body = model.product(
            make.cls,
            item.key,
            item.name or make.name,
            place,
            source,
            *rest,
            object_type={"fcu": "FCU", "machine": "Production cell"}.get(item.make),
        )
        model.typed(item.make, make.type_cls, make.name, source, make.predefined, body)
    model.contain(entity, body)


def _column_map(model: Model, entity: Entity) -> Entity:
    height = model.storey_heights.get(entity.Name, 3.5)
    return model.mesh_map(("column", height), [("column", Mesh().box(-0.25, -0.25, 0.0, 0.25, 0.25, height, skip="bt"))])


def write_services(model: Model, storey: Storey, entity: Entity) -> None:
    """A supply duct, a sprinkler main and a chilled water main under the ceiling of each corridor."""
    top = storey.height - SLAB_M
    for cell in storey.cells:
        if cell.use not in ("corridor", "aisle"):
            continue
        x0, y0, x1, y1 = inner(cell.rect, 0.4)
        length = round(x1 - x0, 3)
        rows = (
            (
                "IfcDuctSegment",
                "duct",
                (y0 + y1) / 2,
                top - 0.55,
                [("duct", Mesh().box(0, -0.35, 0, length, 0.35, 0.4))],
                "RIGIDSEGMENT",
            ),
            ("IfcPipeSegment", "sprinkler", y0, top - 0.15, [("pipe_red", Mesh().tube(length, 0.06))], "RIGIDSEGMENT"),
            ("IfcPipeSegment", "chilled", y1, top - 0.2, [("pipe_blue", Mesh().tube(length, 0.09))], "RIGIDSEGMENT"),
        )
        for cls, label, y, z, parts, kind in rows:
            source = model.mesh_map((label, length), parts)
            body = model.product(
                cls,
                f"{storey.name}/{cell.number}/{label}",
                f"{label.capitalize()} {storey.name}-{cell.number}",
                model.placement(entity.ObjectPlacement, (x0, y, round(z, 3))),
                source,
                None,
                kind,
            )
            model.contain(entity, body)
