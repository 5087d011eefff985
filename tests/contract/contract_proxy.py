"""A TCP line between a client and a server that a test can cut and mend."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Proxy:
    """Carries bytes from 127.0.0.1:`port` to a server; cut, it drops every connection and refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._is_cut, self._ends, self._lock = False, False, threading.Lock()
        self.asked = 0  # connections somebody tried
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ends = True
        self.cut()
        self._door.close()

    def cut(self) -> None:
        """The line dies, in both directions."""
        with self._lock:
            self._is_cut = True
            ends = list(self._open)
        for end in ends:
            self._close(end)

    def mend(self) -> None:
        """New connections go through again."""
        self._is_cut = False

    def _accept(self) -> None:
        while not self._ends:
            try:
                near, _ = self._door.accept()
            except OSError:  # one that hung up while it waited, or the end
                continue
            self.asked += 1
            try:
                self._join(near)
            except OSError:
                near.close()

    def _join(self, near: socket.socket) -> None:
        """Carried from now on, unless the line is cut or was cut meanwhile."""
        if self._is_cut:
            near.close()
            return
        far = socket.create_connection(self._to)
        with self._lock:
            if self._is_cut:
                near.close()
                far.close()
                return
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _close(self, end: socket.socket) -> None:
        self._open.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
