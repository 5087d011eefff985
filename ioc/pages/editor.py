"""`/editor`: buildings placed, things named and grouped, zones drawn, devices put by hand."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "园区编辑 · Editor"


def build() -> pn.Template:
    """One browser's editor."""
    return page_template("editor", TITLE)


PAGE = Page(path="/editor", title=TITLE, build=build)
