"""One small park compiled a session; one simulated server for the tests that do not disturb each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from campus_park import SHARED, build_campus
from full_size import FULL, ROWS
from page_park import TEXT, build_page_park
from playwright.sync_api import Browser as Window
from served_park import Served, build_park, serving

from parktwin.bench.rows import print_rows
from scenes.compile import BuildResult
from tools.browser import CHROMIUM, chromium


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled park; serve copies of it."""
    return build_park(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def served(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The simulated park with the demo account."""
    with serving(built, tmp_path_factory.mktemp("served") / "park") as running:
        yield running


@pytest.fixture(scope="session")
def paged_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled park with one whole building and hostile names; serve copies of it."""
    return build_page_park(tmp_path_factory.mktemp("paged"))


@pytest.fixture(scope="session")
def paged(paged_built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """That park, served with the demo account."""
    with serving(paged_built, tmp_path_factory.mktemp("paged-served") / "park", text=TEXT) as running:
        yield running


@pytest.fixture(scope="module")
def calm(paged_built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same park on a server of the module's own: an alarm that other tests left would pulse in its pictures."""
    with serving(paged_built, tmp_path_factory.mktemp("calm") / "park", text=TEXT) as running:
        yield running


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    """Headless Chromium; a module's own, as two drivers cannot live in one thread at a time."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def campus(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The compiled campus."""
    if not (SHARED / "campus").is_dir():
        pytest.skip(f"no real data at {SHARED} (set PARKTWIN_SHARED)")
    return build_campus(tmp_path_factory.mktemp("campus"))


def pytest_terminal_summary() -> None:
    """The faults' figures beside their targets (`make faults`)."""
    if FULL and ROWS:
        print_rows(ROWS, "Faults at full size")
