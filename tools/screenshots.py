"""`make screenshots`: pictures of the running sample park into docs/images, as the README shows them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext

from tools.browser import chromium, open_page, signed_in

OUT = Path(__file__).parent.parent / "docs" / "images"
#: name, path, theme, language
SHOTS = (
    ("operations-light", "/", "light", "zh"), ("operations-dark", "/", "dark", "zh"), ("operations-en", "/", "light", "en"),
    ("storey-dark", "/?at={storey}", "dark", "zh"), ("storey-light", "/?at={storey}", "light", "zh"),
    ("energy-hour", "/?at={storey}&panel=hours", "light", "zh"), ("fences", "/?at={storey}&panel=fences", "dark", "zh"),
    ("trail", "/?panel=trail&track={track}", "light", "zh"),
    ("coverage", "/?at={storey}&panel=coverage", "light", "zh"), ("coverage-en", "/?panel=coverage", "dark", "en"),
    ("console-light", "/console", "light", "zh"), ("console-dark", "/console", "dark", "zh"),
    ("editor", "/editor", "light", "zh"), ("editor-dark", "/editor", "dark", "en"),
    ("meters", "/?panel=meters", "light", "zh"), ("meters-en", "/?panel=meters", "dark", "en"),
    ("wall", "/wall", "dark", "zh"),
    ("replay", "/replay?incident=1", "light", "zh"), ("replay-dark", "/replay?incident=1", "dark", "en"),
    ("planner", "/planner?a=slabs&b=towers", "light", "zh"), ("planner-dark", "/planner?a=slabs&b=towers", "dark", "en"),
)
WALL_WIDTH = 3840


def main(base: str = "http://127.0.0.1:5006", only: str = "", out: Path = OUT) -> None:
    """Take the shots from the server at `base`; `only` picks those whose name holds it."""
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, path, theme, lang in SHOTS:
            if only not in name:
                continue
            context = signed_in(browser, base, width=WALL_WIDTH if name == "wall" else 1920, theme=theme, lang=lang)
            tree = context.request.get(f"{base}/api/v1/tree").json()["nodes"]
            building = next((n for n in tree if n["kind"] == "building" and n["id"] == "a3"), None)
            storeys = [n for n in tree if building and n["kind"] == "storey" and n["parent"] == building["i"]]
            storey = storeys[min(2, len(storeys) - 1)]["id"] if storeys else "park"
            track = _walker(context, base) if "{track}" in path else ""
            page = open_page(context, base + path.format(storey=storey, track=track))
            page.screenshot(path=out / f"{name}.png")
            _squeeze(out / f"{name}.png")
            print(f"{name}.png")
            context.close()


def _walker(context: BrowserContext, base: str) -> str:
    """A guard or cleaner who was about in the last minutes, the farthest walked of a few."""
    now, walked = time.time() * 1000, {}
    for track in context.request.get(f"{base}/api/v1/tracks").json()["tracks"]:
        if track["role"] in ("guard", "cleaner") and len(walked) < 12:
            asked = f"{base}/api/v1/tracks/{track['id']}/trajectory?from_ms={now - 300_000}&to_ms={now}"
            walked[track["id"]] = context.request.get(asked).json()["metres"] or 0.0
    return max(walked, key=lambda key: walked[key], default="")


def _squeeze(path: Path) -> None:
    """256 colours are enough for a README, at a third of the bytes."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:3], *(Path(p) for p in sys.argv[3:4]))
