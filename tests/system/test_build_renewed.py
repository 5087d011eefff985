"""A build that was published and cannot be opened: the former one goes on being served, and everybody is told why."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import httpx
import pytest
import uvicorn
from served_park import free_port, until

import server
from ioc.services import Services
from server import ServeOptions
from twin.parkfile import load_park

ZONE = {"what": "zone", "id": "north", "name": "North", "ring": [[0, 0], [90, 0], [90, 90]]}


class Person:
    """A planner at a page: what the routes of the editor answer."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.http.post("/demo")
        self.token = {"x-csrf-token": self.http.get("/api/v1/me").json()["csrf"]}

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def edits(self) -> dict:
        return self.http.get("/api/v1/edits").json()

    def zone(self) -> None:
        version = self.edits()["version"]
        assert self.http.post("/api/v1/edits", json={"version": version, "edit": ZONE}, headers=self.token).status_code == 200

    def publish(self) -> dict:
        """How a publication ended; a server that changes builds is waited for."""
        assert self.http.post("/api/v1/edits/publish", headers=self.token).status_code == 202
        ends: list[dict] = []

        def has_ended() -> bool:
            try:
                answer = self.http.get("/api/v1/edits/publish")
            except httpx.HTTPError:
                return False
            ends.append(answer.json() if answer.status_code == 200 else {"state": "building"})
            return ends[-1]["state"] in ("failed", "idle")  # a build that is served starts idle
        until(has_ended, 120, "the publication ends")
        return ends[-1]


def spoil_nodes(root: Path) -> None:
    """The table of nodes is cut short, as by a disk that filled up."""
    table = root / "build" / "nodes.parquet"
    table.write_bytes(table.read_bytes()[:400])


def test_a_build_that_cannot_be_opened_leaves_the_former_one_served(
        built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, port, told = shutil.copytree(built, tmp_path / "park"), free_port(), list[str]()
    opened, made = list[uvicorn.Server](), uvicorn.Server
    real, openings = server.open_services, list[str]()

    def open_after_damage(spec: server.ParkSpec, options: ServeOptions) -> Services:
        openings.append(str(spec.root))
        if len(openings) == 2:  # the new build, before the server opens it
            spoil_nodes(root)
        return real(spec, options)

    def kept(config: uvicorn.Config) -> uvicorn.Server:
        opened.append(made(config))
        return opened[-1]

    monkeypatch.setattr(server, "open_services", open_after_damage)
    monkeypatch.setattr(server.uvicorn, "Server", kept)
    thread = threading.Thread(target=server.serve, args=(root, ServeOptions(port=port, demo=True), told.append))
    thread.start()
    try:
        until(lambda: opened and opened[-1].started, 30, "the server starts")
        before = (root / "build" / "manifest.json").read_text()
        with Person(port) as ann:
            ann.zone()
            end, now = ann.publish(), ann.edits()
            assert end["state"] == "failed"
            assert "damaged" in end["error"]
            assert "publish again" in end["mend"]
            assert len([line for line in told if end["error"] in line and end["mend"] in line]) == 1, "the log says the same"
            assert (root / "build" / "manifest.json").read_text() == before
            assert ann.http.get("/api/v1/tree").status_code == 200
            assert [o["key"] for o in now["overrides"]] == ["zone:north"], "the draft stays"
            assert now["is_dirty"], "and is not taken for published"
            assert not (root / "overrides.toml").exists()
            assert now["journal"][0]["do"] == "take back"
            assert ann.publish()["state"] == "idle", "published again it is served"
            assert not ann.edits()["is_dirty"]
            assert (root / "build" / "manifest.json").read_text() != before
            assert not (root / "build.old").exists()
    finally:
        opened[-1].should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def test_a_damaged_build_is_told_with_its_mend(built: Path, tmp_path: Path) -> None:
    root = shutil.copytree(built, tmp_path / "park")
    spoil_nodes(root)
    with pytest.raises(server.DamagedBuildError, match=r"parktwin build .* --force"):
        server.open_services(load_park(root), ServeOptions())
