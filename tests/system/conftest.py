"""One small park compiled a session; one simulated server for the tests that do not disturb each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_park import Served, build_park, serving


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled park; serve copies of it."""
    return build_park(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def served(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The simulated park with the demo account."""
    with serving(built, tmp_path_factory.mktemp("served") / "park") as running:
        yield running
