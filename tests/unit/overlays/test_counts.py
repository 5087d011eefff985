"""People per room, storey and building against a plain count of everybody's last fix, as they come, go and fall silent."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from overlays.occupancy import prepare
from overlays.overlay import Moment
from scenes.locate import SpaceIndex, SpaceShape
from twin.graph import SceneGraph
from twin.live.tracks import LOST_SECS, TrackStore
from twin.ports import Positions

KINDS = ["none", "park", "building", "storey", "storey", *["space"] * 8]
PARENT = [0, 0, 1, 2, 2, *[3] * 4, *[4] * 4]
ROOMS = {5 + k: (shapely.box(10 * (k % 4), 0, 10 * (k % 4) + 10, 8), 4.0 * (k // 4)) for k in range(8)}


def graph() -> SceneGraph:
    n = len(KINDS)
    text = {name: np.array([""] * n, object) for name in ("name", "name_zh", "cls", "guid", "source", "tile")}
    nan = np.full(n, np.nan)
    return SceneGraph({**text, "id": np.array(["", *[f"n{k}" for k in range(1, n)]], object), "kind": np.array(KINDS, object),
                       "parent": np.array(PARENT, np.uint32), "element": np.zeros(n, np.uint32),
                       "anchor": np.full((n, 3), np.nan), "bbox": np.full((n, 6), np.nan), "elevation": nan, "height": nan,
                       "area": nan})


def counted(last: dict[int, tuple[float, np.ndarray]], now: float) -> dict[int, int]:
    """Everybody heard of within ten seconds, one by one, in their room and everything around it."""
    found = dict.fromkeys(range(1, len(KINDS)), 0)
    for heard, at in last.values():
        if now - heard > LOST_SECS:
            continue
        room = next((n for n, (box, z) in ROOMS.items() if box.contains(shapely.Point(at[:2])) and z <= at[2] < z + 3.5), 0)
        while room:
            found[room] += 1
            room = PARENT[room]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_counts_follow_everybody_in_and_out_also_between_fixes(seed: int) -> None:
    chance, scene = np.random.default_rng(seed), graph()
    store = TrackStore(SpaceIndex([SpaceShape(node=n, storey=PARENT[n], polygon=box, z0=z, z1=z + 3.5)
                                   for n, (box, z) in ROOMS.items()]).locate)
    paint = prepare(scene, None)  # type: ignore[arg-type]
    last: dict[int, tuple[float, np.ndarray]] = {}
    peak = 0
    for now in range(1000, 1120):
        who = chance.permutation(60)[: chance.integers(0, 25)]  # others are silent, and may be in and out meanwhile
        at = np.column_stack([chance.uniform(-8, 48, len(who)), chance.uniform(-3, 11, len(who)),
                              chance.choice([1.0, 5.0], len(who))])
        store.apply(Positions(who.astype(np.uint32), at, np.zeros(len(who), np.float32), np.full(len(who), float(now))), now)
        store.sweep(now)
        last |= {int(w): (float(now), xyz) for w, xyz in zip(who, at, strict=True)}
        nodes, people = paint(Moment(time=now, value=np.zeros(0), quality=np.zeros(0, np.uint8),
                                     track_node=store.node[store.present()]))
        told = dict(zip(nodes.tolist(), people.astype(int).tolist(), strict=True))
        assert told == {n: c for n, c in counted(last, now).items() if n in told}
        peak = max(peak, told[2])
    assert peak > 10, "the control: there were people to count"
