"""Serves a compiled park to the scene alone: `python assets/viewer/dev/serve.py <park>/build [port]`, then open the printed address.

Rooms and tree come from the node table; devices, tracks and values are made up here, because this is a drawing board, not the product.
"""

from __future__ import annotations

import json
import math
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from ioc.http.columns import node_columns, room_columns

VIEWER = Path(__file__).resolve().parents[1]
KINDS = [("ahu", "fan", "空调机组"), ("cam", "camera", "摄像机"), ("door", "door", "门禁"), ("meter", "meter", "电表"), ("smoke", "smoke", "烟感")]


def _number(value: Any) -> float | None:
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else float(value)


def read_tree(build: Path) -> list[dict[str, Any]]:
    """Nodes from park to space as `GET /tree` would give them; from the manifest alone when there is no node table yet."""
    table = build / "nodes.parquet"
    if not table.exists():
        return []
    import pyarrow.parquet as pq
    rows = pq.read_table(table).to_pylist()
    box = ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")
    return [{"i": r["index"], "id": r["id"], "kind": r["kind"], "parent": r["parent"], "name": r["name"], "name_zh": r["name_zh"],
             "anchor": [_number(r[f"anchor_{k}"]) or 0.0 for k in "xyz"], "bbox": [_number(r[k]) or 0.0 for k in box],
             "z": _number(r["elevation"]), "h": _number(r["height"]), "area": _number(r["area"]), "tile": r["tile"]}
            for r in rows if r["kind"] in ("park", "zone", "building", "storey", "space")]


def as_table(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Rows of the tree as arrays, a field each."""
    texts = {field: np.array([row[field] or "" for row in rows], object) for field in ("id", "kind", "name", "name_zh", "tile")}
    numbers = {field: np.array([row[field] for row in rows], float) for field in ("anchor", "bbox", "z", "h", "area")}
    return {**texts, **numbers, **{field: np.array([row[field] for row in rows], int) for field in ("i", "parent")}}


def read_spaces(build: Path, tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Room outlines in the park frame."""
    table = build / "spaces.parquet"
    if not table.exists():
        return []
    import geopandas
    origin = json.loads((build / "manifest.json").read_text("utf-8"))["origin"]
    parent = {n["i"]: n["parent"] for n in tree}
    return [{"i": int(r.node), "parent": parent.get(int(r.node), 0), "z0": r.z0 or 0.0, "z1": r.z1 or 0.0,
             "ring": [[x - origin[0], y - origin[1]] for x, y, *_ in r.geometry.exterior.coords[:-1]]}
            for r in geopandas.read_parquet(table).itertuples() if r.geometry is not None]


def make_devices(tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A made-up device in every second room."""
    out: list[dict[str, Any]] = []
    for n in tree:
        if n["kind"] == "space" and n["i"] % 2:
            kind, _, name = KINDS[n["i"] % len(KINDS)]
            x, y, _ = n["anchor"]
            out.append({"i": 0, "id": f"{kind}-{n['i']}", "kind": kind, "name": f"{kind} {n['i']}", "name_zh": f"{name} {n['i']}",
                        "parent": n["i"], "pos": [x, y, n["bbox"][2] + 1.2], "slot": len(out) * 2})
    return out


def world_of(build: Path) -> dict[str, Any]:
    """Everything the harness page needs, in one answer; a `world.json` in the folder wins."""
    if (build / "world.json").exists():
        return json.loads((build / "world.json").read_text("utf-8"))
    manifest = json.loads((build / "manifest.json").read_text("utf-8"))
    tree = read_tree(build)
    park = {**manifest, "tileset": "/build/" + manifest["tileset"], "buildings": manifest.get("buildings", [])}
    kinds = [{"id": k, "pack": "dev", "name": k, "name_zh": n, "symbol": s, "commands": [], "points": [
        {"key": "status", "name": "s", "name_zh": "s", "unit": "", "type": "state", "states": ["off", "run"], "low": None, "high": None, "set": False},
        {"key": "v", "name": "v", "name_zh": "v", "unit": "°C", "type": "number", "states": [], "low": None, "high": None, "set": False}]}
        for k, s, n in KINDS]
    return {"park": park, "tree": tree, "spaces": read_spaces(build, tree), "kinds": kinds, "devices": make_devices(tree),
            "tracks": [{"i": 0, "id": f"P{k}", "kind": "person" if k % 3 else "vehicle", "name": f"P{k}", "name_zh": f"P{k}", "role": ""} for k in range(12)]}


class Handler(SimpleHTTPRequestHandler):
    """/ is the page, /dist the bundle, /build the compiled park, /world.json what the page reads first."""

    def __init__(self, *args: Any, build: Path, **kwargs: Any) -> None:
        self.build = build
        super().__init__(*args, directory=str(VIEWER), **kwargs)

    def translate_path(self, path: str) -> str:
        clean = path.split("?")[0]
        if clean.startswith("/build/"):
            found = (self.build / clean[len("/build/"):]).resolve()
            return str(found if found.is_relative_to(self.build.resolve()) else self.build / "absent")
        return super().translate_path("/dev/index.html" if clean == "/" else clean)

    def do_GET(self) -> None:
        if self.path.split("?")[0] != "/world.json":
            super().do_GET()
            return
        world = world_of(self.build)
        body = json.dumps({**world, "tree": node_columns(as_table(world["tree"])), "spaces": room_columns(world["spaces"])}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


def serve(build: Path, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet running; port 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, build=build))


if __name__ == "__main__":
    server = serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7300)
    print(f"http://127.0.0.1:{server.server_address[1]}/")
    server.serve_forever()
