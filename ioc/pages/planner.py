"""`/planner`: two schemes in the real surroundings, from one eye, with indicators and sunlight."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "方案比选 · Planner"


def build() -> pn.Template:
    """One browser's planner."""
    return page_template("planner", TITLE)


PAGE = Page(path="/planner", title=TITLE, build=build)
