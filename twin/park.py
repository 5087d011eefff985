"""What a park folder declares: typed values parsed once from park.toml (see twin.parkfile)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LayerKind = Literal[
    "buildings", "roads", "paths", "greens", "water", "trees", "lamps", "parking", "pipes", "terrain",
    "fence", "gates", "entrances", "landuse", "boundary", "paving", "bollards", "poi", "furniture", "parcels", "cables",
    "pointcloud", "mesh",
]
#: Kinds that are pictures to look at behind the park's own things; nothing in them can be picked.
BACKGROUNDS: frozenset[LayerKind] = frozenset({"pointcloud", "mesh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a building's own origin stands in the park frame (metres), turned counter-clockwise (degrees)."""

    at: tuple[float, float, float]
    rotation_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSpec:
    """A named part of the park that buildings may belong to."""

    id: str
    name: str
    name_zh: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """A floor plan lifted to a storey: areas in a GIS file.

    `elevation` is above the building's own zero in metres, `height` to the next storey (None: to the next plan, or 4.5 m).
    `size` is the true width and depth of the drawing in metres where its coordinates only nearly say it. `voids` names
    areas that are openings in the floor.
    """

    source: Path
    storey: str
    elevation: float
    height: float | None = None
    crs: str | None = None
    table: str | None = None
    name_field: str | None = None
    name_zh: str | None = None
    size: tuple[float, float] | None = None
    voids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingSpec:
    """One building: one IFC file a discipline, federated, or one floor plan a storey.

    Placement is None where the files say where they stand; `georeference` then names the reading of them to take where
    more than one is as likely. `footprint`: the features of building layers (`layer:id`) that are this building.
    """

    id: str
    ifc: tuple[Path, ...]
    placement: Placement | None
    plans: tuple[PlanSpec, ...] = ()
    georeference: str | None = None
    footprint: tuple[str, ...] = ()
    name: str | None = None
    name_zh: str | None = None
    zone: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSpec:
    """How a scan or a reality mesh is shown.

    `is_under`: nothing of it is drawn where a building of the park stands. `heights`: park metres between which it is
    drawn. `spacing_m`: points nearer to one another are drawn as one. `offset`: map units added to a mesh whose
    coordinates were shortened. `up`: the axis of a mesh that is its height, where it is not the usual one.
    """

    is_under: bool = True
    heights: tuple[float, float] | None = None
    spacing_m: float = 0.02
    offset: tuple[float, float, float] | None = None
    up: Literal["y", "z"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """One GIS layer: what file, what it shows, and which of its columns mean what.

    `crs` is anything PROJ knows, GCJ-02, BD-09, or "park" for coordinates that are park metres already.
    """

    id: str
    source: Path
    kind: LayerKind
    crs: str | None = None
    name: str | None = None
    name_zh: str | None = None
    id_field: str | None = None
    name_field: str | None = None
    height_field: str | None = None
    width_field: str | None = None
    depth_field: str | None = None
    medium_field: str | None = None
    x_field: str | None = None
    y_field: str | None = None
    table: str | None = None
    #: Column → values: only features with one of them are taken. Empty for all.
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: Metres in the source's unit; None where the source says it or it is metres (or degrees).
    unit_m: float | None = None
    #: Where a drawing without a coordinate system stands; its own coordinates are then metres times `unit_m`.
    placement: Placement | None = None
    #: True where the source puts northing before easting, as survey sheets do.
    is_north_first: bool = False
    background: BackgroundSpec = BackgroundSpec()
    #: Whether a page that is opened shows it; the layer list switches a background.
    is_shown: bool = True
    line: int = 0

    @property
    def where(self) -> str:
        """Where its faults are mended."""
        return f"park.toml:{self.line}" if self.line else "park.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpec:
    """Where live values come from: 'simulator' (in process) or an MQTT url such as mqtt://127.0.0.1:1883.

    Empty where the park names [[source]] tables only.
    """

    source: str = "simulator"
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One [[source]]: a server of the field and how to speak to it.

    `points` binds its addresses to points of devices (see `connectors.bindings`). `password` is no secret itself:
    'env:NAME' or 'file:PATH' say where it is. `ca`, `cert`, `key` are PEM or DER files. `security` is OPC UA's policy
    and mode, `unit` and `order` Modbus' defaults, `local` the address BACnet binds here, `time` a JSON pointer.
    `positions`: the coordinates of people and vehicles, anything PROJ knows, GCJ-02, BD-09, park, or
    `building:<id>[:<storey>]`; `accuracy`: one standard deviation of them in metres, 0 for exact.
    """

    id: str
    url: str
    points: Path | None = None
    user: str = ""
    password: str = ""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    poll_secs: float = 5.0
    security: str = ""
    unit: int = 1
    order: str = "ABCD"
    local: str = ""
    time: str = ""
    positions: str = ""
    accuracy: float = 0.0
    line: int = 0

    @property
    def scheme(self) -> str:
        """What it speaks: the url up to its colon."""
        return self.url.split(":", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSpec:
    """[database]: where alarms, commands, the trail and accounts are kept; without it SQLite in the state folder.

    `url` is PostgreSQL's without a password; `password` says where that is: 'env:NAME' or 'file:PATH'.
    """

    url: str
    password: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySpec:
    """[history]: how long readings and positions are kept, how finely, and where else they go.

    `thin` is (days, seconds): readings older than that keep one row a point and bucket of that many seconds; `days` and
    `positions_days` are when readings and positions are deleted (0: never); `publish` a Delta table's address.
    """

    thin: tuple[tuple[int, int], ...] = ()
    days: int = 0
    positions_days: int = 0
    publish: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkSpec:
    """A whole park.toml. Paths are absolute; origin is map metres, the park frame is the map minus it."""

    root: Path
    id: str
    name: str
    name_zh: str | None
    crs: str
    origin: tuple[float, float, float]
    zones: tuple[ZoneSpec, ...] = ()
    buildings: tuple[BuildingSpec, ...] = ()
    layers: tuple[LayerSpec, ...] = ()
    registry: Path | None = None
    packs: tuple[str, ...] = ()
    live: LiveSpec = LiveSpec()
    sources: tuple[SourceSpec, ...] = ()
    database: DatabaseSpec | None = None
    history: HistorySpec = HistorySpec()
    demo: bool = False
    timezone: str = ""

    @property
    def build_dir(self) -> Path:
        """Where `parktwin build` writes and `parktwin serve` reads."""
        return self.root / "build"

    @property
    def state_dir(self) -> Path:
        """Where the running server keeps history, events and secrets."""
        return self.root / "state"
