"""A page as its reader uses it: opened, waited for, listened to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page
from served_park import Served

from tools.browser import signed_in


@dataclass(slots=True)
class Tab:
    """A page and everything it asked for and complained about."""

    page: Page
    context: BrowserContext
    served: Served
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Addresses asked for on any other host."""
        own = urlsplit(self.served.origin).netloc
        return [url for url in self.requests if urlsplit(url).scheme in ("http", "https", "ws", "wss")
                and urlsplit(url).netloc != own]

    def until(self, expression: str, secs: float = 20.0) -> object:
        """Wait until JavaScript answers something true; that answer."""
        end = time.monotonic() + secs
        while True:
            answer = self.page.evaluate(f"() => {expression}")
            if answer:
                return answer
            assert time.monotonic() < end, f"not within {secs} s: {expression}"
            self.page.wait_for_timeout(100)

    def open(self, path: str) -> Tab:
        """Go there and wait for the drawn scene."""
        self.page.goto(self.served.origin + path)
        self.page.wait_for_selector(".scene-host canvas", timeout=60_000)
        self.until("(globalThis.parktwin?.scene.stats().frames ?? 0) > 0", 60)
        return self

    def query(self, name: str) -> str | None:
        """A part of the page's address."""
        found = self.page.evaluate(f"() => new URLSearchParams(location.search).get('{name}')")
        return found if found is None else str(found)


def open_tab(window: Browser, served: Served, *, lang: str = "en", theme: str = "light", width: int = 1280,
             height: int = 800, session: str = "") -> Tab:
    """A tab signed in to the demo account, or with the session cookie given."""
    if session:
        context = window.new_context(viewport={"width": width, "height": height})
        context.add_cookies([{"name": "parktwin", "value": session.split("=", 1)[1], "url": served.origin}])
        for key, value in (("theme", theme), ("lang", lang)):
            context.add_init_script(f"localStorage.setItem('parktwin.{key}', '{value}')")
    else:
        context = signed_in(window, served.origin, width=width, height=height, theme=theme, lang=lang)
    page = context.new_page()
    tab = Tab(page, context, served)
    page.on("request", lambda request: tab.requests.append(request.url))
    page.on("websocket", lambda socket: tab.requests.append(socket.url))
    page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    page.on("response", lambda r: tab.complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    return tab
