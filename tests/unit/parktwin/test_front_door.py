"""`server.py` run by hand is the same door as `parktwin serve`."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import server

ROOT = Path(__file__).resolve().parents[3]


def test_server_py_says_what_to_run_where_there_is_no_park(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "server.py", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "parktwin new" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_process_serves_the_pages_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Page sessions live in one process: a second one would not know them."""
    asked: dict[str, object] = {}
    spec = SimpleNamespace(name="P", state_dir=tmp_path)
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    monkeypatch.setattr(server, "load_park", lambda *_, **__: spec)
    services = SimpleNamespace(spec=spec, accounts=SimpleNamespace(setup_token=""), edits=SimpleNamespace())
    monkeypatch.setattr(server, "open_services", lambda *_: services)
    monkeypatch.setattr(server, "secret_of", lambda _: b"secret")
    monkeypatch.setattr(server, "create_app", lambda *_, **__: (None, None))

    def config(app: object, **options: object) -> object:
        asked.update(options)
        return SimpleNamespace(bind_socket=lambda: door)

    monkeypatch.setattr(server.uvicorn, "Config", config)
    ran = SimpleNamespace(run=lambda sockets: [s.close() for s in sockets], started=True)
    monkeypatch.setattr(server.uvicorn, "Server", lambda _: ran)
    with socket.socket() as door:
        server.serve(tmp_path, server.ServeOptions(), lambda _: None)
    assert asked["workers"] == 1
