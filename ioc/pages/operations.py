"""`/`: how the park is doing, drilled from park to room to device."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "整体态势 · Operations"


def build() -> pn.Template:
    """One browser's operations page."""
    return page_template("operations", TITLE)


PAGE = Page(path="/", title=TITLE, build=build)
