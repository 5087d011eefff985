"""IfcZip, whatever it is called."""

import zipfile
from pathlib import Path

import pytest
from ifc_maker import Maker

from models_bim.opening import open_ifc
from twin.errors import SourceError


@pytest.mark.parametrize("name", ["a.ifczip", "a.zip", "a.ifc"])
def test_a_zipped_model_opens_like_a_plain_one(tmp_path: Path, name: str) -> None:
    plain = Maker(building="Tower").write(tmp_path / "plain.ifc")
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "model.IFC")
        archive.writestr("readme.txt", "x")
    assert open_ifc(tmp_path / name).file.by_type("IfcBuilding")[0].Name == "Tower"


def test_a_zip_without_exactly_one_model_is_refused(tmp_path: Path) -> None:
    for count in (0, 2):
        with zipfile.ZipFile(tmp_path / "a.ifczip", "w") as archive:
            for k in range(count):
                archive.writestr(f"{k}.ifc", "x")
        with pytest.raises(SourceError, match=f"holds {count} .ifc files"):
            open_ifc(tmp_path / "a.ifczip")


def test_a_damaged_zip_is_refused_with_a_mend(tmp_path: Path) -> None:
    path = tmp_path / "a.ifczip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(Maker().write(tmp_path / "p.ifc"), "p.ifc")
    data = bytearray(path.read_bytes())
    data[60:90] = b"\0" * 30
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.ifczip"):
        open_ifc(path)
