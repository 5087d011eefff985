"""`/replay`: an incident or any moment of the past, as it was."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "事件回放 · Replay"


def build() -> pn.Template:
    """One browser's replay."""
    return page_template("replay", TITLE)


PAGE = Page(path="/replay", title=TITLE, build=build)
