"""`make screenshots`: pictures of the running sample park into docs/images, as the README shows them."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from tools.browser import chromium, open_page, signed_in

OUT = Path(__file__).parent.parent / "docs" / "images"
#: name, path, theme, language
SHOTS = (
    ("operations-light", "/", "light", "zh"), ("operations-dark", "/", "dark", "zh"), ("operations-en", "/", "light", "en"),
    ("storey-dark", "/?at={storey}", "dark", "zh"), ("storey-light", "/?at={storey}", "light", "zh"),
    ("console-light", "/console", "light", "zh"), ("console-dark", "/console", "dark", "zh"),
)


def main(base: str = "http://127.0.0.1:5006", only: str = "", out: Path = OUT) -> None:
    """Take the shots from the server at `base`; `only` picks those whose name holds it."""
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, path, theme, lang in SHOTS:
            if only not in name:
                continue
            context = signed_in(browser, base, theme=theme, lang=lang)
            tree = context.request.get(f"{base}/api/v1/tree").json()["nodes"]
            building = next((n for n in tree if n["kind"] == "building" and n["id"] == "a3"), None)
            storeys = [n for n in tree if building and n["kind"] == "storey" and n["parent"] == building["i"]]
            storey = storeys[min(2, len(storeys) - 1)]["id"] if storeys else "park"
            page = open_page(context, base + path.format(storey=storey))
            page.screenshot(path=out / f"{name}.png")
            _squeeze(out / f"{name}.png")
            print(f"{name}.png")
            context.close()


def _squeeze(path: Path) -> None:
    """256 colours are enough for a README, at a third of the bytes."""
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:3], *(Path(p) for p in sys.argv[3:4]))
