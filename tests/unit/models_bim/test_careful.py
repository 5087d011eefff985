"""One thing that ends a kernel, or holds it up, costs itself alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ifc_maker import Maker

from models_bim.careful import ITEMS_A_SHARE, carefully
from models_bim.worker import read_discipline

MANY = list(range(3 * ITEMS_A_SHARE))
DIES, HANGS, FULL = 5, ITEMS_A_SHARE + 7, 2 * ITEMS_A_SHARE


def _work(share: Sequence[int]) -> Iterator[int]:
    for item in share:
        if item == DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == HANGS:
            time.sleep(60)
        if item == FULL:
            raise MemoryError
        yield item


def test_all_but_what_dies_hangs_or_is_too_large_is_found_in_its_order() -> None:
    lost: list[int] = []
    assert list(carefully(MANY, _work, lost, secs=120, one_secs=1.0)) == [k for k in MANY if k not in (DIES, HANGS, FULL)]
    assert lost == [DIES, HANGS, FULL]


def test_what_is_left_when_time_is_up_is_told() -> None:
    lost: list[int] = []
    assert list(carefully(MANY, _work, lost, secs=0.0)) == []
    assert lost == MANY


def test_a_model_drawn_with_care_is_the_same(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k in range(3):
        maker.box("IfcWall", (k, 0, 0), (0.5 + k, 0.2, 3), storey)
    path = maker.write(tmp_path / "a.ifc")
    plain, careful = read_discipline(path), read_discipline(path, careful_secs=60)
    assert plain.boxes.keys() == careful.boxes.keys()
    assert len(plain.boxes) == 3
    assert all(np.array_equal(plain.boxes[step], careful.boxes[step]) for step in plain.boxes)
