"""Texts as points say them, numbered: the live columns and the history carry the number, one file the words."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAX_CHARS = 256
MAX_TEXTS = 100_000
FILE = "texts.jsonl"


class Texts:
    """Every text said so far, by number; a number never changes its text. Hostile text stays text.

    Numbered in the core's thread; `sync` may be called from another.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._points: set[str] = set()
        self._unwritten: list[str] = []
        self._path: Path | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._texts)

    def open(self, path: Path, points: Iterable[str] = ()) -> Texts:
        """Take what a former run wrote, and write what comes there; `points`: ids of the text points of now."""
        size = 0
        for line in path.read_bytes().splitlines(keepends=True) if path.is_file() else []:
            try:
                said = json.loads(line)
            except ValueError:
                break  # torn by a crash: no reading on disk names it yet
            size += len(line)
            if isinstance(said, str):
                self._codes[said] = len(self._texts)
                self._texts.append(said)
            else:
                self._points.add(said["point"])
        if path.is_file() and size < path.stat().st_size:
            os.truncate(path, size)
        self._path = path
        self._unwritten += [json.dumps({"point": point}, ensure_ascii=False) for point in points if point not in self._points]
        self._points.update(points)
        return self

    @property
    def points(self) -> frozenset[str]:
        """Ids of points that are, or were, texts."""
        return frozenset(self._points)

    def code(self, text: object) -> float:
        """The number of a text; NaN for what is none, is longer than `MAX_CHARS`, or when there are too many."""
        if not isinstance(text, str) or len(text) > MAX_CHARS:
            return float("nan")
        code = self._codes.get(text)
        if code is None:
            if len(self._texts) >= MAX_TEXTS or any("\ud800" <= sign <= "\udfff" for sign in text):
                return float("nan")
            code = self._codes[text] = len(self._texts)
            self._texts.append(text)
            with self._lock:
                self._unwritten.append(json.dumps(text, ensure_ascii=False))
        return float(code)

    def text(self, code: float) -> str | None:
        """The text of a number; None for NaN and for what was never said."""
        return self._texts[int(code)] if np.isfinite(code) and 0 <= code < len(self._texts) else None

    def known(self, codes: NDArray[np.float64]) -> dict[int, str]:
        """Number → text, for those of some numbers that are any."""
        told = {int(code): self.text(float(code)) for code in np.unique(codes[np.isfinite(codes)])}
        return {code: text for code, text in told.items() if text is not None}

    def sync(self) -> None:
        """Write what is new, durably, before a reading on disk names it. Raises OSError; then nothing is forgotten."""
        if self._path is None or not self._unwritten:
            return
        with self._lock:
            count = len(self._unwritten)
            data = "".join(f"{line}\n" for line in self._unwritten).encode()
        size = self._path.stat().st_size if self._path.is_file() else 0
        try:
            with self._path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fdatasync(file.fileno())
        except OSError:
            if self._path.is_file():
                os.truncate(self._path, size)
            raise
        with self._lock:
            del self._unwritten[:count]
