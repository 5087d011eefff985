"""Waiting for our own server to be ready."""

from __future__ import annotations

import json
import time
import urllib.request


def wait_until_ready(base: str, patience_secs: float = 180.0) -> None:
    """Return once `/readyz` says ready.

    Raises:
        OSError: it did not within the patience.
    """
    deadline = time.monotonic() + patience_secs
    while True:
        try:
            with urllib.request.urlopen(f"{base}/readyz") as answer:  # noqa: S310 — our own loopback server
                if json.load(answer)["status"] == "ready":
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)
