"""`/wall`: the command centre's video wall, a tour that urgent alarms interrupt."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "大屏 · Wall"


def build() -> pn.Template:
    """One window of the wall."""
    return page_template("wall", TITLE)


PAGE = Page(path="/wall", title=TITLE, build=build)
