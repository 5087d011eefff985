"""The page on asking the graph, run line by line over a real building."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "query-the-graph.md"


def test_every_line_of_the_page_answers_as_it_says(paged_built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder := paged_built.parent / "as-the-page-names-it").mkdir(exist_ok=True)
    if not (folder / "my-park").exists():
        (folder / "my-park").symlink_to(paged_built)
    monkeypatch.chdir(folder)
    text = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    page = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(page, out=told.append)
    assert result.attempted > 12
    assert result.failed == 0, "".join(told)


def test_questions_over_http_that_the_page_names_are_there() -> None:
    text = PAGE.read_text("utf-8")
    routes = (PAGE.parents[2] / "ioc" / "http" / "graph.py").read_text("utf-8")
    named = re.findall(r"(?<=[`/])(?:graph)?/(\w+)(?=[?`])", text)
    assert {"containers", "served_by", "path", "near"} <= set(named)
    assert [route for route in named if route != "docs" and f'"/{route}"' not in routes] == []
