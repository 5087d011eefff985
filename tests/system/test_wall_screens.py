"""The wall's screens sign in by a link: it reads, it commands nothing, an admin revokes it, a restart does not end it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served_park import Browser, Served, closing_of, handshake_status, open_socket, serving

from twin.errors import AccessDenied

PASSWORD = "a long password 1"


@pytest.fixture(scope="module")
def parked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(built, tmp_path_factory.mktemp("screens") / "park") as running:
        for name, role in (("root", "admin"), ("op", "operator")):
            running.services.accounts.add(name, role, PASSWORD)
        yield running


def link_of(admin: Browser, name: str = "Hall") -> tuple[dict, str]:
    made = admin.post("/api/v1/wall/screens", {"name": name})
    assert made.status_code == 200, made.text
    return made.json()["screen"], made.json()["path"].partition("#")[2]


def come_in(served: Served, secret: str) -> httpx.Client:
    screen = httpx.Client(base_url=served.origin, timeout=20)
    served.clients.append(screen)
    screen.come_in = screen.post("/screen", data={"secret": secret})  # type: ignore[attr-defined]
    return screen


def test_a_screen_reads_the_wall_and_nothing_else_and_orders_nothing(parked: Served) -> None:
    admin = parked.browser("root", PASSWORD)
    _, secret = link_of(admin)
    screen = come_in(parked, secret)
    assert screen.come_in.status_code == 204
    me = screen.get("/api/v1/me").json()
    assert me["role"] == "viewer"
    assert screen.get("/api/v1/wall").json()["stops"]
    assert screen.get("/wall").status_code == 200
    token = {"x-csrf-token": me["csrf"]}
    for path, body in (("/api/v1/wall/drive", {"verb": "next"}), ("/api/v1/commands", {}), ("/api/v1/incidents", {}),
                       ("/api/v1/alarms/1/acknowledge", {}), ("/api/v1/wall/screens", {"name": "mine"})):
        refused = screen.post(path, json=body, headers=token)
        assert (refused.status_code, "only reads" in refused.text) == (403, True), path
    for page in ("/", "/console", "/replay", "/planner", "/docs", "/api/v1/wall/screens", "/api/v1/tracks/p-1/trajectory"):
        assert screen.get(page).status_code == 403, page
    cookie = f"parktwin={screen.cookies['parktwin']}"
    assert handshake_status(parked, "/live", cookie=cookie) == 101
    assert handshake_status(parked, "/live/replay", cookie=cookie) == 403


def test_a_revoked_link_ends_its_screens_at_once_and_opens_no_more(parked: Served) -> None:
    admin = parked.browser("root", PASSWORD)
    made, secret = link_of(admin, "Lobby")
    screen = come_in(parked, secret)
    with open_socket(parked, "/live", cookie=f"parktwin={screen.cookies['parktwin']}") as line:
        line.recv(timeout=10)
        gone = admin.http.delete(f"/api/v1/wall/screens/{made['id']}", headers={"x-csrf-token": admin.csrf})
        assert gone.json()["screen"]["revoked_ms"]
        assert closing_of(line, 10)[1] == 4401
    assert screen.get("/api/v1/wall").status_code == 401
    assert come_in(parked, secret).come_in.status_code == 403
    listed = {s["id"]: s for s in admin.http.get("/api/v1/wall/screens").json()["screens"]}
    assert listed[made["id"]]["revoked_ms"]
    assert listed[made["id"]]["opened_ms"]
    assert "secret" not in listed[made["id"]]
    trail = [entry["what"] for entry in admin.http.get("/api/v1/trail").json() if entry["subject"] == f"screen:{made['id']}"]
    assert trail == ["screen.revoked", "sign-in", "screen.made"]


def test_only_an_admin_makes_lists_and_revokes_and_nobody_guesses(parked: Served) -> None:
    operator = parked.browser("op", PASSWORD)
    assert operator.post("/api/v1/wall/screens", {"name": "x"}).status_code == 403
    assert operator.http.get("/api/v1/wall/screens").status_code == 403
    assert operator.http.delete("/api/v1/wall/screens/0", headers={"x-csrf-token": operator.csrf}).status_code == 403
    for secret in ("", "guess", "x" * 43):
        assert come_in(parked, secret).come_in.status_code in (403, 422)
    admin = parked.browser("root", PASSWORD)
    assert admin.http.delete("/api/v1/wall/screens/0", headers={"x-csrf-token": admin.csrf}).status_code == 403
    with pytest.raises(AccessDenied):
        parked.services.accounts.add("screen:abc", "admin", PASSWORD)


def test_a_screen_stays_signed_in_over_a_restart_and_the_link_opens_again(built: Path, tmp_path: Path) -> None:
    at = tmp_path / "park"
    with serving(built, at) as served:
        served.services.accounts.add("root", "admin", PASSWORD)
        _, secret = link_of(served.browser("root", PASSWORD))
        kept = dict(come_in(served, secret).cookies)
    with serving(built, at) as served:
        again = httpx.Client(base_url=served.origin, cookies=kept, timeout=20)
        served.clients.append(again)
        assert again.get("/api/v1/wall").status_code == 200
        assert come_in(served, secret).come_in.status_code == 204
