"""The page on adding a device kind, followed to the letter: its file, its row, build, serve, alarm, command."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_park import Served, serving, until

from parktwin.check import check_park
from scenes.compile import compile_park
from twin.parkfile import load_park

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-a-device-kind.md"


def block(language: str) -> str:
    """The page's one block of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture(scope="module")
def served_with_kind(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("howto")
    shutil.copytree(built, root / "park")
    (root / "park" / "packs").mkdir()
    (root / "park" / "packs" / "landscape.toml").write_text(block("toml"), "utf-8")
    with (root / "park" / "devices.csv").open("a", encoding="utf-8") as registry:
        registry.write(block("csv"))
    compile_park(load_park(root / "park"), jobs=1)
    with serving(root / "park", root / "served") as running:
        yield running


def test_the_kind_of_the_page_is_in_the_catalogue_with_values_a_card_and_an_overlay(served_with_kind: Served) -> None:
    http = served_with_kind.browser().http
    kind = next(k for k in http.get("/api/v1/devices").json()["kinds"] if k["id"] == "flower_bed")
    assert [p["key"] for p in kind["points"]] == ["moisture", "valve"]
    until(lambda: http.get("/api/v1/values?device=BED-1").json()["values"][0]["value"] is not None, 20, "it speaks")
    value = http.get("/api/v1/values?device=BED-1").json()["values"][0]
    assert 10 < value["value"] < 18
    assert value["quality"] == "good"
    assert value["unit"] == "%"
    card = next(c for c in http.get("/api/v1/kpis").json()["cards"] if c["key"] == "flower_bed.moisture")
    assert 10 < card["value"] < 18
    painted = next(o for o in http.get("/api/v1/overlays").json()["overlays"] if o["name"] == "Flower bed: Soil moisture")
    assert painted["unit"] == "%"
    assert painted["by_hour"]


def test_the_alarm_of_the_page_is_raised_with_its_response(served_with_kind: Served) -> None:
    http = served_with_kind.browser().http

    def dry() -> list[dict]:
        return [a for a in http.get("/api/v1/alarms").json() if a["key"] == "BED-1.dry"]

    until(dry, 20, "the dry bed raises its alarm")
    assert dry()[0]["owner_zh"] == "园林养护员"
    assert len(dry()[0]["steps"]) == 2


def test_the_command_of_the_page_is_confirmed_by_telemetry(served_with_kind: Served) -> None:
    browser = served_with_kind.browser()
    given = browser.post("/api/v1/commands", {"device": "BED-1", "key": "water", "args": {}, "idempotency_key": "water-1-x"})
    assert given.status_code == 200, given.text
    until(lambda: any(c["id"] == given.json()["id"] and c["state"] == "confirmed"
                      for c in browser.http.get("/api/v1/commands").json()), 20, "the valve says it is open")


def test_a_pack_whose_alarm_nobody_answers_is_refused_with_line_and_mend(tmp_path: Path, built: Path) -> None:
    shutil.copytree(built, tmp_path / "park")
    (tmp_path / "park" / "packs").mkdir()
    text = re.sub(r"\[kinds\.alarms\.response\].*?steps_zh = \[[^\n]*\n", "", block("toml"), flags=re.DOTALL)
    (tmp_path / "park" / "packs" / "landscape.toml").write_text(text, "utf-8")
    found = next(f for f in check_park(tmp_path / "park")[0] if f.level == "error")
    line = next(k for k, row in enumerate(text.splitlines(), 1) if row == 'key = "dry"')
    assert found.where.endswith(f"landscape.toml:{line}")
    assert "dry" in found.what
    assert "response" in found.mend
