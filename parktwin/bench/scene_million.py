"""A synthetic park of very many elements: built, then walked through in a browser with software GL."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parktwin.bench.child import python, run
from parktwin.bench.dense_park import ELEMENTS_A_TOWER, make_dense_park
from parktwin.bench.rows import Row
from parktwin.bench.scene_view import Tell, served
from twin.errors import first_line

if TYPE_CHECKING:
    from playwright.sync_api import Page

A_MILLION = 1_000_000
TILE_BUDGET_MB = 160 * 2**20 / 1e6
#: A view is settled when its triangles and bytes stayed the same for this long.
QUIET_S, PATIENCE_S = 2.0, 90.0
STATS = """() => { const s = globalThis.parktwin.scene.stats();
  return { triangles: s.triangles, mb: s.tileBytes / 1e6, heap: (performance.memory?.usedJSHeapSize ?? 0) / 1e6 }; }"""


def million_rows(elements: int, scratch: Path, conditions: str, tell: Tell) -> list[Row]:
    """Rows of a park of at least so many elements; it is built with a cache of its own, so that the user's stays."""
    towers = math.ceil(elements / ELEMENTS_A_TOWER)
    park = make_dense_park(scratch / "dense", towers)
    tell(f"a synthetic park of {towers} equal towers, built")
    cost = run(python("parktwin", "build", str(park)), timeout_s=6 * 3600,
               environment={"XDG_CACHE_HOME": str(scratch / "cache")})
    manifest = json.loads((park / "build" / "manifest.json").read_text(encoding="utf-8"))
    made = int(manifest["counts"]["element"])
    tiles = [p for p in (park / "build" / "tiles").rglob("*") if p.suffix in (".glb", ".json", ".png")]
    said = f"synthetic: {towers} copies of one generated tower, read and drawn once, no map; {conditions}"
    park_of = f"a park of {made:,} elements"
    rows = [
        Row(what=f"build of {park_of}, CPU", unit="s", ours=cost.cpu_s, note=f"{cost.wall_s:.0f} s of wall; {said}",
            conditions=conditions),
        Row(what=f"build of {park_of}, peak memory", unit="MB", ours=cost.peak_mb, note=said, conditions=conditions),
        Row(what=f"tiles of {park_of}, uncompressed", unit="MB", ours=sum(p.stat().st_size for p in tiles) / 1e6,
            note=f"{len(tiles):,} files; {said}", conditions=conditions)]
    try:
        from tools.browser import chromium, signed_in
    except ImportError as error:
        return [*rows, Row(what=f"{park_of} in a browser", unit="s", ours=float("nan"), note=f"not measured: {error}")]
    tell("the same in a browser")
    began = time.perf_counter()
    try:
        with served(park) as base, chromium() as browser:
            rows.append(Row(what=f"start of the server of {park_of}", unit="s", ours=time.perf_counter() - began, note=said,
                            conditions=conditions))
            page = signed_in(browser, base, width=1280, height=720, theme="light").new_page()
            rows += _walked(page, base, manifest, park_of, made, said)
    except Exception as error:  # noqa: BLE001 what the build cost is told, however the walk ends
        rows.append(Row(what=f"{park_of} in a browser", unit="s", ours=float("nan"), conditions=conditions,
                        note=f"not measured: {type(error).__name__}: {first_line(error)}"))
    return rows


def _walked(page: Page, base: str, manifest: dict[str, Any], park_of: str, made: int, said: str) -> list[Row]:
    """First frame, then overview, building, storey, and a tour of buildings with a storey of each."""
    began = time.perf_counter()
    page.goto(base)
    page.wait_for_function("() => (globalThis.parktwin?.scene.stats().triangles ?? 0) > 100", timeout=600_000)
    rows = [Row(what=f"first frame of {park_of}, cold", unit="s", ours=time.perf_counter() - began, conditions=said,
                target=3.0 if made >= A_MILLION else None,
                note="from opening the address, page, data and first tiles included; Chromium with SwiftShader")]
    buildings = manifest["buildings"]
    middle = buildings[len(buildings) // 2]
    stops = [("the overview", "park"), ("a building", middle["id"]), ("a storey", middle["storeys"][1]["id"])]
    held = []
    for name, node in stops:
        seen = _settled(page, node)
        held.append(seen)
        rows += [Row(what=f"triangles in view: {name} of {park_of}", unit="", ours=seen["triangles"], conditions=said,
                     target=480_000.0 if node == "park" else None, note=said),
                 Row(what=f"tiles held: {name} of {park_of}", unit="MB", ours=seen["mb"], conditions=said, note=said)]
    tour = buildings[:: max(1, len(buildings) // 8)]
    held += [_settled(page, node) for b in tour for node in (b["id"], b["storeys"][-2]["id"])]
    return [*rows,
            Row(what=f"most tiles held on a tour of {len(tour)} buildings and a storey of each", unit="MB", conditions=said,
                ours=max(seen["mb"] for seen in held), target=TILE_BUDGET_MB, note="the viewer's own budget; as fetched"),
            Row(what=f"heap of the page, {park_of}", unit="MB", ours=max(seen["heap"] for seen in held), target=250.0,
                conditions=said, note="JavaScript's, the most seen on the walk")]


def _settled(page: Page, node: str) -> dict[str, float]:
    """Go to a node and wait until nothing more comes; what is seen and held then."""
    page.evaluate("(id) => globalThis.parktwin.scene.goTo(id, { immediate: true })", node)
    last, since, end = page.evaluate(STATS), time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() < end and time.monotonic() - since < QUIET_S:
        time.sleep(0.25)
        now = page.evaluate(STATS)
        if (now["triangles"], now["mb"]) != (last["triangles"], last["mb"]):
            since = time.monotonic()
        last = now
    return dict(last)
