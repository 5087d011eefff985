"""The one Panel component and template that every page is made of.

Panel serves the page, its session and its title; what people see is drawn by our own module (`assets/viewer`), which
fetches `/api/v1` and listens on `/live`. Live values never travel through Bokeh. The template starts the module,
so the first picture does not wait for Bokeh; the component then takes over the same, already drawn page.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import panel as pn
import param
from panel.custom import JSComponent

import assets

DIST = Path(assets.__file__).parent / "viewer" / "dist"
TEMPLATES = Path(__file__).parent / "templates"


class ParktwinPage(JSComponent):
    """Mounts a page of the viewer bundle into the template's root; `page` names which."""

    page = param.String(default="operations", doc="Name of the page in the bundle.")

    _esm = """
    export async function render({ model }) {
      const root = document.getElementById("parktwin-root");
      const { mount } = await import(new URL(root.dataset.module, document.baseURI).href);
      mount(root, model.page);
      return document.createElement("span");
    }
    """


@lru_cache(maxsize=4)
def _version(stamp: float) -> str:
    """Twelve hex digits of the bundle's content; `stamp` is its change time, so that a rebuild is noticed."""
    del stamp
    return hashlib.sha256((DIST / "parktwin.js").read_bytes() + (DIST / "parktwin.css").read_bytes()).hexdigest()[:12]


def bundle_version() -> str:
    """Version of the built viewer for its address; 'unbuilt' when there is none."""
    bundle = DIST / "parktwin.js"
    return _version(bundle.stat().st_mtime) if bundle.exists() else "unbuilt"


def page_template(page: str, title: str) -> pn.Template:
    """The template of one page, made anew for each browser session."""
    template = pn.Template((TEMPLATES / "page.html").read_text(encoding="utf-8"))
    template.add_variable("version", bundle_version())
    template.add_variable("page_name", page)
    template.add_variable("title", title)
    template.add_panel("page", ParktwinPage(page=page))
    return template
