"""Losses in the tree: what came in under a supply, counted by it or made there, beyond what the supplies under it counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.energy.tree import MeterTree

#: Below this share of the time a figure is not known well enough.
KNOWN = 0.98
#: Meters err: children may count this share more than their parent before it is told.
ERROR = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One supply over a span, in its medium's unit. `used` NaN: nothing known. `lost` NaN: no children, or nothing known.

    `used` is what its meters counted and what was `made` (PV) and comes in right under it.

    state: `leaf`; `sound`; `uncertain` (it or a child was silent part of the time: `silent` meters); `over` (the children
    counted more than it did: a wrong tree, a wrong scale or a faulty meter).
    """

    used: float
    made: float
    below: float
    lost: float
    state: Literal["leaf", "sound", "uncertain", "over"]
    silent: tuple[int, ...]


def balances(tree: MeterTree, use: NDArray[np.float64], known: NDArray[np.float64]) -> list[Balance]:
    """The balance of every supply.

    Args:
        use, known: of each meter over the span: counted in its own unit (NaN: nothing), and the share of time covered.
    """
    scaled = use * np.array([meter.scale for meter in tree.meters])
    out: list[Balance] = []
    for supply in tree.supplies:
        made = _sum(scaled, supply.sources) if supply.sources else 0.0
        own = _sum(scaled, supply.meters) + np.nan_to_num(made)
        parts = [_sum(scaled, tree.supplies[k].meters) for k in supply.children]
        heard = [part for part in parts if np.isfinite(part)]
        below = float(np.sum(heard)) if heard else float("nan")
        concerned = (*supply.meters, *supply.sources, *(m for k in supply.children for m in tree.supplies[k].meters))
        silent = tuple(m for m in concerned if known[m] < KNOWN or not np.isfinite(use[m]))
        lost = own - below
        state: Literal["leaf", "sound", "uncertain", "over"] = "sound"
        if not supply.children:
            state = "leaf"
        elif silent:
            state = "uncertain"
        elif lost < -ERROR * max(own, 0.0):
            state = "over"
        lost = float("nan") if state == "leaf" else lost
        out.append(Balance(used=own, made=made, below=below, lost=lost, state=state, silent=silent))
    return out


def _sum(values: NDArray[np.float64], chosen: tuple[int, ...]) -> float:
    """The sum of what is known; NaN where nothing is."""
    here = values[list(chosen)]
    here = here[np.isfinite(here)]
    return float(here.sum()) if len(here) else float("nan")
