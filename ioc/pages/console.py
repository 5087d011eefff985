"""`/console`: alarms in order, their place, the response, the command, and what was done."""

from __future__ import annotations

import panel as pn

from ioc.page import Page
from ioc.pages.view import page_template

TITLE = "操作台 · Console"


def build() -> pn.Template:
    """One browser's console."""
    return page_template("console", TITLE)


PAGE = Page(path="/console", title=TITLE, build=build)
