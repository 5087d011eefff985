"""The how-to pages name modules, names and files that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from scenes.schemes.file import read_rules, read_scheme
from twin.fences import read_declared
from twin.overrides import parse_file

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
NAMED = re.compile(r"`((?:twin|ioc|overlays|connectors|scenes|gis|models_bim)\.[\w.]+)`")
FILES = re.compile(r"`((?:assets|twin|ioc|overlays|connectors|scenes|tests|docs)/[\w./-]*)`")


def resolve(dotted: str) -> object:
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            here: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            here = getattr(here, name)
        return here
    raise AssertionError(f"no module {dotted}")


def test_there_are_pages_for_every_seam() -> None:
    assert {page.stem for page in PAGES} >= {"add-a-device-kind", "add-an-overlay", "add-a-connector", "add-a-page"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_and_file_on_the_page_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    for dotted in NAMED.findall(text):
        resolve(dotted)
    for path in FILES.findall(text):
        assert (ROOT / path).exists(), path


def test_the_schemes_of_the_page_hold_together(tmp_path: Path) -> None:
    rules, scheme = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/how-to/compare-schemes.md").read_text("utf-8"), re.S)
    for name in ("bim/n2.ifc", "gis/scheme.geojson", "schemes/a.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(scheme, "utf-8")
    (tmp_path / "rules.toml").write_text(rules, "utf-8")
    assert [read_rules(tmp_path / "rules.toml")[1], read_scheme(tmp_path / "schemes/a.toml")[1]] == [[], []]


def test_the_edits_of_the_page_hold_together() -> None:
    text = (ROOT / "docs" / "how-to" / "edit-the-park.md").read_text("utf-8")
    kept, told = parse_file(text.split("```toml\n")[1].split("```")[0])
    assert {key.split(":")[0] for key in kept} == {"place", "name", "nest", "group", "zone", "device"}
    assert not told


def test_the_fence_of_the_page_holds_together(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "add-a-fence.md").read_text("utf-8")
    (tmp_path / "fences.toml").write_text(text.split("```toml\n")[1].split("```")[0], "utf-8")
    fences, findings = read_declared(tmp_path / "fences.toml")
    assert [fence.id for fence in fences] == ["energy-centre"]
    assert not findings
