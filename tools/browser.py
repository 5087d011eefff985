"""Headless Chromium as this project drives it: software GL, a fresh profile, nothing in the background."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

CHROMIUM = "/usr/bin/chromium"
#: Chromium's own pages for its address bar cost a browser 0.7 s of CPU while it starts. The last list given counts, so what
#: Playwright switches off is said again.
OFF = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "AvoidUnnecessaryBeforeUnloadCheckSync",
       "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter",
       "PaintHolding", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints",
       "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch")
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    f"--disable-features={','.join(OFF)}",
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed at the end."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, base: str, *, width: int = 1920, height: int = 1080, theme: str = "dark",
              lang: str = "zh", **more: Any) -> BrowserContext:
    """A context signed in to the demo account of the server at `base`."""
    kept: StorageState = {"cookies": [], "origins": [{"origin": base, "localStorage": [
        {"name": f"parktwin.{key}", "value": value} for key, value in (("theme", theme), ("lang", lang))]}]}
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", storage_state=kept, **more)
    answer = context.request.post(f"{base}/demo", form={"next": "/"}, headers={"origin": base})
    if not answer.ok:
        raise RuntimeError(f"the demo account could not sign in: {answer.status} {answer.text()[:200]}")
    return context


def open_page(context: BrowserContext, address: str, *, settle_secs: float = 3.0) -> Page:
    """A page whose first tiles have arrived."""
    page = context.new_page()
    page.on("console", lambda message: print(f"  console: {message.text}") if message.type == "error" else None)
    page.on("response", lambda answer: print(f"  {answer.status}: {answer.url}") if answer.status >= 400 else None)
    page.on("pageerror", lambda error: print(f"  page error: {error}"))
    page.goto(address)
    page.wait_for_selector(".scene-host canvas, .planner-stage canvas, .editor-main canvas", timeout=60_000)
    for under_way in (".scene-load", ".planner-working"):
        page.wait_for_selector(under_way, state="detached", timeout=90_000)
    page.wait_for_timeout(settle_secs * 1000)
    page.wait_for_selector(".scene-load", state="detached", timeout=90_000)  # a panel may have asked for a storey more
    return page
