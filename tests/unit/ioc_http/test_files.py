"""Files go out whole or bit by bit, byte for byte, in the form that the browser takes."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from ioc.http.files import WHOLE_BYTES, answer, find

Get = Callable[..., httpx.Response]


@pytest.fixture
def get(tmp_path: Path) -> Get:
    app = FastAPI()

    @app.get("/{name}")
    def file(name: str, request: Request) -> Response:
        path = find(tmp_path, name)
        assert path is not None
        return answer(path, request, "private, no-cache")

    async def ask(name: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://park") as browser:
            return await browser.get(name, headers={key.replace("_", "-"): value for key, value in headers.items()})

    return lambda name, **headers: asyncio.run(ask(name, **headers))


@pytest.mark.parametrize("size", [0, 1, WHOLE_BYTES, WHOLE_BYTES + 1, 3 * WHOLE_BYTES])
def test_every_size_arrives_as_it_lies_there(tmp_path: Path, get: Get, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"\x07" * (size % 256)
    (tmp_path / "some.glb").write_bytes(content)
    told = get("/some.glb")
    assert told.content == content
    assert told.headers["content-length"] == str(size)
    assert told.headers["content-type"] == "model/gltf-binary"
    again = get("/some.glb", if_none_match=told.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_a_rewritten_file_is_sent_anew(tmp_path: Path, get: Get) -> None:
    (tmp_path / "some.json").write_bytes(b"[1]")
    told = get("/some.json")
    (tmp_path / "some.json").write_bytes(b"[1, 2]")
    again = get("/some.json", if_none_match=told.headers["etag"])
    assert (again.status_code, again.content) == (200, b"[1, 2]")


def test_the_packed_form_goes_to_those_who_take_it(tmp_path: Path, get: Get) -> None:
    (tmp_path / "some.js").write_bytes(b"plain")
    (tmp_path / "some.js.gz").write_bytes(gzip.compress(b"plain"))
    packed = get("/some.js", accept_encoding="gzip")
    assert (packed.headers["content-encoding"], packed.content) == ("gzip", b"plain")
    plain = get("/some.js", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.content == b"plain"
