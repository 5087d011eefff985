"""The how-to pages on connecting are true: their park tables are read and their points files bind, without a fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.field import FieldConnector
from connectors.registry import check_sources
from twin.packs import load_packs
from twin.parkfile import read_park
from twin.registry import Device, PointTable

PAGES = sorted((Path(__file__).resolve().parents[3] / "docs" / "how-to").glob("connect-*.md"))
HEAD = '[park]\nname = "x"\ncrs = "EPSG:4549"\norigin = [0.0, 0.0, 0.0]\n'


@pytest.fixture(scope="module")
def points() -> PointTable:
    return PointTable([Device(id="AHU-1", kind="ahu", name="1")], load_packs().kinds)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_table_and_points_file_on_the_page_is_usable(page: Path, points: PointTable, tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text("utf-8")
    tables, files = re.findall(r"```toml\n(.*?)```", text, re.DOTALL), re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    assert tables
    assert files
    (tmp_path / "park.toml").write_text(HEAD + "".join(tables), "utf-8")
    monkeypatch.setenv("BMS_PASSWORD", "a-secret-of-the-page")
    for name in set(re.findall(r'"(?:file:)?(secrets/[^"]+)"', text)):
        (tmp_path / "secrets").mkdir(exist_ok=True)
        (tmp_path / name).write_text("a-secret-of-the-page", "utf-8")
    spec, faults = read_park(tmp_path)
    assert spec is not None
    assert faults == []
    bound = [source for source in spec.sources if source.points]
    assert len(bound) == len(files)
    for source, rows in zip(bound, files, strict=True):
        assert source.points is not None
        source.points.write_text(rows, "utf-8")
    findings = [f for f in check_sources(spec, points)
                if "certificates cannot be used" not in f.what and "in the clear" not in f.what and "already" not in f.what]
    assert findings == []


def test_every_protocol_has_a_page() -> None:
    assert {page.stem.removeprefix("connect-") for page in PAGES} == {"mqtt", "modbus", "opcua", "bacnet", "http"}


def test_a_connector_of_the_how_to_is_one() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "add-a-connector.md").read_text("utf-8")
    used = set(re.findall(r"self\.(understood|up|hear|lose|refuse)\(", page))
    assert used == {"understood", "up", "hear", "lose", "refuse"}
    assert all(hasattr(FieldConnector, name) for name in used)
