"""How high a park's ground lies where no terrain says so, and buildings that stand far above or under the ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gis.model import FlatGround, Ground
from models_bim.model import BimModel
from scenes.merge import BuildingSource
from scenes.things import own_box
from twin.finding import Finding
from twin.park import ParkSpec

#: Metres that a plinth explains, and that basements, a podium or a slope do.
PLINTH_M, OFF_M = 2.0, 25.0


def flat_ground(spec: ParkSpec, buildings: Mapping[str, BuildingSource]) -> tuple[FlatGround, tuple[Finding, ...]]:
    """The ground of a park without terrain: at the origin's height, or where its buildings' own files put most of them.

    Buildings that `park.toml` places, in park metres, say nothing about it.
    """
    placed = {building.id for building in spec.buildings if building.placement is not None or not building.ifc}
    levels = [_level(source.model, source.from_source) for key, source in buildings.items()
              if key not in placed and source.from_source is not None]  # an edit that lifts one lifts no ground
    level = round(float(np.median(levels)), 2) if levels else 0.0
    if abs(level) <= PLINTH_M:
        return FlatGround(0.0), ()
    x, y, z = spec.origin
    return FlatGround(level), (Finding(
        "warning", f"the buildings stand {_far(level)} the park's origin, so the ground is drawn there", "park.toml",
        f"write origin = [{x:.10g}, {y:.10g}, {z + level:.10g}] in [park], or add a layer of kind \"terrain\""),)


def check_levels(buildings: Mapping[str, BuildingSource], ground: Ground) -> tuple[Finding, ...]:
    """Buildings whose ground floor is far from the ground under them: a height that is missing, or of another datum."""
    out = []
    for key, source in buildings.items():
        box = own_box(source.model)
        if box is None or not source.is_placed:
            continue
        middle = source.park_from_ifc @ np.array([*(box[:2] + box[3:5]) / 2, 0.0, 1.0])
        off = _level(source.model, source.park_from_ifc) - float(ground.height_at(middle[None, :2])[0])
        if abs(off) > OFF_M:
            out.append(Finding("warning", f"building '{key}' stands {_far(off)} the ground of the park", "park.toml",
                               "give its file a height, place it on the editor page (/editor), or write its placement"))
    return tuple(out)


def _level(model: BimModel, park_from_ifc: NDArray[np.float64]) -> float:
    """Park height of a building's own ±0.00; where none of its storeys is near that, of its lowest storey or its foot."""
    own = [storey.elevation for storey in model.storeys]
    box = own_box(model)
    is_near = any(abs(elevation) <= OFF_M for elevation in own)
    foot = 0.0 if is_near else min(own, default=float(box[2]) if box is not None else 0.0)
    return float(park_from_ifc[2, 2] * foot + park_from_ifc[2, 3])


def _far(metres: float) -> str:
    return f"{abs(metres):,.1f} m {'above' if metres > 0 else 'under'}"
