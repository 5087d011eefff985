"""Nothing answers without a session but the short list; changes need the token and their own Origin."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from served_park import Served, handshake_status
from starlette.routing import BaseRoute, Mount

from ioc.access.guard import OPEN_PATHS

FORGED = "parktwin=" + "A" * 43


def paths(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route there is, placeholders filled; WS for sockets; a mount stands for what is under it."""
    for route in routes:
        path = prefix + re.sub(r"{[^}]*}", "x", getattr(route, "path", ""))
        if hasattr(route, "original_router"):  # FastAPI keeps an included router as one entry
            yield from paths(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            yield "GET", path + "/x"
        elif getattr(route, "methods", None):
            yield from ((method, path) for method in sorted(route.methods))
        else:
            yield "WS", path


def all_paths(app: FastAPI) -> list[tuple[str, str]]:
    found = set(paths(app.router.routes)) | {("WS", "/live"), ("WS", "/ws"), ("WS", "/console/ws"), ("GET", "/no/such/path")}
    return sorted((method, path) for method, path in found if path not in OPEN_PATHS)


@pytest.mark.parametrize("cookie", ["", FORGED, "parktwin=../../x; parktwin=1"], ids=["none", "forged", "broken"])
def test_no_route_answers_without_a_session(served: Served, cookie: str) -> None:
    found = all_paths(served.app)
    assert len(found) > 30
    assert {("GET", "/api/v1/tree"), ("POST", "/api/v1/commands"), ("GET", "/"), ("GET", "/openapi.json")} <= set(found)
    answered = []
    with httpx.Client(base_url=served.origin, headers={"cookie": cookie} if cookie else {}) as http:
        for method, path in found:
            if method == "WS":
                status = handshake_status(served, path, cookie=cookie)
            else:
                status = http.request(method, path).status_code
            if status not in (401, 403):
                answered.append((method, path, status))
    assert answered == []


def test_a_page_asked_without_a_session_leads_to_the_sign_in(served: Served) -> None:
    answer = httpx.get(served.origin + "/console", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1.evil.example:{port}", "http://127.0.0.1:1",
                                    "null", "http://127.0.0.1:{port}@evil.example"])
@pytest.mark.parametrize("path", ["/live", "/ws", "/console/ws"])
def test_a_socket_from_another_site_is_refused(served: Served, origin: str, path: str) -> None:
    browser = served.browser()
    assert handshake_status(served, path, cookie=browser.cookie, origin=origin.format(port=served.port)) == 403
    assert handshake_status(served, "/live", cookie=browser.cookie) == 101, "its own Origin is let in"


def test_a_change_needs_the_token_and_its_own_origin(served: Served) -> None:
    browser = served.browser()
    order = {"device": "AHU-1", "key": "nonsense", "idempotency_key": "guard-test-1"}
    assert browser.http.post("/api/v1/commands", json=order).status_code == 403
    assert browser.http.post("/api/v1/commands", json=order, headers={"x-csrf-token": "wrong"}).status_code == 403
    foreign = {"x-csrf-token": browser.csrf, "origin": "http://evil.example"}
    assert browser.http.post("/api/v1/commands", json=order, headers=foreign).status_code == 403
    assert browser.post("/api/v1/commands", order).status_code == 422, "with both it is heard (and found wrong)"


def test_a_foreign_origin_cannot_sign_anybody_in(served: Served) -> None:
    answer = httpx.post(served.origin + "/demo", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_server_is_not_reached_under_another_name(served: Served) -> None:
    assert httpx.get(served.origin + "/livez", headers={"host": "rebound.example"}).status_code == 403


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(served: Served) -> None:
    cookie = httpx.post(served.origin + "/demo").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize("name", ["..%2f..%2fpark.toml", "%2e%2e/%2e%2e/park.toml", "..%5c..%5cpark.toml", "a%00.glb",
                                  "..%2f..%2fstate%2fsecret.key", "%2fetc%2fpasswd"])
@pytest.mark.parametrize("root", ["/tiles/", "/assets/"])
def test_files_outside_their_folder_are_not_found(served: Served, root: str, name: str) -> None:
    assert served.browser().http.get(root + name).status_code in (400, 404)


def test_tiles_are_found(served: Served) -> None:
    answer = served.browser().http.get("/tiles/tileset.json")
    assert answer.json()["asset"]["version"] == "1.1"
    assert "no-cache" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/", "/signin", "/livez", "/api/v1/tree", "/no-such", "/tiles/nothing.glb", "/docs"])
def test_every_answer_carries_the_policy(served: Served, path: str) -> None:
    for headers in (served.browser().http.get(path).headers, httpx.get(served.origin + path).headers):
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_probes_are_open_and_docs_name_no_outside_host(served: Served) -> None:
    assert httpx.get(served.origin + "/livez").json() == {"status": "live"}
    assert httpx.get(served.origin + "/readyz").json()["status"] == "ready"
    http = served.browser().http
    for path in ("/docs", "/openapi.json", "/", "/console", "/signin"):
        answer = http.get(path)
        assert answer.status_code == 200, path
        hosts = set(re.findall(r"(?:src|href)=[\"']?(?:https?:)?//([^/\"'\s>]+)", answer.text))
        assert hosts <= {f"127.0.0.1:{served.port}"}, path
