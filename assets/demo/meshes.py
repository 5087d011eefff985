"""Small triangle meshes made of boxes, prisms and stepped profiles; points in metres, triangles by index from 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Point = tuple[float, float, float]


@dataclass(slots=True)
class Mesh:
    """Points and triangles that grow by shapes."""

    points: list[Point] = field(default_factory=list)
    triangles: list[tuple[int, int, int]] = field(default_factory=list)

    def face(self, *corners: Point) -> Mesh:
        """A flat convex face, counter-clockwise seen from outside."""
        base = len(self.points)
        self.points.extend((round(x, 4), round(y, 4), round(z, 4)) for x, y, z in corners)
        self.triangles.extend((base, base + k, base + k + 1) for k in range(1, len(corners) - 1))
        return self

    def box(self, x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, skip: str = "") -> Mesh:
        """An upright box; `skip` names faces to leave out (b t s n w e)."""
        faces = {
            "b": ((x0, y1, z0), (x1, y1, z0), (x1, y0, z0), (x0, y0, z0)),
            "t": ((x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)),
            "s": ((x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)),
            "n": ((x1, y1, z0), (x0, y1, z0), (x0, y1, z1), (x1, y1, z1)),
            "w": ((x0, y1, z0), (x0, y0, z0), (x0, y0, z1), (x0, y1, z1)),
            "e": ((x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)),
        }
        for key, corners in faces.items():
            if key not in skip:
                self.face(*corners)
        return self

    def prism(self, x: float, y: float, z0: float, z1: float, radius: float, sides: int = 8, top: float = 1.0) -> Mesh:
        """An upright regular prism or a cone frustum (`top` scales the upper ring)."""
        ring = [(math.cos(2 * math.pi * k / sides), math.sin(2 * math.pi * k / sides)) for k in range(sides)]
        low = [(x + radius * c, y + radius * s, z0) for c, s in ring]
        high = [(x + radius * top * c, y + radius * top * s, z1) for c, s in ring]
        for k in range(sides):
            j = (k + 1) % sides
            self.face(low[k], low[j], high[j], high[k])
        return self.face(*high).face(*low[::-1])

    def tube(self, length: float, radius: float, sides: int = 8) -> Mesh:
        """A pipe along +x from the origin, open at both ends."""
        ring = [
            (radius * math.cos(2 * math.pi * k / sides), radius * math.sin(2 * math.pi * k / sides)) for k in range(sides)
        ]
        for k in range(sides):
            (ya, za), (yb, zb) = ring[k], ring[(k + 1) % sides]
            self.face((0.0, ya, za), (length, ya, za), (length, yb, zb), (0.0, yb, zb))
        return self

    def mirrored_x(self, width: float) -> Mesh:
        """The same shape seen in a mirror across x = width / 2, still facing outwards."""
        points = [(round(width - x, 4), y, z) for x, y, z in self.points]
        return Mesh(points, [(a, c, b) for a, b, c in self.triangles])


def frame(width: float, height: float, bar: float, depth: float, mullions: int = 0) -> Mesh:
    """A window frame in the plane y = 0..depth, x 0..width, z 0..height: only the faces that show in a wall."""
    mesh = Mesh()
    mesh.box(0.0, 0.0, bar, bar, depth, height - bar, skip="btnw")
    mesh.box(width - bar, 0.0, bar, width, depth, height - bar, skip="btne")
    mesh.box(0.0, 0.0, 0.0, width, depth, bar, skip="wenb")
    mesh.box(0.0, 0.0, height - bar, width, depth, height, skip="went")
    for k in range(1, mullions + 1):
        x = width * k / (mullions + 1)
        mesh.box(x - bar / 2, 0.0, bar, x + bar / 2, depth, height - bar, skip="btn")
    return mesh


def steps(run: float, rise: float, width: float, count: int) -> Mesh:
    """A flight of stairs: climbs along +y from the origin by count risers, width along +x, sloping underside."""
    mesh = Mesh()
    tread, riser, waist = run / (count - 1), rise / count, 0.18
    for k in range(count):
        y0, y1 = k * tread, (k + 1) * tread
        z0, z1 = k * riser, (k + 1) * riser
        mesh.face((0.0, y0, z0), (width, y0, z0), (width, y0, z1), (0.0, y0, z1))
        if k < count - 1:
            mesh.face((0.0, y0, z1), (width, y0, z1), (width, y1, z1), (0.0, y1, z1))
            for x, is_east in ((0.0, False), (width, True)):
                low0, low1 = max(z0 - waist, 0.0) if k == 0 else z0 - waist, z1 - waist
                side = [(x, y0, low0), (x, y1, low1), (x, y1, z1), (x, y0, z1)]
                mesh.face(*(side if is_east else side[::-1]))
    mesh.face((0.0, run, rise - riser - waist), (width, run, rise - riser - waist), (width, 0.0, 0.0), (0.0, 0.0, 0.0))
    return mesh
