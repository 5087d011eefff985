"""The 3D view in a real browser over a park small enough to know every pixel of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scene_page import HEIGHT, WIDTH, look_at, pixels, playwright, scene_page, settle
from viewer_small_park import HALF_Y, room_node, write_small_park

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[playwright.Page]:
    build = tmp_path_factory.mktemp("small-park")
    write_small_park(build)
    with scene_page(build) as tab:
        yield tab


def click(page: playwright.Page, x: float, y: float) -> dict[str, str]:
    """What the view says was picked at a pixel."""
    page.evaluate("harness.seen.picks.length = 0")
    page.mouse.click(x, y)
    page.wait_for_function("harness.seen.picks.length > 0")
    return page.evaluate("harness.seen.picks[0]")


def test_the_lawn_is_green_and_the_building_stands_on_it(page: playwright.Page) -> None:
    page.evaluate("harness.view.goTo('park', {immediate: true})")
    look_at(page, (0, 0, 3), 120, 1.0)
    picture = pixels(page)
    corner, middle = (
        picture[-20:, :60].reshape(-1, 3).mean(0),
        picture[HEIGHT // 2 - 8 : HEIGHT // 2 + 8, WIDTH // 2 + 20 : WIDTH // 2 + 60].reshape(-1, 3).mean(0),
    )
    assert corner[1] > corner[0] + 8, "the lawn leans to green"
    assert corner[1] > corner[2] + 8
    assert np.ptp(middle) < 30, "the building is near grey"
    assert picture.reshape(-1, 3).std(0).max() > 15, "the picture is not one flat colour"


def test_the_first_picture_waits_for_no_frame_and_is_not_an_empty_one(page: playwright.Page) -> None:
    assert page.context.browser is not None
    tab = page.context.browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    tab.add_init_script("window.requestAnimationFrame = () => 0")
    tab.goto(page.url)
    tab.wait_for_function("window.harness?.seen.firstFrame > 0", polling=50)
    drawn = tab.evaluate("harness.view.stats()")
    tab.close()
    assert drawn["triangles"] > 12, "the lawn and the building"


def test_picking_goes_one_level_deeper_with_each_drill(page: playwright.Page) -> None:
    page.evaluate(
        "harness.view.setLayer('labels', false); harness.view.setLayer('ahu', false);"
        "harness.view.goTo('park', {immediate: true})"
    )
    look_at(page, (0, 0, 5), 90, 1.2)
    assert click(page, WIDTH / 2, HEIGHT / 2)["id"] == "b1"
    page.evaluate("harness.view.goTo('b1', {immediate: true})")
    look_at(page, (0, -HALF_Y, 1.5), 60, 1.45)
    assert click(page, WIDTH / 2, HEIGHT / 2) == {"kind": "node", "id": "b1:S0", "additive": False}
    page.evaluate("harness.view.goTo('b1:S1', {immediate: true})")
    page.wait_for_timeout(400)
    look_at(page, (7.5, 0, 3.3), 30, 0.3)
    assert click(page, WIDTH / 2, HEIGHT / 2)["id"] == f"b1:R{room_node(1, 1)}"
    look_at(page, (-7.5, -4, 3.3), 30, 0.3)
    assert click(page, WIDTH / 2, HEIGHT / 2)["id"] == f"b1:R{room_node(1, 0)}"
    assert click(page, 3, HEIGHT - 3)["kind"] in ("node", "none")


def test_a_recolour_changes_the_floor_and_nothing_else(page: playwright.Page) -> None:
    page.evaluate("harness.view.goTo('b1:S1', {immediate: true})")
    page.wait_for_function("harness.view.model.open !== null")
    look_at(page, (0, 0, 3.3), 70, 0.3)
    before = pixels(page)
    page.evaluate("""() => { const top = 40, v = new Float32Array(top).fill(NaN); v[9] = 20;
        harness.world.live.overlay.set(2, v);
        harness.view.setOverlay(2, {breaks: [0, 5, 10, 15, 20, 25, 30, 35],
        colours: ['#000000','#000000','#000000','#000000','#c000c0','#000000','#000000'], none: '#e3e6ea'}); }""")
    settle(page)
    after = pixels(page)
    right = after[HEIGHT // 2 - 6 : HEIGHT // 2 + 6, WIDTH // 2 + 40 : WIDTH // 2 + 60].reshape(-1, 3).mean(0)
    assert right[0] > right[1] + 80, "room 9 took the ramp's colour"
    assert right[2] > right[1] + 80
    assert np.abs(before[-12:] - after[-12:]).mean() < 2, "the lawn did not change"
    assert page.evaluate("harness.view.stats().recolourMs") >= 0
    page.evaluate("harness.view.setOverlay(null, null)")
    settle(page)
    assert np.abs(pixels(page) - before).mean() < 2, "and it goes back"


def test_night_is_uniforms_only_and_dark(page: playwright.Page) -> None:
    page.evaluate("harness.view.goTo('park', {immediate: true})")
    look_at(page, (0, 0, 3), 120, 1.0)
    day = pixels(page).mean()
    page.evaluate("harness.view.setTheme('dark')")
    settle(page)
    night = pixels(page).mean()
    page.evaluate("harness.view.setTheme('light')")
    settle(page)
    assert night < day * 0.45
    assert abs(pixels(page).mean() - day) < 1.5


def test_a_lost_context_comes_back_with_the_same_camera(page: playwright.Page) -> None:
    page.evaluate("harness.view.goTo('park', {immediate: true})")
    look_at(page, (3, 2, 3), 110, 1.0)
    before, camera = pixels(page), page.evaluate("harness.view.getCamera()")
    page.evaluate("""() => { harness.seen.lost.length = 0;
        const gl = document.querySelector('canvas').getContext('webgl2');
        window.loser = gl.getExtension('WEBGL_lose_context'); loser.loseContext(); }""")
    page.wait_for_function("harness.seen.lost.length === 1")
    page.evaluate("setTimeout(() => loser.restoreContext(), 50)")
    page.wait_for_function("harness.seen.lost.length === 2")
    settle(page)
    assert page.evaluate("harness.view.getCamera()") == camera
    assert np.abs(pixels(page) - before).mean() < 2


def test_a_resting_view_draws_nothing(page: playwright.Page) -> None:
    look_at(page, (0, 0, 3), 100, 1.0)
    frames = page.evaluate("harness.view.stats().frames")
    page.wait_for_timeout(900)
    assert page.evaluate("harness.view.stats().frames") == frames


URGENT = """{id: 1, device: 'ahu-1', node: 0, priority: 1, state: 'unacknowledged', title: 'Smoke', title_zh: '烟雾',
    place: 'b1', place_zh: 'b1', raised_ms: 0}"""


def _redness(picture: np.ndarray) -> float:
    """How far red leads green on the wall in the middle of the picture."""
    wall = picture[HEIGHT // 2 - 12 : HEIGHT // 2 + 12, WIDTH // 2 + 60 : WIDTH // 2 + 120].reshape(-1, 3).mean(0)
    return float(wall[0] - wall[1])


def test_a_building_with_an_urgent_alarm_is_red_until_it_clears(page: playwright.Page) -> None:
    page.evaluate("harness.view.setLayer('labels', false); harness.view.goTo('park', {immediate: true})")
    look_at(page, (0, -HALF_Y, 4.0), 60, 1.4)
    calm = _redness(pixels(page))
    page.evaluate(f"harness.view.setAlarms([{URGENT}])")
    page.wait_for_timeout(600)
    alarmed = _redness(pixels(page))
    page.evaluate("harness.view.setAlarms([])")
    settle(page)
    assert alarmed > calm + 30
    assert abs(_redness(pixels(page)) - calm) < 2


def test_the_section_tool_cuts_buildings_where_its_handle_is_dragged_to(page: playwright.Page) -> None:
    page.evaluate("harness.view.goTo('park', {immediate: true})")
    look_at(page, (0, 0, 3), 90, 1.3)
    whole = pixels(page)
    page.evaluate("harness.view.setTool('section')")
    settle(page)
    x, y, height = page.evaluate("[...harness.view.signs.section.place(), harness.view.signs.section.at.z]")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 25, steps=3)
    page.mouse.up()
    settle(page)
    lower = page.evaluate("harness.view.signs.section.at.z")
    assert lower < height - 1, "the handle was dragged down"
    assert page.evaluate("harness.view.getCamera().azimuth") == pytest.approx(0), "and the camera stayed"
    assert np.abs(pixels(page) - whole).mean() > 2, "less of the building is left"
    page.evaluate("harness.view.setTool('orbit')")
    settle(page)
    assert np.abs(pixels(page) - whole).mean() < 2, "and it is whole again"
