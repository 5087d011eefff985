"""Blocks of the map drawn and lit some at a time are the blocks drawn and lit at once, and what stands is not done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gis.mesh import Mesh
from gis.model import FlatGround
from gis.solids import building_meshes, surroundings_of
from parktwin.bench.city import layer_of
from scenes import block_step
from scenes.bake import bake
from scenes.block_step import LightSquares, drawn_blocks, lit_squares
from scenes.shade import Near, Shade
from twin.errors import TwinError
from twin.steps import StepStore
from twin.workshop import Bench, LocalPool, Step, Workshop

SUN = np.array([0.0, -0.6, 0.8])
COUNT = 23


def same(one: Mesh, other: Mesh) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(Mesh))


@pytest.fixture
def city() -> list[Mesh]:
    return building_meshes(layer_of(COUNT), np.arange(1, COUNT + 1, dtype=np.uint32), FlatGround())


def squares_of(meshes: list[Mesh]) -> list[tuple[Mesh, Near]]:
    """Each body as a square of its own."""
    shade = Shade(np.concatenate([m.position[m.faces] for m in meshes]), [], SUN)
    return [(m, shade.near(m.position.min(axis=0)[None], m.position.max(axis=0)[None])) for m in meshes]


class Counting(LocalPool):
    """A pool that remembers what it was asked to do."""

    asked: list[Step[Any]] = []  # noqa: RUF012 - one test's

    @contextmanager
    def bench(self, *, is_light: bool) -> Iterator[Bench]:
        with super().bench(is_light=is_light) as bench:
            begin = bench.begin

            def told(place: int, step: Step[Any]) -> None:
                self.asked.append(step)
                begin(place, step)

            bench.begin = told  # type: ignore[method-assign]
            yield bench


@pytest.mark.parametrize("jobs", [1, 2])
def test_blocks_drawn_some_at_a_time_are_the_blocks(city: list[Mesh], jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_step, "FOOTPRINTS_A_STEP", 5)
    layer, nodes = layer_of(COUNT), np.arange(1, COUNT + 1, dtype=np.uint32)
    around, standing = surroundings_of(layer, nodes, FlatGround())
    drawn = drawn_blocks(standing, FlatGround(), "flat", Workshop(LocalPool(jobs), StepStore(None)))
    assert (len(around), len(drawn)) == (0, COUNT)
    assert all(same(one, other) for one, other in zip(drawn, city, strict=True))


@pytest.mark.parametrize("jobs", [1, 2])
def test_squares_lit_some_at_a_time_have_the_light_of_each(city: list[Mesh], jobs: int,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_step, "TRIANGLES_A_STEP", 500)
    squares = squares_of(city)
    lit = lit_squares(squares, SUN, Workshop(LocalPool(jobs), StepStore(None)))
    for (mesh, near), light in zip(squares, lit, strict=True):
        alone = bake(mesh, near.occluders(), SUN)
        np.testing.assert_array_equal(light.ao, alone.ao)
        np.testing.assert_array_equal(light.sun, alone.sun)


def test_only_squares_with_another_neighbourhood_are_lit_again(city: list[Mesh], tmp_path: Path) -> None:
    pool = Counting()
    workshop = Workshop(pool, StepStore(tmp_path))
    first = lit_squares(squares_of(city), SUN, workshop)
    pool.asked.clear()
    again = lit_squares(squares_of(city), SUN, workshop)
    assert not pool.asked, "all stand"
    assert all(np.array_equal(one.ao, other.ao) for one, other in zip(first, again, strict=True))
    raised = [*city[:-1], dataclasses.replace(city[-1], position=city[-1].position * [1, 1, 1.5])]
    lit_squares(squares_of(raised), SUN, workshop)
    lit = [mesh for step in pool.asked if isinstance(step, LightSquares) for mesh, _ in step.squares]
    assert 1 <= len(lit) < COUNT
    assert any(same(mesh, raised[-1]) for mesh in lit)


def test_what_is_wrong_is_raised(city: list[Mesh], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LightSquares, "do", lambda self, here: TwinError("no light", mend="wait for day"))
    with pytest.raises(TwinError, match="no light"):
        lit_squares(squares_of(city), SUN, Workshop(LocalPool(), StepStore(None)))
