"""What a page must declare to be served, and how pages are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ioc.pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: a module of `ioc.pages` holds one of these in `PAGE`.

    Args:
        path: where it is served, such as `/` or `/console`.
        title: what the browser's tab says before the page itself says more.
        build: called once a browser session, returns a Panel viewable or template. The person looking is
            `ioc.access.person.current()`; the park's services are `ioc.services.current()`.
    """

    path: str
    title: str
    build: Callable[[], Any]


def find_pages() -> dict[str, Page]:
    """Every page by its path, in path order."""
    found = {}
    for module_info in pkgutil.iter_modules(ioc.pages.__path__):
        page = getattr(importlib.import_module(f"ioc.pages.{module_info.name}"), "PAGE", None)
        if isinstance(page, Page):
            found[page.path] = page
    return dict(sorted(found.items()))
