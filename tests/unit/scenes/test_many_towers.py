"""Buildings with models of their own, however many, are looked at in few triangles from afar."""

from __future__ import annotations

import numpy as np

from gis.mesh import Surface, box_mesh
from gis.model import FlatGround
from scenes.building_tiles import BuildingOutput
from scenes.gis_tiles import GisTiler
from scenes.massing import boxes
from scenes.read_glb import Glb
from scenes.shade import Shade
from scenes.tileset import Tile
from twin.steps import StepStore
from twin.workshop import LocalPool, Workshop


def test_towers_with_models_are_boxes_from_afar_and_their_own_tiles_near_by() -> None:
    """A city of towers whose coarsest tiles are 6,000 triangles each: 6 km of it are looked at in few triangles."""
    corner = np.stack(np.meshgrid(np.arange(20), np.arange(20)), axis=-1).reshape(-1, 2) * 300.0
    drawn = [BuildingOutput(Tile(f"b/{k}/far.glb", "building", (x, y, 0.0, x + 40, y + 40, 150.0), 2.4), {}, 6000,
                            boxes([box_mesh((x + 20, y + 20, 0), (40, 40, 150), 0.0, colour=(9, 9, 9),
                                            surface=Surface.PLAIN, node=k + 1)])) for k, (x, y) in enumerate(corner.tolist())]
    written: dict[str, bytes] = {}
    tiler = GisTiler((0, 0, 6000, 6000), FlatGround(), "", Shade(np.zeros((0, 3, 3)), [], np.array([0.0, 0.6, 0.8])),
                     np.array([0.0, 0.6, 0.8]), written.__setitem__, Workshop(LocalPool(), StepStore(None)))
    assert tiler.building_tiles(drawn[:3]) == [one.tile for one in drawn[:3]], "a few are drawn as they are"
    whole, = tiler.building_tiles(drawn)
    leaves, stack = [], [whole]
    while stack:
        tile = stack.pop()
        stack += [child for child in tile.children if child.children]
        leaves += [child.uri for child in tile.children if not child.children]
        assert tile.replace
        assert all(child.error_m < tile.error_m for child in tile.children)
        assert tile.children
        west, south, _, east, north, _ = tile.box
        assert all(west <= c.box[0] and south <= c.box[1] and c.box[3] <= east and c.box[4] <= north for c in tile.children)
    assert sorted(leaves) == sorted(one.tile.uri for one in drawn), "each once"
    assert Glb(written[whole.uri]).surfaces()[0].faces.size // 3 == 10 * len(drawn)
