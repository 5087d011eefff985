"""Among many buildings each is a box from afar; the box of one that an editor moves goes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scene_page import look_at, pixels, scene_page, settle

from parktwin.bench.dense_park import APART_M, make_dense_park, tower
from scenes import gis_tiles
from scenes.compile import compile_park
from twin.parkfile import load_park


@pytest.mark.browser
def test_the_box_of_a_moved_building_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gis_tiles, "CROWDED_TRIANGLES", 0)  # four are a crowd
    build = compile_park(load_park(make_dense_park(tmp_path, 4, tower(storeys=2)))).folder
    assert (build / "tiles/layers/buildings_q_mass.glb").is_file()
    with scene_page(build) as page:
        page.evaluate("harness.view.setLayer('labels', false); harness.view.setLayer('devices', false)")
        middle = (APART_M / 2, APART_M / 2, 0.0)
        look_at(page, middle, 2_500.0, 0.05)
        drawn = page.evaluate("[...harness.view.tiles.renderer.visibleTiles].map((t) => t.content.uri)")
        assert "layers/buildings_q_mass.glb" in drawn
        assert not [uri for uri in drawn if uri.startswith("b/")], "all of them are boxes"
        far = pixels(page)
        motion = np.eye(4)
        motion[0, 3] = -2 * APART_M
        page.evaluate("m => harness.view.setMoved('b000', m)", motion.T.ravel().tolist())
        settle(page)
        changed = np.abs(pixels(page) - far).max(axis=2) > 12
        page.evaluate("harness.view.setMoved('b000', null)")
        settle(page)
        back = np.abs(pixels(page) - far).max(axis=2) > 12
    columns = np.flatnonzero(changed.any(axis=0))
    assert columns.size, "the picture shows it"
    assert np.diff(columns).max() > 100, "one spot where it was and one where it is, nothing between"
    assert not back.any(), "put back it looks as before"
