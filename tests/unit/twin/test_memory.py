"""What was needed for a moment goes back to the system."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from twin.memory import settle, uncollected

_TREE = Path(__file__).resolve().parents[3]
RUN = """
import resource
from pathlib import Path
from twin.memory import give_back, give_back_large

def held_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

give_back_large()
import pyarrow
before = held_mb()
crumbs = [bytes(700) for _ in range(150_000)]
keeps = crumbs[::1000]
full = held_mb()
del crumbs
give_back()
print(before, full, held_mb())
"""


def test_crumbs_go_back_too() -> None:
    ran = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True, cwd=_TREE)
    before, full, after = map(float, ran.stdout.split())
    assert full - before > 100, "a hundred megabytes were held"
    assert after - before < 20, "and almost all of it went back, though a crumb in a thousand is still in use"


class Round:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_nothing_is_searched_while_much_is_made_and_again_after_however_it_ended() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled(), "the inner one leaves the outer one's as it is"
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_what_stays_is_searched_no_longer_and_what_was_let_go_of_since_goes() -> None:
    try:
        made = Round()
        seen = weakref.ref(made)
        settle()
        assert gc.get_freeze_count() > 0
        del made
        gc.collect()
        assert seen() is not None, "it stays out of the search"
        settle()
        assert seen() is None, "until the next park is opened"
    finally:
        gc.unfreeze()
