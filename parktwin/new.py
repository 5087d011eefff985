"""`parktwin new`: a park folder to start from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from twin.errors import ParkFileError
from twin.parkfile import FILE_NAME

_FOLDERS = ("bim", "gis", "schemes")
_REGISTRY = "id,kind,name,name_zh,building,storey,space,guid,x,y,z,feeds,heading\n"
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

_RULES = """\
# The planning condition of a plot: what schemes on /planner are judged by. 规划条件：方案比选按它判定。
# Take the # off what the condition says; what is left out is shown and not judged. 去掉 # 即生效，省略的只列数值、不判。
# Shares are 0..1, lengths metres, areas m2, sunlight hours. 比例为 0..1，长度米，面积平方米，日照小时。

# [rules]
# name = "Planning condition 2026-001"
# name_zh = "规划条件 2026-001"
# far_max = 2.5                  # floor area / plot 容积率
# gfa_max = 33000.0              # gross floor area 总建筑面积
# density_max = 0.28             # covered ground / plot 建筑密度
# green_min = 0.35               # green / plot 绿地率
# height_max = 60.0              # 限高
# setback_min = 8.0              # from the plot's line 退线
# spacing_min = 18.0             # between buildings 楼栋间距
# parking_min = 200              # 停车位
# sunlight_min = 2.0             # at sunward windows of dwellings on the day below 日照

# [site]
# name = "Plot 1"
# name_zh = "地块一"
# polygon = [[0.0, 0.0], [120.0, 0.0], [120.0, 80.0], [0.0, 80.0]]   # corners, park metres 角点，园区坐标

# [sunlight]
# day = "01-20"                  # Great Cold 大寒日; or 12-22, the winter solstice 冬至日
# from_hour = 8.0                # true solar time 真太阳时
# to_hour = 16.0
# sill = 0.9                     # window sill over the floor 窗台高

# A scheme is schemes/<name>.toml: 一个方案是一个 schemes/<名称>.toml：
#
#   [scheme]
#   name = "Slabs"
#   name_zh = "板式"
#   remove = ["d1", "city:14"]     # buildings, or layer:feature 拆除的建筑，或 图层:要素
#   parking = 220
#
#   [[building]]                   # a footprint with storeys 轮廓加层数
#   id = "n1"
#   use = "residential"            # judged by sunlight 按住宅判日照
#   footprint = [[10.0, 10.0], [60.0, 10.0], [60.0, 24.0], [10.0, 24.0]]
#   storeys = 11
#
#   [[building]]                   # or a model 或一个 IFC
#   id = "n2"
#   ifc = "bim/n2.ifc"
#   placement = { at = [70.0, 40.0, 0.0], rotation = 15.0 }
#
#   [[footprints]]                 # or a GIS file of footprints 或一个轮廓文件
#   source = "gis/scheme.geojson"
#   storeys_field = "storeys"
#
#   [[green]]
#   polygon = [[10.0, 30.0], [110.0, 30.0], [110.0, 50.0], [10.0, 50.0]]
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="new")(new)


def new(folder: Annotated[Path, typer.Argument(help="the park folder to make")]) -> None:
    """Make a park folder with a commented park.toml and rules.toml, ready to be filled."""
    make_park(folder)
    typer.echo(
        f"made {folder / FILE_NAME}; put models in {folder / 'bim'}, maps in {folder / 'gis'}, "
        f"then: parktwin check {folder}"
    )


def make_park(folder: Path) -> None:
    """Write park.toml, rules.toml, devices.csv and empty folders; a rules.toml or devices.csv that is there stays.

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
    rules = folder / "rules.toml"
    if not rules.exists():
        rules.write_text(_RULES, encoding="utf-8")
