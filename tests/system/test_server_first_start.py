"""The first start of a real park: one set-up token, one admin; and what wrong passwords lead to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served_park import Served, serving


@pytest.fixture
def fresh(built: Path, tmp_path: Path) -> Iterator[Served]:
    """A park that nobody has set up, without a demo account."""
    with serving(built, tmp_path / "park", demo=False) as running:
        yield running


def test_the_set_up_token_makes_the_admin_once(fresh: Served) -> None:
    token, url = fresh.services.accounts.setup_token, fresh.origin
    assert token
    assert httpx.get(url + "/signin").headers["location"] == "/setup"
    assert httpx.post(url + "/demo").status_code == 404, "there is no demo account here"
    admin = {"user": "chief", "password": "river-crane-42-lantern"}
    assert httpx.post(url + "/setup", data={"token": "guess", **admin}).status_code == 403
    assert httpx.post(url + "/setup", data={"token": token, "user": "chief", "password": "short"}).status_code == 403
    assert httpx.post(url + "/setup", data={"token": token, **admin}).status_code == 303
    again = {"user": "second", "password": admin["password"]}
    assert httpx.post(url + "/setup", data={"token": token, **again}).status_code == 403
    assert fresh.services.accounts.all() == [("chief", "admin")]
    browser = fresh.browser("chief", admin["password"])
    assert browser.http.get("/api/v1/me").json()["role"] == "admin"


def test_five_wrong_passwords_lock_even_the_right_one_out(served: Served) -> None:
    served.services.accounts.add("locksmith", "viewer", "river-crane-42-lantern")
    tries = [httpx.post(served.origin + "/signin", data={"user": "locksmith", "password": f"wrong {k}"}).status_code
             for k in range(6)]
    assert tries == [403] * 5 + [429]
    right = {"user": "locksmith", "password": "river-crane-42-lantern"}
    assert httpx.post(served.origin + "/signin", data=right).status_code == 429
    assert httpx.post(served.origin + "/demo").status_code == 303, "others still come in"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(served: Served, target: str) -> None:
    assert httpx.post(served.origin + "/demo", data={"next": target}).headers["location"] == "/"
