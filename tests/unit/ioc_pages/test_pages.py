"""Pages are found by what they declare and carry nothing from outside."""

import json
import re
from pathlib import Path

import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.io.state import set_curdoc

from ioc.page import find_pages
from ioc.pages import view


def test_the_pages_are_found() -> None:
    assert {"/", "/console", "/planner"} <= set(find_pages())


def test_a_page_builds_a_template_with_the_component() -> None:
    template = find_pages()["/console"].build()
    (component,) = [item[0] for item in template._render_items.values()]
    assert isinstance(component, view.ParktwinPage)
    assert component.page == "console"


def test_templates_name_no_outside_host() -> None:
    for path in Path(view.TEMPLATES).glob("*.html"):
        assert not re.search(r"(https?:)?//\w", path.read_text(encoding="utf-8")), path.name


def test_a_page_preloads_what_its_module_imports() -> None:
    chunks = view.page_chunks("console")
    assert all((view.DIST / chunk).is_file() for chunk in chunks)
    assert any("console" in chunk for chunk in chunks) or not (view.DIST / "meta.json").exists()
    assert not any("operations" in chunk for chunk in chunks)


@pytest.mark.parametrize("path", sorted(find_pages()))
def test_a_session_without_a_page_names_no_address_but_ours(path: str) -> None:
    doc = Document()
    with set_curdoc(doc):
        find_pages()[path].build().server_doc(doc)
    sheets = [sheet.url for root in doc.roots for sheet in root.select({"type": ImportedStyleSheet})]
    assert sheets
    assert not [url for url in sheets if "//" in url]


@pytest.mark.parametrize("page", ["operations", "console", "wall"])
def test_no_page_waits_for_the_library_that_draws_charts(page: str) -> None:
    if not (view.DIST / "meta.json").exists():
        pytest.skip("the viewer is not built")
    outputs = json.loads((view.DIST / "meta.json").read_text(encoding="utf-8"))["outputs"]
    chunks = view.page_chunks(page)
    assert chunks
    assert not [name for chunk in chunks for name in outputs[f"dist/{chunk}"]["inputs"] if "node_modules/echarts" in name]
