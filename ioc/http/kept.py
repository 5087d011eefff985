"""Large answers that change only with a build: made and compressed once, then sent as bytes."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable, Collection

import msgspec
from fastapi import Request, Response


class Kept:
    """Answers by name, made before anyone asks.

    Args:
        make: what each answer says, as plain values; called once.
        seldom: those of them that are made when the first asks, who waits.
    """

    def __init__(self, make: dict[str, Callable[[], object]], seldom: Collection[str] = ()) -> None:
        self._make = make
        self._held: dict[str, tuple[bytes, bytes, str]] = {}
        self._lock = threading.Lock()
        for name in make:
            if name not in seldom:
                self.held(name)

    def held(self, name: str) -> tuple[bytes, bytes, str]:
        """JSON, the same gzipped, and an ETag."""
        if (found := self._held.get(name)) is not None:  # nobody who asks for what is there waits for what is being made
            return found
        with self._lock:
            if name not in self._held:
                plain = msgspec.json.encode(self._make[name]())
                self._held[name] = plain, gzip.compress(plain, 6, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"'
            return self._held[name]

    def answer(self, name: str, request: Request) -> Response:
        """The answer, gzipped where the browser takes it; 304 when it has this one."""
        plain, packed, etag = self.held(name)
        headers = {"etag": etag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type="application/json", headers={**headers, "content-encoding": "gzip"})
        return Response(plain, media_type="application/json", headers=headers)
