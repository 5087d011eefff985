"""The operations page in headless Chromium with software GL: first frame, frames while orbiting, recolour."""

from __future__ import annotations

import time

from parktwin.bench.recolour import recolour_rows
from parktwin.bench.rows import Row

#: The picture alone, at the promised size: beside the panels a small window leaves it a sliver.
ALONE = ".scene-host { position: fixed !important; inset: 0 auto auto 0 !important; width: 640px !important; \
height: 360px !important; z-index: 99; }"
ORBIT = """async (seconds) => {
  const scene = globalThis.parktwin.scene, start = scene.getCamera();
  const before = scene.stats().frames, began = performance.now();
  while (performance.now() - began < seconds * 1000) {
    const t = (performance.now() - began) / 1000;
    scene.setCamera({ ...start, azimuth: start.azimuth + 0.25 * t });
    await new Promise(requestAnimationFrame);
  }
  const stats = scene.stats();
  return { fps: (stats.frames - before) / ((performance.now() - began) / 1000), triangles: stats.triangles,
    rung: stats.rung, ratio: stats.movingRatio, recolour: stats.recolourMs, bytes: stats.tileBytes };
}"""


def measure_page(base: str, conditions: str) -> list[Row]:
    """Rows of the page: one cold load in a 1280×720 window, then its 3D view alone at 640×360, orbiting."""
    from tools.browser import chromium, signed_in

    with chromium() as browser:
        context = signed_in(browser, base, width=1280, height=720, theme="light")
        page = context.new_page()
        started = time.perf_counter()
        page.goto(base)
        page.wait_for_selector(".scene-host canvas", timeout=120_000)
        while not page.evaluate("() => (globalThis.parktwin?.scene.stats().triangles ?? 0) > 1000"):
            time.sleep(0.05)
        first = time.perf_counter() - started
        page.wait_for_selector(".scene-load", state="detached", timeout=120_000)
        page.add_style_tag(content=ALONE)
        time.sleep(4)
        orbit = page.evaluate(ORBIT, 8)
        more = recolour_rows(page, conditions)
    said = (f"{conditions}; Chromium with SwiftShader; {orbit['triangles']:,} triangles, rung {orbit['rung']}, "
            f"drawn at {orbit['ratio']:.2f} of the resolution while moving")
    return [Row(what="first frame of the operations page, cold", unit="s", ours=first, target=2.0, conditions=said,
                note="from opening the address, page, data and first tiles included; " + said),
            Row(what="frames a second at 640x360, orbiting", unit="1/s", ours=orbit["fps"], target=20.0, bound="at least",
                conditions=said, note=said), *more]
