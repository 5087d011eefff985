"""What hangs together is found as SciPy's graph library finds it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from twin.components import components


@pytest.mark.parametrize(("count", "pairs"), [(1, 0), (5, 0), (40, 12), (300, 240), (300, 900), (2000, 1990)])
def test_components_are_those_of_scipy(count: int, pairs: int) -> None:
    chance = np.random.default_rng(count + pairs)
    joined = chance.integers(0, count, (pairs, 2))
    matrix = coo_matrix((np.ones(pairs), (joined[:, 0], joined[:, 1])), shape=(count, count))
    named = connected_components(matrix, directed=False)[1]
    lowest = np.array([np.flatnonzero(named == part)[0] for part in named])
    assert components(count, joined).tolist() == lowest.tolist()


def test_a_long_chain_in_any_order_is_one_part() -> None:
    order = np.random.default_rng(3).permutation(5000)
    assert not components(5000, np.stack([order[:-1], order[1:]], axis=1)).any()
