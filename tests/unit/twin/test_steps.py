"""What went in names the result; whatever is wrong with the store costs time and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twin.steps import StepStore, key_of, user_steps


def test_a_result_is_made_once_for_one_key(tmp_path: Path) -> None:
    store, made = StepStore(tmp_path), []
    for key in ("a", "b", "a", "a"):
        assert store.recall(key_of(key), lambda key=key: made.append(key) or {"of": key}) == {"of": key}
    assert made == ["a", "b"]
    assert StepStore(tmp_path).recall(key_of("a"), lambda: {"of": "nobody"}) == {"of": "a"}, "also after a restart"


def test_a_damaged_entry_is_made_again(tmp_path: Path) -> None:
    store, key = StepStore(tmp_path), key_of("a")
    store.recall(key, lambda: 1)
    (tmp_path / key[:2] / key).write_bytes(b"\x80\x05 half a pickle")
    assert store.recall(key, lambda: 2) == 2
    assert store.recall(key, lambda: 3) == 2, "and kept"


def test_an_error_is_told_every_time(tmp_path: Path) -> None:
    def fail() -> int:
        raise ValueError("unreadable")

    for _ in range(2):
        with pytest.raises(ValueError, match="unreadable"):
            StepStore(tmp_path).recall(key_of("a"), fail)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_folder_that_cannot_be_written_keeps_nothing_and_says_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert [StepStore(blocked).recall(key_of("a"), lambda k=k: k) for k in (1, 2)] == [1, 2]


def test_the_least_used_goes_first(tmp_path: Path) -> None:
    store = StepStore(tmp_path)
    for k in "abc":
        store.recall(key_of(k), lambda: b"x" * 1000)
    for path, age in zip((tmp_path / key_of(k)[:2] / key_of(k) for k in "abc"), (30, 10, 20), strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    store.trim(2100)
    left = {k for k in "abc" if (tmp_path / key_of(k)[:2] / key_of(k)).exists()}
    assert left == {"b", "c"}


def test_a_store_that_others_may_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_steps().folder == tmp_path / "parktwin" / "steps"
    (tmp_path / "parktwin" / "steps").chmod(0o777)
    assert user_steps().folder is None


def test_parts_do_not_run_into_each_other() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")
