"""The one Panel component and template that every page is made of.

Panel serves the page, its session and its title; what people see is drawn by our own module (`assets/viewer`), which
fetches `/api/v1` and listens on `/live`. Live values never travel through Bokeh. The template alone starts the module
(imported through Panel it would be a second instance, with a second scene); Panel's scripts come after the first picture.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import panel as pn
import param
from bokeh.document import Document
from panel.custom import JSComponent
from panel.io.resources import LOCAL_DIST, patch_model_css

import assets

DIST = Path(assets.__file__).parent / "viewer" / "dist"
TEMPLATES = Path(__file__).parent / "templates"


class ParktwinPage(JSComponent):
    """Stands for a page of the viewer bundle in Panel's session; `page` names which."""

    page = param.String(default="operations", doc="Name of the page in the bundle.")

    _esm = """
    export function render() { return document.createElement("span"); }
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


@lru_cache(maxsize=32)
def _chunks(page: str, stamp: float) -> tuple[str, ...]:
    """Files of `dist/` that a page imports, whole tree; `stamp` is the time of `meta.json`."""
    del stamp
    outputs = json.loads((DIST / "meta.json").read_text(encoding="utf-8"))["outputs"]
    wanted = ["dist/parktwin.js", *(name for name, o in outputs.items() if o.get("entryPoint") == f"src/app/{page}.tsx")]
    for name in wanted:
        wanted += [i["path"] for i in outputs[name]["imports"] if i["kind"] == "import-statement" and i["path"] not in wanted]
    return tuple(name.removeprefix("dist/") for name in dict.fromkeys(wanted[1:]))


def page_chunks(page: str) -> tuple[str, ...]:
    """Addresses below `/assets/` worth fetching before the page asks for them; none when the viewer is not built."""
    meta = DIST / "meta.json"
    return _chunks(page, meta.stat().st_mtime) if meta.exists() else ()


class OwnTemplate(pn.Template):
    """A template that names no address but our own, in sessions without a page too.

    Panel names its CDN in every session and takes that back when it writes the page; a browser that opens its line after its
    session ended (a slow machine, a restart) gets a new one for which no page is written.
    """

    def server_doc(self, doc: Document | None = None, title: str | None = None, location: Any = True) -> Document:
        """A document with the page in it."""
        made = super().server_doc(doc, title, location)
        for root in made.roots:
            patch_model_css(root, dist_url=LOCAL_DIST)
        return made


def page_template(page: str, title: str) -> OwnTemplate:
    """The template of one page, made anew for each browser session."""
    template = OwnTemplate((TEMPLATES / "page.html").read_text(encoding="utf-8"))
    template.add_variable("version", bundle_version())
    template.add_variable("page_name", page)
    template.add_variable("chunks", page_chunks(page))
    template.add_variable("title", title)
    template.add_panel("page", ParktwinPage(page=page))
    return template
