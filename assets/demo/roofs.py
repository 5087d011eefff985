"""Roofs: slabs, parapets, penthouses, plant, PV, planting, canopies, and the saw-tooth of the production hall."""

from __future__ import annotations

from assets.demo.blocks import Block
from assets.demo.catalogue import makes
from assets.demo.ifcmodel import Entity, Model
from assets.demo.meshes import Mesh
from assets.demo.parts import ring_of, slab_map
from assets.demo.plan import Rect, Storey, inner
from assets.demo.programs import PODIUM_STOREYS, outline_of

_QUARTERS = ((1.0, 0.0), (0.0, 1.0))
SAW_TEETH, SAW_RISE_M = 10, 3.6


def write_roof(model: Model, block: Block, storeys: tuple[Storey, ...], roof: Entity) -> None:
    """Everything above the last storey (and on the podium), and what hangs on the façade."""
    top = outline_of(block, block.storeys - 1)
    writer = _Roof(model, block, roof)
    if block.program == "hall":
        writer.saw_tooth(top)
    elif block.program == "deck":
        writer.deck(top)
    else:
        writer.flat(top, 0.0, "top")
    if block.program == "tower":
        drop = round(block.elevation(PODIUM_STOREYS) - block.roof_level, 3)
        writer.podium(drop)
    if block.facade in ("solid", "high"):
        writer.ribs(storeys)
    writer.canopy(storeys[0])


class _Roof:
    """Writes roof elements into the RF storey; z is metres above the roof level."""

    def __init__(self, model: Model, block: Block, roof: Entity) -> None:
        self.model, self.block, self.roof = model, block, roof
        self.count = 0

    def put(
        self,
        cls: str,
        name: str,
        at: tuple[float, float, float],
        source: Entity,
        *rest: object,
        turn: int = 0,
        kind: str = "",
    ) -> Entity:
        """Place a map on the roof."""
        self.count += 1
        place = self.model.placement(self.roof.ObjectPlacement, at, _QUARTERS[turn] if turn else None)
        body = self.model.product(cls, f"RF/{self.count}/{name}", name, place, source, *rest)
        if kind:
            make = makes()[kind]
            self.model.typed(kind, make.type_cls, make.name, source, make.predefined, body)
        return self.model.contain(self.roof, body)

    def thing(self, make_key: str, name: str, x: float, y: float, z: float = 0.0, turn: int = 0) -> None:
        """A catalogue make on the roof."""
        make = makes()[make_key]
        self.put(
            make.cls,
            name,
            (round(x, 3), round(y, 3), z),
            self.model.mesh_map(make_key, make.parts),
            None,
            make.predefined,
            turn=turn,
            kind=make_key,
        )

    def parapet(self, rect: Rect, z: float, height: float = 1.1, style: str = "parapet") -> None:
        """A closed low wall round a roof, with a coping."""
        x0, y0, x1, y1 = rect
        key = ("parapet", rect, height, style)
        source = self.model.map_of(key)
        if source is None:
            hole = (x0 + 0.25, y0 + 0.25, x1 - 0.25, y1 - 0.25)
            solid = self.model.extrusion(ring_of(rect), [ring_of(hole)], self.model.axes((0.0, 0.0, 0.0)), height)
            lip = (x0 - 0.08, y0 - 0.08, x1 + 0.08, y1 + 0.08)
            coping = self.model.extrusion(
                ring_of(lip),
                [ring_of((hole[0] + 0.05, hole[1] + 0.05, hole[2] - 0.05, hole[3] - 0.05))],
                self.model.axes((0.0, 0.0, height)),
                0.12,
            )
            source = self.model.shape_map(key, [(style, solid), ("frame_light", coping)], "SweptSolid")
        self.put("IfcWall", "Parapet", (0.0, 0.0, z), source, None, "PARAPET")

    def flat(self, rect: Rect, z: float, label: str) -> None:
        """A flat roof with parapet, lift penthouse and plant or PV on it."""
        self.put(
            "IfcSlab",
            f"Roof {label}",
            (0.0, 0.0, z),
            slab_map(self.model, inner(rect, 0.05), (), 0.25, "roof"),
            None,
            "ROOF",
        )
        self.parapet(rect, z, 1.4 if self.block.program == "tower" else 1.0)
        x0, y0, x1, y1 = rect
        if self.block.program == "gatehouse":
            return
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        width, depth, height = (13.0, 9.0, 4.6) if self.block.program == "tower" else (7.5, 5.0, 3.2)
        cy = cy + (y1 - y0) * 0.16 if self.block.program not in ("tower", "dorm") else cy
        house = Mesh().box(-width / 2, -depth / 2, 0, width / 2, depth / 2, height, skip="b")
        cap = Mesh().box(-width / 2 - 0.3, -depth / 2 - 0.3, height, width / 2 + 0.3, depth / 2 + 0.3, height + 0.25)
        self.put(
            "IfcBuildingElementProxy",
            "Penthouse",
            (round(cx, 3), round(cy, 3), z),
            self.model.mesh_map(("house", width, depth), [("wall_light", house), ("roof", cap)]),
            None,
            "PARTIAL",
        )
        self.plant(rect, z, (cx - width / 2 - 1, cx + width / 2 + 1))

    def plant(self, rect: Rect, z: float, house: tuple[float, float]) -> None:
        """Units, towers, PV rows and planting, by what the building is."""
        x0, y0, x1, y1 = rect
        tag = self.block.id.upper()
        span, depth = x1 - x0, y1 - y0
        if self.block.program == "energy":
            for k in range(3):
                self.thing("cooling_tower", f"{tag}-RF-CT-{k + 1:02d}", x0 + 7 + k * 6.0, y0 + depth * 0.66, z)
            self.pv((x0 + 3, y0 + 2, x1 - 3, y0 + depth * 0.45), z, (0.0, 0.0))
            return
        units = {"datacentre": 8, "tower": 4, "rd": 4, "lab": 5, "canteen": 5, "dorm": 2, "visitor": 2}.get(
            self.block.program, 2
        )
        for k in range(units):
            x = x0 + span * (0.1 + 0.8 * (k + 0.5) / units)
            if house[0] - 2.4 < x < house[1] + 2.4:
                x = house[0] - 3.0 if x < (house[0] + house[1]) / 2 else house[1] + 3.0
            row = 0.72 if self.block.program != "datacentre" or k % 2 else 0.35
            self.thing(
                "roof_unit",
                f"{tag}-RF-RTU-{k + 1:02d}",
                x,
                y0 + depth * (row if self.block.program != "tower" else 0.5),
                z,
                turn=int(k % 3 == 2),
            )
        if self.block.has_pv:
            self.pv((x0 + 3, y0 + 2, x1 - 3, y0 + depth * 0.5), z, (0.0, 0.0))
        elif self.block.program in ("rd", "visitor"):
            self.planting((x0 + 4, y0 + 3, x1 - 4, y0 + depth * 0.34), z)

    def pv(self, area: Rect, z: float, skip: tuple[float, float]) -> None:
        """Rows of tilted PV panels facing south."""
        x0, y0, x1, y1 = area
        nx, ny = int((x1 - x0) / 4.1), int((y1 - y0) / 2.5)
        for j in range(ny):
            for k in range(nx):
                x = x0 + (k + 0.5) * (x1 - x0) / nx
                if not skip[0] < x < skip[1]:
                    self.thing(
                        "pv",
                        f"{self.block.id.upper()}-PV-{j + 1:02d}-{k + 1:02d}",
                        x,
                        y0 + (j + 0.5) * (y1 - y0) / ny,
                        z,
                    )

    def planting(self, area: Rect, z: float) -> None:
        """Roof beds."""
        x0, y0, x1, y1 = area
        count = max(2, round((x1 - x0) / 9))
        width = (x1 - x0) / count - 1.6
        bed = Mesh().box(-width / 2, -(y1 - y0) / 2, 0, width / 2, (y1 - y0) / 2, 0.45, skip="bt")
        green = Mesh().box(
            -width / 2 + 0.15, -(y1 - y0) / 2 + 0.15, 0.42, width / 2 - 0.15, (y1 - y0) / 2 - 0.15, 0.6, skip="b"
        )
        source = self.model.mesh_map(("bed", round(width, 2), round(y1 - y0, 2)), [("parapet", bed), ("green", green)])
        for k in range(count):
            self.put(
                "IfcBuildingElementProxy",
                "Roof planting",
                (round(x0 + (k + 0.5) * (x1 - x0) / count, 3), round((y0 + y1) / 2, 3), z),
                source,
                None,
                "COMPLEX",
            )

    def podium(self, z: float) -> None:
        """The podium's roof round the tower: slab with the tower left out, parapet, units and beds."""
        outer, hole = outline_of(self.block, 0), outline_of(self.block, PODIUM_STOREYS)
        self.put(
            "IfcSlab",
            "Podium roof",
            (0.0, 0.0, z),
            slab_map(self.model, inner(outer, 0.05), (hole,), 0.25, "roof"),
            None,
            "ROOF",
        )
        self.parapet(outer, z, 1.1)
        for k, (x, y) in enumerate(((5, 34), (5, 40), (53, 36), (53, 41.5), (24, 42.2))):
            self.thing("roof_unit", f"T1-POD-RTU-{k + 1:02d}", x, y, z, turn=k % 2)
        self.planting((2, 2, 58, 6.2), z)

    def deck(self, rect: Rect) -> None:
        """The parking roof: slab, parapet, stair heads, and the outside ramp between the levels."""
        self.put("IfcSlab", "Roof deck", (0.0, 0.0, 0.0), slab_map(self.model, rect, (), 0.3, "slab"), None, "ROOF")
        self.parapet(rect, 0.0, 1.1, "wall_grey")
        x0, _, x1, y1 = rect
        for k, x in enumerate((x0 + 3.2, x1 - 6.5)):
            head = Mesh().box(-2.6, -3.2, 0, 2.6, 3.2, 2.9, skip="b")
            self.put(
                "IfcBuildingElementProxy",
                f"Stair head {k + 1}",
                (x, y1 - 4.0, 0.0),
                self.model.mesh_map("stair_head", [("wall_light", head)]),
                None,
                "PARTIAL",
            )
        length = 30.0
        for level in range(self.block.storeys):
            low = self.block.elevation(level) - self.block.roof_level
            lift = self.block.elevation(level + 1) - self.block.elevation(level)
            ramp = Mesh().face((0, 0, 0), (5.5, 0, 0), (5.5, length, lift), (0, length, lift))
            ramp.face((0, length, lift - 0.3), (5.5, length, lift - 0.3), (5.5, 0, -0.3), (0, 0, -0.3))
            for x in (0.0, 5.5):
                ramp.face((x, 0, -0.3), (x, length, lift - 0.3), (x, length, lift + 0.9), (x, 0, 0.9))
                ramp.face((x, 0, 0.9), (x, length, lift + 0.9), (x, length, lift - 0.3), (x, 0, -0.3))
            self.put(
                "IfcRamp",
                f"Ramp {level + 1}",
                (-5.6, 8.0, round(low, 3)),
                self.model.mesh_map(("ramp", lift), [("slab", ramp)]),
                None,
                "STRAIGHT_RUN_RAMP",
            )

    def saw_tooth(self, rect: Rect) -> None:
        """North lights: teeth along x, each a glazed upright and a sloping roof."""
        x0, y0, x1, y1 = rect
        step = (x1 - x0) / SAW_TEETH
        depth = y1 - y0
        tooth, glass = Mesh(), Mesh()
        tooth.face((0, 0, 0), (step, 0, 0), (step, 0, SAW_RISE_M)).face(
            (step, depth, SAW_RISE_M), (step, depth, 0), (0, depth, 0)
        )
        tooth.face((0, 0, 0), (step, 0, SAW_RISE_M), (step, depth, SAW_RISE_M), (0, depth, 0))
        tooth.face((0, depth, -0.12), (step, depth, SAW_RISE_M - 0.12), (step, 0, SAW_RISE_M - 0.12), (0, 0, -0.12))
        tooth.face((step, 0, 0), (step, depth, 0), (step, depth, 0.7), (step, 0, 0.7))
        tooth.face(
            (step, 0, SAW_RISE_M - 0.5),
            (step, depth, SAW_RISE_M - 0.5),
            (step, depth, SAW_RISE_M),
            (step, 0, SAW_RISE_M),
        )
        bays = 13
        for k in range(bays):
            a, b = depth * k / bays + 0.2, depth * (k + 1) / bays - 0.2
            glass.face((step, a, 0.7), (step, b, 0.7), (step, b, SAW_RISE_M - 0.5), (step, a, SAW_RISE_M - 0.5))
            tooth.face((step, b, 0.7), (step, b + 0.4, 0.7), (step, b + 0.4, SAW_RISE_M - 0.5), (step, b, SAW_RISE_M - 0.5))
        source = self.model.mesh_map("tooth", [("roof", tooth.mirrored_x(step)), ("glass", glass.mirrored_x(step))])
        for k in range(SAW_TEETH):
            self.put("IfcRoof", f"Saw-tooth {k + 1}", (round(x0 + k * step, 3), y0, 0.0), source, None, "SHED_ROOF")

    def ribs(self, storeys: tuple[Storey, ...]) -> None:
        """Upright cladding ribs on all four sides, one element a side."""
        x0, y0, x1, y1 = storeys[0].outline
        top = self.block.roof_level
        sides = (
            ((x0, y0), (x1, y0), (0, -1)),
            ((x1, y0), (x1, y1), (1, 0)),
            ((x1, y1), (x0, y1), (0, 1)),
            ((x0, y1), (x0, y0), (-1, 0)),
        )
        openings = self._openings(storeys[0])
        for number, ((ax, ay), (bx, by), (nx, ny)) in enumerate(sides):
            length = abs(bx - ax) + abs(by - ay)
            mesh = Mesh()
            count = round(length / 1.5)
            for k in range(count + 1):
                at = k * length / count
                low = max((g_top for a, b, g_top in openings[number] if a - 0.2 < at < b + 0.2), default=0.0)
                px, py = ax + (bx - ax) * at / length, ay + (by - ay) * at / length
                qx, qy = (0.12 if ny else 0.16), (0.12 if nx else 0.16)
                cx, cy = px + nx * 0.14, py + ny * 0.14
                mesh.box(cx - qx, cy - qy, low, cx + qx, cy + qy, top, skip="b")
            self.put(
                "IfcCovering",
                "Cladding ribs",
                (0.0, 0.0, -top),
                self.model.mesh_map(("ribs", number), [("rib", mesh)]),
                None,
                "CLADDING",
            )

    def _openings(self, storey: Storey) -> list[list[tuple[float, float, float]]]:
        outside = [w for w in storey.walls if w.is_external]
        shift = (0.0, 0.25, 0.0, 0.25)
        return [
            [(g.at + s, g.at + g.width + s, g.sill + g.height) for g in w.gaps] for w, s in zip(outside, shift, strict=True)
        ]

    def canopy(self, ground: Storey) -> None:
        """A canopy over the main entrance, on two posts."""
        for wall in ground.walls:
            for gap in wall.gaps:
                if gap.make != "entrance":
                    continue
                is_south = wall.y0 < ground.outline[3] / 2
                x = wall.x0 + gap.at + gap.width / 2 if is_south else wall.x0 - gap.at - gap.width / 2
                out, wide = 4.2, gap.width / 2 + 2.2
                slab = Mesh().box(-wide, -out, 3.4, wide, 0.0, 3.7)
                posts = Mesh()
                for px in (-wide + 0.4, wide - 0.4):
                    posts.box(px - 0.12, -out + 0.3, 0.0, px + 0.12, -out + 0.54, 3.4, skip="bt")
                source = self.model.mesh_map(("canopy", wide), [("white", slab), ("steel", posts)])
                place = self.model.placement(
                    self.roof.ObjectPlacement.PlacementRelTo,
                    (x, wall.y0 + (-0.13 if is_south else 0.13), 0.0),
                    None if is_south else (-1.0, 0.0),
                )
                body = self.model.product(
                    "IfcBuildingElementProxy", f"canopy/{x:.2f}", "Entrance canopy", place, source, None, "PARTIAL"
                )
                self.model.contain(self.roof, body)
