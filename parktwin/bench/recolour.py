"""Ten thousand nodes given new colours in an open page: JavaScript's time, bytes, time to the screen, heap."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from parktwin.bench.child import Failed
from parktwin.bench.rows import Row
from twin.live.frames import overlay_frame

if TYPE_CHECKING:
    from playwright.sync_api import Page

NODES = 10_000
ROUNDS = 12
PANE_TRIANGLES = 120_000  # ten thousand boxes
MESSAGE, SCREEN = "bytes of a message that recolours 10k nodes", "10k recolours, from the change to the screen"
#: The view's own painter is asked: the page's data are untouched but for a channel nobody else uses.
SCRIPT = """async ([nodes, rounds]) => {
  const view = globalThis.parktwin.scene, live = view.painter?.world?.live;
  if (!live) return null;
  const frame = () => new Promise(requestAnimationFrame), mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const values = new Float32Array(nodes + 1).fill(NaN), channel = 251;
  live.overlay.set(channel, values);
  const ramp = { breaks: [0, 1, 2, 3, 4], colours: ["#224466", "#446688", "#88aa66", "#ccaa44"], title: "", unit: "" };
  view.setOverlay(channel, ramp);
  const script = [], screen = [];
  for (let round = 0; round < rounds; round++) {
    for (let node = 1; node <= nodes; node++) values[node] = (node + round) % 4 + 0.5;
    await frame(); await frame();
    const drawn = view.stats().frames, since = performance.now();
    view.liveChanged(null);
    script.push(view.painter.lastMs);
    while (view.stats().frames === drawn && performance.now() - since < 20000) await frame();
    screen.push(performance.now() - since);
  }
  view.setOverlay(null, null);
  return { script: mean(script.slice(2)), screen: mean(screen.slice(2)), texels: view.state.bytes.length / 4,
    heap: performance.memory?.usedJSHeapSize ?? 0, triangles: view.stats().triangles };
}"""


def recolour_rows(page: Page, conditions: str) -> list[Row]:
    """Rows of recolouring and heap, in a page that has finished loading."""
    time.sleep(1)
    seen: dict[str, Any] | None = page.evaluate(SCRIPT, [NODES, ROUNDS])
    sent = len(overlay_frame(1, np.arange(1, NODES + 1), np.ones(NODES), seq=1, server_time_ms=0.0))
    rows = [Row(what=MESSAGE, unit="kB", ours=sent / 1e3, target=60.0,
                note="as it goes over the WebSocket: a value and the step to its node each", conditions=conditions)]
    if seen is None:
        return [*rows, Row(what="10k recolours, JavaScript", unit="ms", ours=float("nan"), conditions=conditions,
                           note="not measured: the page's painter could not be reached")]
    said = f"mean of {ROUNDS - 2} rounds over {seen['texels']:,} texels, {seen['triangles']:,} triangles; {conditions}"
    return [*rows,
            Row(what="10k recolours, JavaScript", unit="ms", ours=seen["script"], target=0.2, note=said,
                conditions=conditions),
            Row(what=SCREEN, unit="ms", ours=seen["screen"], note="software GL; the frame after the change is drawn",
                conditions=conditions),
            Row(what="heap of the page", unit="MB", ours=seen["heap"] / 1e6, target=250.0, conditions=conditions,
                note="JavaScript's, as Chromium tells it, after the recolouring")]


def pane_rows(ours: Sequence[Row], conditions: str) -> list[Row]:
    """Our recolouring beside Panel's VTK pane and k3d, when neither our page nor its server runs any more."""
    from parktwin.bench.vtk_pane import measure_pane

    told = {row.what: row for row in ours}
    if SCREEN not in told:  # our own painter could not be reached: a row says so already
        return []
    screen, message = told[SCREEN], told[MESSAGE]
    rows = [replace(screen, what=f"{SCREEN}, against k3d", note="no peer: k3d is not installed; target 3× not judged")]
    try:
        pane = measure_pane(PANE_TRIANGLES)
    except Failed as error:
        return [replace(screen, what=f"{SCREEN}, against Panel's VTK pane", note=f"no peer: {error}"), *rows]
    note = (f"the pane shows {PANE_TRIANGLES:,} triangles and begins with the change in Python, ours with the values in the "
            f"page; the pane's first picture took {pane.first_s:.1f} s")
    return [replace(screen, what=f"{SCREEN}, against Panel's VTK pane", peer=pane.change_s * 1e3,
                    peer_name="Panel's VTK pane", target=1 / 40, note=note),
            replace(message, what=f"{MESSAGE}, against Panel's VTK pane", peer=pane.change_bytes / 1e3,
                    peer_name="Panel's VTK pane", target=None, note=note),
            *rows]
