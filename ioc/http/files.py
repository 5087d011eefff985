"""Tiles and the viewer's own files: precompressed where the browser takes it, never from outside their folder."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

import assets
from ioc.pages.view import DIST
from ioc.services import Services

STATIC = Path(assets.__file__).parent / "static"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
#: Files up to this size are read and sent as one piece, which takes a third of the CPU of sending them bit by bit.
WHOLE_BYTES = 2**18
TYPES = {".glb": "model/gltf-binary", ".woff2": "font/woff2", ".js": "text/javascript", ".json": "application/json"}


def find(root: Path, name: str) -> Path | None:
    """The file of a relative name inside `root`; None when there is none, or it leads outside."""
    if "\0" in name or "\\" in name:
        return None
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None


def answer(path: Path, request: Request, cache: str) -> Response:
    """The file, as its best precompressed sibling, with an ETag."""
    accepts = request.headers.get("accept-encoding", "")
    chosen, encoding = path, ""
    for name, suffix in ENCODINGS:
        sibling = path.with_name(path.name + suffix)
        if name in accepts and sibling.is_file():
            chosen, encoding = sibling, name
            break
    stat = chosen.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {"etag": etag, "cache-control": cache, "vary": "accept-encoding"}
    if encoding:
        headers["content-encoding"] = encoding
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if stat.st_size <= WHOLE_BYTES:
        return Response(chosen.read_bytes(), media_type=kind, headers=headers)
    return FileResponse(chosen, media_type=kind, headers=headers)


def router(services: Services) -> APIRouter:
    """`/tiles/**` of the compiled park and `/assets/**` of the viewer."""
    routes = APIRouter(include_in_schema=False)
    tiles_root = services.build_dir / "tiles"

    @routes.get("/tiles/{name:path}")
    def tiles(name: str, request: Request) -> Response:
        path = find(tiles_root, name)
        if path is None:
            raise HTTPException(404, "no such tile")
        return answer(path, request, "private, no-cache")

    @routes.get("/favicon.ico")
    def icon(request: Request) -> Response:
        return answer(STATIC / "icon.svg", request, "private, no-cache")

    @routes.get("/assets/{name:path}")
    def own(name: str, request: Request) -> Response:
        path = find(DIST, name) or find(STATIC, name)
        if path is None:
            raise HTTPException(404, "no such file")
        is_named_by_content = "v" in request.query_params or name.startswith(("fonts/", "chunks/"))
        return answer(path, request, "private, max-age=31536000, immutable" if is_named_by_content else "private, no-cache")

    return routes
