"""Opening files whose header or bytes are not what the standard asks."""

from pathlib import Path

import pytest
from ifc_maker import Maker

from models_bim.opening import escape_text, nearest_schema, open_ifc
from twin.errors import SourceError


def _named(tmp_path: Path, name: bytes, schema: bytes | None = None) -> Path:
    path = Maker(building="NAME").write(tmp_path / "a.ifc")
    raw = path.read_bytes().replace(b"'NAME'", b"'" + name + b"'")
    path.write_bytes(raw if schema is None else raw.replace(b"FILE_SCHEMA(('IFC4'))", b"FILE_SCHEMA(('" + schema + b"'))"))
    return path


@pytest.mark.parametrize(
    ("declared", "readable"),
    [
        ("IFC4X3_RC2", "IFC4X3_ADD2"),
        ("IFC4X1", "IFC4X3_ADD2"),
        ("IFC4X3", "IFC4X3_ADD2"),
        ("IFC4_ADD2", "IFC4"),
        ("ifc2x3", "IFC2X3"),
        ("IFC2X_FINAL", "IFC2X3"),
        ("AP214", None),
    ],
)
def test_every_ifc_schema_name_has_a_nearest_readable_one(declared: str, readable: str | None) -> None:
    assert nearest_schema(declared) == readable


def test_draft_schema_opens_as_its_release_and_says_it_is_degraded(tmp_path: Path) -> None:
    opened = open_ifc(_named(tmp_path, b"B", b"IFC4X3_RC4"))
    assert opened.schema == "IFC4X3_RC4"
    assert opened.file.schema_identifier == "IFC4X3_ADD2"
    assert [f.level for f in opened.findings] == ["warning"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_names_in_raw_bytes_survive(tmp_path: Path, encoding: str) -> None:
    opened = open_ifc(_named(tmp_path, "研发中心一号楼".encode(encoding)))
    assert opened.file.by_type("IfcBuilding")[0].Name == "研发中心一号楼"
    assert opened.findings[0].count >= 1


def test_gbk_bytes_that_look_like_ascii_letters_stay_one_character() -> None:
    text = "朱镕基楼"  # the second byte of 镕 is below 0x80
    assert any(byte < 0x80 for byte in text.encode("gbk"))
    fixed, _ = escape_text(b"#1=X('" + text.encode("gbk") + b"');" + b"#2=X('" + "中国".encode("gbk") * 5 + b"');")
    assert b"\\X2\\" + text.encode("utf-16-be").hex().upper().encode() + b"\\X0\\" in fixed


def test_latin_1_umlauts_survive(tmp_path: Path) -> None:
    assert open_ifc(_named(tmp_path, "Büro Süd".encode("latin-1"))).file.by_type("IfcBuilding")[0].Name == "Büro Süd"


def test_plain_ascii_is_left_alone() -> None:
    assert escape_text(b"abc\\X2\\4E2D\\X0\\") == (b"abc\\X2\\4E2D\\X0\\", 0)


@pytest.mark.parametrize("content", [b"PK nonsense", b"", b"ISO-10303-21;\nHEADER;\nENDSEC;"])
def test_what_is_no_ifc_file_is_refused_with_a_mend(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.ifc"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="export") as caught:
        open_ifc(path)
    assert caught.value.where == "x.ifc"


def test_foreign_schema_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="AP214"):
        open_ifc(_named(tmp_path, b"B", b"AP214"))


def test_file_cut_short_is_read_as_far_as_it_goes_and_said_to_be(tmp_path: Path) -> None:
    maker = Maker()
    for k in range(20):
        maker.box("IfcColumn", (k, 0, 0), (0.4, 0.4, 3), Name=f"C{k}")
    path = maker.write(tmp_path / "a.ifc")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.8)])
    opened = open_ifc(path)
    assert 10 < len(opened.file.by_type("IfcColumn")) < 20
    assert [(f.level, f.code) for f in opened.findings] == [("error", "damaged.end")]
