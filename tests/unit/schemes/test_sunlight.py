"""Sun hours against cases with a known answer and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from scenes.schemes.stack import Stack, Storey
from scenes.schemes.sunlight import Sky, facade_cells, is_front, occluders, sun_hours

SKY = Sky(latitude=31.2, longitude=121.4, month_day=(1, 20))


def _stack(key: str, box: tuple[float, float, float, float], height: float, storeys: int = 1) -> Stack:
    levels = np.linspace(0.0, height, storeys + 1)
    shape = shapely.box(*box)
    return Stack(id=key, name=key, name_zh=key, ground=0.0,
                 storeys=tuple(Storey(shape, float(a), float(b)) for a, b in itertools.pairwise(levels)))


def _facing(cells, x: float, y: float) -> np.ndarray:  # type: ignore[no-untyped-def]
    return cells.normal @ np.array([x, y]) > 0.99


def test_free_facades_see_the_sun_while_they_face_it() -> None:
    stack = _stack("a", (0, 0, 34, 14), 6.0, 2)
    cells = facade_cells([stack])
    hours = sun_hours(cells, occluders([stack]), SKY)
    assert hours[_facing(cells, 0, -1)] == pytest.approx(8.0)
    assert hours[_facing(cells, 0, 1)] == pytest.approx(0.0)
    assert hours[_facing(cells, 1, 0)] == pytest.approx(4.0, abs=0.01)  # sun crosses the meridian at 12:00 true solar time
    assert hours[_facing(cells, -1, 0)] == pytest.approx(4.0, abs=0.01)


def test_convergence_turns_the_walls_against_true_north() -> None:
    turned = Sky(latitude=31.2, longitude=121.4, month_day=(1, 20), convergence_deg=3.0)
    straight = SKY.sun(np.array([12.0]))[0]
    grid = turned.sun(np.array([12.0]))[0]
    assert np.degrees(np.arctan2(straight[0], -straight[1])) == pytest.approx(0.0, abs=0.05)
    # true south lies east of grid south where true north lies west of grid north
    assert np.degrees(np.arctan2(grid[0], -grid[1])) == pytest.approx(3.0, abs=0.05)


def test_noon_height_is_the_almanac() -> None:
    up = np.degrees(np.arcsin(SKY.sun(np.array([12.0]))[0, 2]))
    assert up == pytest.approx(90 - 31.2 - 20.1, abs=0.15)


def test_a_long_wall_shades_by_its_profile_angle() -> None:
    sill, distance, height = 0.9, 30.0, 22.0
    home = _stack("home", (-17, 0, 17, 12), 3.0)
    wall = _stack("wall", (-3000, -distance - 1, 3000, -distance), height)
    cells = facade_cells([home, wall], sill, lambda s: s.id == "home")
    south = _facing(cells, 0, -1)
    hours = sun_hours(cells, occluders([home, wall]), SKY)[south]
    moments = np.arange(8.0, 16.0, 1 / 360) + 1 / 720
    sun = SKY.sun(moments)
    profile = sun[:, 2] / np.maximum(-sun[:, 1], 1e-9)
    expected = 8.0 * np.mean(profile > (height - sill) / (distance - 0.08))
    assert 0.5 < expected < 7.5
    assert hours == pytest.approx(expected, abs=0.02)


def test_scan_and_bisection_agree_with_every_minute() -> None:
    rng = np.random.default_rng(5)
    stacks = []
    for k, (x, y) in enumerate((x, y) for x in range(0, 160, 40) for y in range(0, 160, 40)):
        w, d, h = rng.uniform(10, 26, 3)
        stacks.append(_stack(str(k), (x, y, x + w, y + d), h * 2, 4))
    cells, blockers = facade_cells(stacks), occluders(stacks)
    quick = sun_hours(cells, blockers, SKY)
    brute = sun_hours(cells, blockers, SKY, step=1 / 60, bisections=1)
    off = np.abs(quick - brute)
    assert len(cells) > 400
    assert np.mean(off > 2 / 60) < 0.02  # a glimpse shorter than 15 minutes may be missed
    assert np.mean((quick >= 2) != (brute >= 2)) < 0.005


def test_far_from_the_origin_nothing_changes() -> None:
    def at(dx: float, dy: float) -> np.ndarray:
        stacks = [_stack("a", (dx, dy, dx + 30, dy + 12), 18, 6), _stack("b", (dx, dy - 40, dx + 30, dy - 28), 30, 10)]
        return sun_hours(facade_cells(stacks), occluders(stacks), SKY)
    assert at(520_000.0, 3_340_000.0) == pytest.approx(at(0.0, 0.0), abs=0.02)


def test_the_rule_is_read_at_walls_that_face_the_noon_sun() -> None:
    cells = facade_cells([_stack("a", (0, 0, 34, 14), 3.0)])
    assert is_front(cells, 0.0, 31.2)[_facing(cells, 0, -1)].all()
    assert not is_front(cells, 0.0, 31.2)[_facing(cells, 1, 0)].any()
    assert is_front(cells, 0.0, -33.9)[_facing(cells, 0, 1)].all()
