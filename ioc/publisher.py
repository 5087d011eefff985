"""A build in a process of its own, with its progress; what it prints is read a JSON line each (`scenes.build_lines`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Publisher:
    """One build at a time.

    Args:
        root: the park folder. on_built: called with the build once it stands and its end is noted.
    """

    def __init__(self, root: Path, on_built: Callable[[str], None]) -> None:
        self._root, self._on_built = root, on_built
        self._state: dict[str, Any] = {"state": "idle"}
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a build is under way."""
        return self._thread is not None and self._thread.is_alive()

    def state(self) -> dict[str, Any]:
        """`{state: idle | building | built | failed, stage, done, total, error, mend, build}`."""
        return dict(self._state)

    def start(self, ended: Callable[[bool], None]) -> None:
        """Build; `ended` hears whether it stands before anybody else does."""
        self._state = {"state": "building", "stage": "buildings", "done": 0, "total": 1}
        self._thread = threading.Thread(target=self._run, args=(ended,), name="publish", daemon=True)
        self._thread.start()

    def tell_failed(self, error: str, mend: str) -> None:
        """A build that stood could not be served."""
        self._state = {"state": "failed", "error": error, "mend": mend}

    def _run(self, ended: Callable[[bool], None]) -> None:
        last: dict[str, Any] = {}
        try:
            path = os.pathsep.join(p for p in sys.path if p)
            with subprocess.Popen([sys.executable, "-m", "scenes.build_lines", str(self._root)], stdout=subprocess.PIPE,
                                  env={**os.environ, "PYTHONPATH": path}, text=True) as build:
                assert build.stdout is not None
                for line in build.stdout:
                    last = self._hear(line) or last
            is_built = build.returncode == 0 and "build" in last
        except OSError as error:
            is_built, last = False, {"error": f"the build could not be started ({error})", "mend": "look at the server's log"}
        ended(is_built)
        if is_built:
            self._state = {"state": "built", **last}
            self._on_built(str(last["build"]))
        else:
            unknown = {"error": "the build ended without a result", "mend": "look at the server's log"}
            self._state = {"state": "failed", **(last if "error" in last else unknown)}

    def _hear(self, line: str) -> dict[str, Any] | None:
        """Progress is kept for whoever asks; the end is answered. Anything else a library prints is passed over."""
        try:
            told = json.loads(line)
        except ValueError:
            return None
        if not isinstance(told, dict):
            return None
        if "stage" in told:
            self._state = {"state": "building", **told}
            return None
        return told
