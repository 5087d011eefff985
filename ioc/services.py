"""What a running park is made of, gathered once by `server.py` and used by every route and page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.http_in import HttpInConnector
from ioc.access.accounts import Accounts
from ioc.access.discreet import Discretion
from ioc.access.screens import Screens
from ioc.coverage_job import CoverageJob
from ioc.edit_desk import EditDesk
from ioc.energy_desk import EnergyDesk
from ioc.live.hub import Hub
from ioc.live.replica import Replica
from ioc.live.runner import CoreRunner
from ioc.painters import ParkPainters
from ioc.wall_desk import WallDesk
from twin.fences import FenceFiles, Outline
from twin.finding import Finding
from twin.graph import SceneGraph
from twin.history.store import History
from twin.indoors import Indoors
from twin.packs import PackSet
from twin.park import ParkSpec
from twin.park_graph import ParkGraph
from twin.ports import Drills, TrackInfo
from twin.registry import PointTable
from twin.search import SearchIndex


@dataclass(slots=True, kw_only=True)
class Services:
    """A park being served. Everything here lives as long as the server."""

    spec: ParkSpec
    build_dir: Path
    manifest: dict[str, Any]
    graph: SceneGraph
    park_graph: ParkGraph
    packs: PackSet
    points: PointTable
    tracks: tuple[TrackInfo, ...]
    spaces: list[dict[str, Any]]
    runner: CoreRunner
    hub: Hub
    history: History
    accounts: Accounts
    screens: Screens
    painters: ParkPainters
    drills: Drills | None
    fences: FenceFiles
    outline: Outline
    indoors: Indoors
    discretion: Discretion
    coverage: CoverageJob
    wall: WallDesk
    edits: EditDesk
    energy: EnergyDesk
    search: SearchIndex
    has_demo_account: bool
    replica: Replica | None = None
    is_https: bool = False
    ingest: tuple[HttpInConnector, ...] = ()
    fence_findings: list[Finding] = field(default_factory=list)
