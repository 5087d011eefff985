"""The BIM report as a page: every gap has words in both languages, names out of files stay text, properties are found."""

import ast
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import models_bim.survey
from models_bim.federate import federate
from models_bim.read import read_building
from models_bim.worker import read_discipline
from scenes.bim_report import LANGS, Reported, as_html, bim_report, hint
from scenes.store import columns_of, find_properties, write_properties
from twin.errors import SourceError
from twin.finding import Finding, as_finding

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models_bim"))
from ifc_maker import Maker

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "<script>alert(1)</script>"


def _model(folder: Path) -> Reported:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k in range(3):
        wall = maker.box("IfcBuildingElementProxy", (k, 0, 0), (0.5, 0.2, 3), storey, Name=HOSTILE)
        maker.properties(wall, "Pset_X", {"Fire": maker.new("IfcLabel", f"F{30 * k}")})
    return Reported("a1", HOSTILE, federate([read_discipline(maker.write(folder / "a1.ifc"))]))


@pytest.mark.parametrize("lang", LANGS)
def test_names_out_of_files_stay_text(tmp_path: Path, lang: str) -> None:
    findings = [Finding("warning", f"odd {HOSTILE}", "a1.ifc#7", "mend", 2), Finding("error", HOSTILE, "b.ifc", "mend")]
    page = as_html(bim_report(HOSTILE, "b1", [_model(tmp_path)], findings), lang)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4
    assert "src=" not in page, "it needs nothing from elsewhere"
    assert 'href="http' not in page


def test_findings_are_told_with_their_file_and_lost_files_by_themselves(tmp_path: Path) -> None:
    findings = [Finding("warning", "odd", "a1.ifc#7", "mend", 2), Finding("error", "lost", "b.ifc", "mend"),
                Finding("error", "a layer", "x.geojson", "mend")]
    report = bim_report("P", "b1", [_model(tmp_path)], findings)
    file = report["buildings"][0]["files"][0]
    assert [f["what"] for f in file["findings"]] == ["odd"]
    assert file["tally"]["warning"] == 1 + sum(i["level"] == "warning" for i in file["issues"])
    assert [f["what"] for f in report["lost"]] == ["lost"]


@pytest.mark.parametrize("lang", LANGS)
def test_every_gap_has_words(lang: str) -> None:
    words = json.loads((ROOT / f"assets/i18n/bim.{lang}.json").read_text(encoding="utf-8"))
    tree = ast.parse(Path(models_bim.survey.__file__).read_text(encoding="utf-8"))
    codes = {str(n.args[1].value) for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "_gap"
             and isinstance(n.args[1], ast.Constant)}
    codes |= {f"common.{cls}" for cls in models_bim.survey._COMMON} | {"storey.none", "far", "place"}
    codes |= {"type", "material", "pset", "name", "classification"}
    assert len(codes) > 18
    for code in codes:
        assert all(words.get(f"bim.{part}.{code}") for part in ("what", "why", "mend")), code


def test_every_finding_of_the_readers_has_words_that_are_filled_as_they_are_told() -> None:
    """Every `Finding` with a code in models_bim, with the names its words are filled with."""
    words = json.loads((ROOT / "assets/i18n/findings.en.json").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for path in (ROOT / "models_bim").glob("*.py"):
        for call in [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]:
            if getattr(call.func, "id", "") == "lost" and isinstance(call.args[3], ast.Constant):
                found[f"lost.{call.args[3].value}"] = {"file", *(str(k.arg) for k in call.keywords)}
            if getattr(call.func, "id", "") != "Finding":
                continue
            given = {k.arg: k.value for k in call.keywords} | dict(zip(("code", "fill"), call.args[5:], strict=False))
            if isinstance(code := given.get("code"), ast.Constant):
                fill = given.get("fill")
                found[str(code.value)] = {str(k.value) for k in fill.keys} if isinstance(fill, ast.Dict) else set()
    found |= {f"{how}.{why}": {"file", "secs", "how"} for how in ("lost", "undrawn") for why in ("crashed", "slow")}
    assert len(found) > 30
    for code, names in found.items():
        assert set(re.findall(r"\{(\w+)\}", words[f"finding.{code}"])) <= names, code


def test_the_chinese_page_says_what_the_readers_found_in_chinese(tmp_path: Path) -> None:
    maker = Maker()
    storey = maker.storey("L1", 0.0)
    for k in range(2):
        wall = maker.box("IfcWall", (k, 0, 0), (0.5, 0.2, 3), storey, Name="W {thing}")
        wall.GlobalId = "0" * 22
    model = federate([read_discipline(maker.write(tmp_path / "a1.ifc"))])
    findings = [f for f in model.findings if f.code == "ifc.guid.twice"]
    assert findings
    report = bim_report("P", "b1", [Reported("a1", "A1", model)], findings)
    zh, en = (as_html(report, lang) for lang in ("zh", "en"))
    assert f"GlobalId {'0' * 22} 重复使用" in zh
    assert "为每个构件赋予唯一的 GlobalId" in zh
    assert "used more than once" not in zh
    assert "部分消息为英文" not in zh
    assert "is used more than once" in en


def test_a_file_that_cannot_be_read_is_told_in_chinese_too(tmp_path: Path) -> None:
    (tmp_path / "no.ifc").write_bytes(b"PK? no IFC")
    with pytest.raises(SourceError) as told:
        read_building([tmp_path / "no.ifc"])
    report = bim_report("P", "b1", [], [as_finding(told.value)])
    zh, en = (as_html(report, lang) for lang in ("zh", "en"))
    assert "no.ifc 不是 IFC 文件" in zh
    assert "重新导出为 IFC" in zh
    assert "is not an IFC file" not in zh
    assert "部分消息为英文" not in zh
    assert "no.ifc is not an IFC file" in en


def test_hints_are_for_the_program_the_file_came_from() -> None:
    mend = "Revit: tick it · ArchiCAD: map it · Tekla: set it"
    assert hint(mend, "Autodesk Revit 2024") == "Revit: tick it"
    assert hint(mend, "Unheard of 1.0") == mend
    assert hint("Revit：勾选 · Tekla：设置", "Tekla Structures") == "Tekla：设置"


def test_properties_are_found_by_set_name_and_value(tmp_path: Path) -> None:
    model = _model(tmp_path).model
    write_properties(tmp_path, [columns_of(np.arange(1, len(model.entities) + 1, dtype=np.uint32), model.properties)])
    for asked, count in ((("Pset_X", "", ""), 3), (("", "Fire", "F30"), 1), (("", "Fire", "F*"), 3), (("", "", "*60"), 1),
                         (("", "", "*3*"), 1), (("Pset_Y", "", ""), 0)):
        rows, total = find_properties(tmp_path, *asked, 2)
        assert (total, len(rows)) == (count, min(count, 2)), asked
