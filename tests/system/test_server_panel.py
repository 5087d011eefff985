"""What FastAPI with Panel gets wrong by itself stays mended: tokens, signatures, sessions, component imports."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib

import pytest
from served_park import Browser, Served, closing_of, handshake_status, open_socket, until


def token_of(browser: Browser, path: str) -> str:
    """The Bokeh session token that a page carries."""
    found = re.search(r'"token":\s*"([^"]+)"', browser.http.get(path).text)
    assert found, f"no token in {path}"
    return found.group(1)


def unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_pages_token_carries_no_cookie_and_no_header(served: Served) -> None:
    browser = served.browser()
    secret = browser.http.cookies["parktwin"]
    token = token_of(browser, "/console")
    payload = json.loads(unpacked(token.split(".")[0]))
    inside = json.dumps(payload)
    packed = payload.get("__bk__zlib_")
    inside += zlib.decompress(unpacked(packed)).decode() if packed else ""
    assert payload["session_id"]
    assert secret not in inside
    for name in ("cookies", "headers"):
        more = json.loads(zlib.decompress(unpacked(packed))) if packed else payload
        assert not more.get(name), f"{name} in the token: {more.get(name)}"


def test_sessions_are_gone_when_everyone_has_left(served: Served) -> None:
    browser, pages = served.browser(), served.app.state.pages
    with contextlib.ExitStack() as stack:
        for path in ("/", "/console") * 4:
            token = token_of(browser, path)
            opening = open_socket(served, path.rstrip("/") + "/ws", cookie=browser.cookie, subprotocols=["bokeh", token])
            socket = stack.enter_context(opening)
            assert "ACK" in "".join(str(socket.recv(timeout=10)) for _ in range(3))
        assert pages.session_count >= 8
    until(lambda: pages.session_count == 0, 40, "all page sessions are freed")


@pytest.mark.parametrize("change", [lambda t: t[:-4] + ("AAAA" if t[-4:] != "AAAA" else "BBBB"), lambda t: t.split(".")[0],
                                    lambda t: "nonsense"], ids=["wrong signature", "no signature", "no token"])
def test_a_forged_page_token_is_refused(served: Served, change) -> None:  # type: ignore[no-untyped-def]
    browser = served.browser()
    genuine = token_of(browser, "/console")
    forged = change(genuine)
    assert handshake_status(served, "/console/ws", cookie=browser.cookie, protocols=f"bokeh, {forged}") == 403
    assert handshake_status(served, "/console/ws", cookie=browser.cookie, protocols=f"bokeh, {genuine}") == 101


def test_a_genuine_page_token_without_a_session_is_refused(served: Served) -> None:
    token = token_of(served.browser(), "/console")
    assert token
    assert handshake_status(served, "/console/ws", cookie="parktwin=" + "B" * 43) in (401, 403)


@pytest.mark.parametrize("name", ["os/path.py", "twin/errors.py", "panel.io.fastapi/x.js", "antigravity/x"])
def test_no_address_imports_a_module(served: Served, name: str) -> None:
    assert served.browser().http.get(f"/components/{name}").status_code == 404


def test_signing_out_closes_the_live_socket(served: Served) -> None:
    browser = served.browser()
    with browser.live() as socket:
        socket.recv(timeout=10)
        assert browser.post("/signout").status_code == 303
        assert closing_of(socket, 5)[1] == 4401
    assert handshake_status(served, "/live", cookie=browser.cookie) == 401
