"""`parktwin new`: a park folder to start from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from twin.errors import ParkFileError
from twin.parkfile import FILE_NAME

_FOLDERS = ("bim", "gis")
_REGISTRY = "id,kind,name,name_zh,building,storey,space,guid,x,y,z,feeds\n"
_TEMPLATE = """\
# A park: what it is, and which files it is made of. 园区：说明与数据来源。
# Check it with `parktwin check {folder}`. 检查：parktwin check {folder}

[park]
id = "{id}"
name = "{name}"
name_zh = "{name}"
# Projected CRS of the place, in metres (CGCS2000 zones: EPSG:4534-4554). 投影坐标系（米）。
crs = "EPSG:4549"
# A point near the middle of the park in that CRS: east, north, height. 园区中部一点：东、北、高。
origin = [500000.0, 3400000.0, 0.0]
# Devices: a CSV beside this file. 设备台账。
registry = "devices.csv"
# Device packs in use; leave out for all. 启用的系统包，省略则全部启用。
# packs = ["energy", "fire", "lifts"]

[live]
# "simulator", or an MQTT broker such as "mqtt://127.0.0.1:1883". 实时数据来源。
source = "simulator"

# [[source]]                        # a server of the field, as many as there are 现场数据源，可有多个
# id = "chillers"                   # modbus, opc.tcp, bacnet, mqtt, sparkplug, http-in
# url = "modbus://10.0.0.3:502"
# points = "chillers.csv"           # `parktwin discover` writes it 点表，可自动生成

# [[zone]]
# id = "north"
# name = "North"
# name_zh = "北区"

# [[building]]                      # one IFC file a discipline 每个专业一个 IFC 文件
# id = "a1"
# ifc = ["bim/a1-architecture.ifc", "bim/a1-hvac.ifc"]
# zone = "north"
# placement = {{ at = [0.0, 0.0, 0.0], rotation = 0.0 }}  # where the IFC has no georeference 无地理参照时填写

# [[layer]]                         # GeoJSON, GeoPackage, Shapefile, OSM, DXF, CSV, GeoTIFF
# id = "roads"
# source = "gis/roads.geojson"
# kind = "roads"
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="new")(new)


def new(folder: Annotated[Path, typer.Argument(help="the park folder to make")]) -> None:
    """Make a park folder with a commented park.toml, ready to be filled."""
    make_park(folder)
    typer.echo(
        f"made {folder / FILE_NAME}; put models in {folder / 'bim'}, maps in {folder / 'gis'}, "
        f"then: parktwin check {folder}"
    )


def make_park(folder: Path) -> None:
    """Write park.toml, devices.csv and empty folders.

    Raises:
        ParkFileError: the folder already holds a park.toml.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise ParkFileError(f"{folder} already holds a park", mend="name another folder", where=str(path))
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    name = folder.resolve().name
    park_id = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "park"
    shown = name.replace("\\", "/").replace('"', "'")
    path.write_text(_TEMPLATE.format(id=park_id, name=shown, folder=folder), encoding="utf-8")
    registry = folder / "devices.csv"
    if not registry.exists():
        registry.write_text(_REGISTRY, encoding="utf-8")
