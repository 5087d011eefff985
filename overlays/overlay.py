"""What an overlay is, and how the overlays of this package are found: a module that declares `OVERLAYS`
(always there) or `overlays_of(points)` (as the park's devices ask) is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import overlays
from twin.errors import TwinError
from twin.graph import SceneGraph
from twin.live.core import LiveCore
from twin.registry import PointTable

#: Nodes overlays speak of, from the park down.
SCOPES = ("park", "zone", "building", "storey", "space")


class OverlayError(TwinError):
    """There is no such overlay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The live columns at one moment, now or in the past.

    `value` f64 and `quality` u8 by slot; `track_node` u32: the containing node of every person who is present.
    """

    time: float
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    track_node: NDArray[np.uint32]


def moment_of(core: LiveCore, people: NDArray[np.bool_] | None = None) -> Moment:
    """The live columns now. `people`: which track numbers are persons (None: all are)."""
    here = core.tracks.present()
    if people is not None:
        here = here[here < len(people)]
        here = here[people[here]]
    return Moment(time=core.clock.now(), value=core.state.value, quality=core.state.quality,
                  track_node=core.tracks.node[here])


#: Moment → (node u32[n], value f32[n]); NaN where nothing is known.
Paint = Callable[[Moment], tuple[NDArray[np.uint32], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One channel. `breaks` are the 8 edges of 7 classes in `unit`; `prepare` does once what a moment need not.

    `reads`: keys of the points it is made of; empty when it is made of something else than points.
    """

    channel: int
    name: str
    name_zh: str
    unit: str
    breaks: tuple[float, ...]
    prepare: Callable[[SceneGraph, PointTable], Paint]
    reads: tuple[str, ...] = ()


def find_overlays(points: PointTable | None = None) -> dict[int, Overlay]:
    """Every overlay of the package by channel number, with those a park's devices bring when `points` is given.

    Raises:
        OverlayError: two claim one channel, or one has not 8 rising breaks.
    """
    found: dict[int, Overlay] = {}
    for module in sorted(pkgutil.iter_modules(overlays.__path__), key=lambda module: module.name):
        code = importlib.import_module(f"overlays.{module.name}")
        brought = () if points is None or not hasattr(code, "overlays_of") else code.overlays_of(points)
        for overlay in (*getattr(code, "OVERLAYS", ()), *brought):
            if overlay.channel in found:
                raise OverlayError(f"channel {overlay.channel} is claimed twice", mend=f"see overlays/{module.name}.py")
            if len(overlay.breaks) != 8 or not np.all(np.diff(overlay.breaks) > 0):
                raise OverlayError(f"'{overlay.name}' needs 8 rising breaks", mend=f"correct overlays/{module.name}.py")
            found[int(overlay.channel)] = overlay
    return found


class Painter:
    """Every overlay made ready for one park."""

    def __init__(self, graph: SceneGraph, points: PointTable) -> None:
        self.overlays = find_overlays(points)
        self._paint = {channel: overlay.prepare(graph, points) for channel, overlay in self.overlays.items()}

    def paint(self, channel: int, moment: Moment) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """One channel at a moment. Raises OverlayError for an unknown one."""
        if channel not in self._paint:
            raise OverlayError(f"no overlay has channel {channel}", mend=f"use one of {sorted(self._paint)}")
        return self._paint[channel](moment)
