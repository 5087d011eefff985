"""A building read from IFC: columns of what is in it, its storeys and rooms, and its geometry once per distinct shape.

Space frame `ifc`: the file's own engineering coordinates in **metres** (float64, z up), before any georeference.
Where that stands in the park is `models_bim.georeference`'s matter (`park_from_ifc`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.finding import Finding

#: What a row of `Entities` is. "site" and "building" rows carry properties of the building node itself.
EntityKind = Literal["site", "building", "storey", "space", "element"]

UNASSIGNED = "unassigned"

#: The property set under which an entity's own attributes and its material are kept.
ATTRIBUTES = "Attributes"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entities:
    """Every site, building, storey, space and element of a building; row k of every column is one of them.

    Args:
        key: text (n,), unique: the GlobalId; a repeated one gets `~2`, `~3`;
            one without a GlobalId is `<file>#<STEP id>`.
        guid: text (n,), the GlobalId as written; "" where null.
        cls: text (n,), IFC class (`IfcWallStandardCase`).
        kind: text (n,), an `EntityKind`.
        name, long_name, predefined, type_name: text (n,), "" where the file says nothing.
        parent: int32 (n,), row of the container (storey, space) or of the whole this is a part of (assembly,
            curtain wall); -1 at the top.
        storey: int32 (n,), index into `BimModel.storeys`; -1 above storeys.
        file: int32 (n,), index into `BimModel.files`.
        step: int32 (n,), STEP id in that file.
    """

    key: NDArray[np.object_]
    guid: NDArray[np.object_]
    cls: NDArray[np.object_]
    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    long_name: NDArray[np.object_]
    predefined: NDArray[np.object_]
    type_name: NDArray[np.object_]
    parent: NDArray[np.int32]
    storey: NDArray[np.int32]
    file: NDArray[np.int32]
    step: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storey:
    """One storey, federated over the disciplines. Elevation and height in ifc metres; ascending in `BimModel.storeys`.

    `entity` is its row in `Entities`. `assumed` says the elevation was worked out from what stands on it.
    """

    entity: int
    key: str
    name: str
    elevation: float
    height: float
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """One room: floor outline in the ifc frame (metres), between z0 and z1. `polygon` is valid and never empty."""

    entity: int
    polygon: shapely.Polygon
    z0: float
    z1: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """One distinct shape, drawn wherever an instance places it.

    Args:
        vertices: float32 (v, 3), metres, centred on the box's middle (so float32 costs nothing).
        triangles: uint32 (t, 3), grouped by material; winding as the kernel gave it (draw double-sided).
        run_start: int32 (r+1,): triangles [run_start[i], run_start[i+1]) have colour run_rgba[i].
        run_rgba: uint8 (r, 4), sRGB as the file says, alpha 255 = opaque.
        is_default: bool (r,), True where the file names no colour (run_rgba is then a mid grey).
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    run_start: NDArray[np.int32]
    run_rgba: NDArray[np.uint8]
    is_default: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instances:
    """Where meshes stand. Sorted by entity row.

    Args:
        entity: int32 (m,), row of `Entities`.
        mesh: int32 (m,), index into `BimModel.meshes`.
        ifc_from_local: float64 (m, 4, 4), row-major, metres:
            `point_in_ifc = ifc_from_local @ point_in_local`.
    """

    entity: NDArray[np.int32]
    mesh: NDArray[np.int32]
    ifc_from_local: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.entity)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Properties:
    """Property sets and quantities, one value a row, sorted by entity. `value` is text, `unit` "" for none."""

    entity: NDArray[np.int32]
    pset: NDArray[np.object_]
    name: NDArray[np.object_]
    value: NDArray[np.object_]
    unit: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.entity)


@dataclass(slots=True, kw_only=True)
class Group:
    """What things belong to without being in it: a system, zone, type, material or class.

    Args:
        key: unique in a building: a GlobalId, `material:<name>` or `class:<system>:<code>`.
        kind: system, zone, type, material, classification or group.
        cls: IFC class (`IfcDistributionSystem`).
        name: as people call it; the code of a class.
        label: its long name or what the code means; "" where unsaid.
        predefined: what sort of system or type (`AIRCONDITIONING`); "" where unsaid.
        parent: key of the group this one belongs to; "" at the top.
    """

    key: str
    kind: str
    cls: str
    name: str
    label: str = ""
    predefined: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relations:
    """How things of a building relate; row k of every column is one relation. The words are those of `relations.parquet`.

    Args:
        kind: text (n,): system, zone, group, type, material, classification, serves, feeds, connects, controls, fills,
            bounds, also in.
        a, b: int32 (n,), entity rows; -1 where the relation has no such side.
        group: int32 (n,), index into `BimModel.groups`; -1 for none.
        value: text (n,): the medium that flows, a layer's thickness; "" for none.
    """

    kind: NDArray[np.object_]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    group: NDArray[np.int32]
    value: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.kind)


def no_relations() -> Relations:
    """Relations of a building that has none."""
    none, text = np.zeros(0, np.int32), np.zeros(0, object)
    return Relations(kind=text, a=none, b=none, group=none, value=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Georeading:
    """One thing a file says about where on Earth it stands, as written (`models_bim.georeference` judges it).

    Args:
        kind: "map" (IfcMapConversion or its IFC2X3 property set) or "site" (IfcSite latitude and longitude).
        where: file name and STEP id, for findings.
        crs: what the file calls its projected CRS; "" for none.
        eastings, northings, height: for "map": in the map's unit, or the file's where it declares none.
        x_axis: for "map": where ifc x points, (easting, northing), any length.
        scale: for "map": map units per file unit; None where the file leaves it empty.
        map_unit_m: metres in the declared map unit; None where undeclared.
        file_unit_m: metres in the file's own length unit.
        latitude, longitude: for "site": WGS 84 degrees; elevation in metres.
        site_origin_in_ifc: for "site": the point in ifc metres that stands at latitude, longitude.
        true_north: direction of true north in ifc (x, y), as IFC's TrueNorth; (0, 1) where unsaid.
    """

    kind: Literal["map", "site"]
    where: str
    crs: str = ""
    eastings: float = 0.0
    northings: float = 0.0
    height: float = 0.0
    x_axis: tuple[float, float] = (1.0, 0.0)
    scale: float | None = None
    map_unit_m: float | None = None
    file_unit_m: float = 1.0
    latitude: float = float("nan")
    longitude: float = float("nan")
    elevation: float = 0.0
    site_origin_in_ifc: tuple[float, float, float] = (0.0, 0.0, 0.0)
    true_north: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BimModel:
    """One building, all disciplines together. Everything spatial is in the ifc frame, metres.

    Args:
        files: names of the files federated (without folders), in the order given.
        storeys: ascending by elevation; elements that belong to none are on one named "unassigned".
        spaces: rooms whose floor outline is known, sorted by entity row.
        findings: everything skipped, repaired or degraded while reading.
        digest: of the files and the code that read them; empty where it was not read from files.
    """

    files: tuple[str, ...]
    schemas: tuple[str, ...]
    entities: Entities
    storeys: tuple[Storey, ...]
    spaces: tuple[Space, ...]
    properties: Properties
    meshes: tuple[Mesh, ...]
    instances: Instances
    georeadings: tuple[Georeading, ...] = ()
    groups: tuple[Group, ...] = ()
    relations: Relations = field(default_factory=no_relations)
    findings: tuple[Finding, ...] = ()
    #: float64 (n, 6) xmin,ymin,zmin,xmax,ymax,zmax of each entity's own geometry in ifc metres; NaN where it has none.
    boxes: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 6)))
    digest: str = ""
    #: Program and version that wrote each file; "" where it does not say.
    applications: tuple[str, ...] = ()

    def bare(self) -> BimModel:
        """The model without bodies and without what is said of things: rows, storeys and rooms alone."""
        said, placed = self.properties, self.instances
        return replace(
            self,
            properties=Properties(entity=said.entity[:0], pset=said.pset[:0], name=said.name[:0], value=said.value[:0],
                                  unit=said.unit[:0]),
            meshes=(),
            instances=Instances(entity=placed.entity[:0], mesh=placed.mesh[:0], ifc_from_local=placed.ifc_from_local[:0]),
            georeadings=(),
            groups=(),
            relations=no_relations(),
            findings=(),
        )
