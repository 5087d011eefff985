"""A park with one whole building, and with names from files that would like to run in the reader's browser."""

from __future__ import annotations

import html
from pathlib import Path

import geopandas as gpd
import ifcopenshell
from shapely.geometry import LineString, box

from assets.demo.blocks import BLOCKS
from assets.demo.building import write_building
from scenes.compile import compile_park
from twin.parkfile import load_park

CRS, X0, Y0 = "EPSG:4549", 519200.0, 3342600.0
IMG = '<img src=x onerror="window.hacked=(window.hacked||0)+1">'
SCRIPT = '"><script>window.hacked=1</script>'
SVG = "<svg/onload=window.hacked=1>"
LINK = "javascript:window.hacked=1"
HOSTILE = (IMG, SCRIPT, SVG, LINK)
DEVICES = f"""id,kind,name,name_zh,building,storey,space,guid,x,y,z,feeds
GATE-1,gate,South gate,南门道闸,,,,,20,5,1,
MTR-0,meter,Park meter,园区总表,,,,,10,90,1,park
MTR-E,meter,Energy meter,能源楼电表,e1,1F,106,,,,,e1
SMK-101,smoke,Plant room smoke,制冷机房烟感,e1,1F,101,,,,,
SMK-201,smoke,"{IMG.replace('"', '""')}",烟感 {SVG},e1,2F,201,,,,,
ENV-202,env_sensor,Office climate,办公环境,e1,2F,202,,,,,
AHU-1,ahu,Air handler,空调机组,e1,2F,203,,,,,
CAM-1,camera,Yard camera,场地摄像机,,,,,30,10,4,
CH-1,chiller,Chiller,冷水机组,e1,1F,101,,,,,
WX-1,weather,Weather,气象站,,,,,90,90,6,
"""
TEXT = f"""[park]
id = "paged"
name = 'Paged {SVG}'
name_zh = '页园 {SVG}'
crs = "{CRS}"
origin = [{X0}, {Y0}, 0.0]
registry = "devices.csv"
[live]
source = "simulator"
[[building]]
id = "e1"
ifc = "e1.ifc"
name = 'Energy Centre'
name_zh = '能源楼 {SCRIPT}'
placement = {{ at = [25.0, 30.0, 0.0], rotation = 0.0 }}
[[layer]]
id = "blocks"
source = "blocks.geojson"
kind = "buildings"
height_field = "height"
name = '{IMG}'
[[layer]]
id = "roads"
source = "roads.geojson"
kind = "roads"
"""


LOOP = """id = "loop"
name = "Loop"
owner = "Duty"
[trigger]
alarms = ["fire_pump.running"]
[[steps]]
key = "p"
name = "P"
kind = "fire_pump"
where = "park"
command = "start"
"""
NOBODY_S = f"id = '{IMG}'\nname = 'N'\nroles = []\nsteps = []\nowner = ' '\n"


def build_page_park(root: Path) -> Path:
    """Write and compile the park; its storey 2F, one room, one block and one device carry hostile names, one linkage
    loops, one plan (of a hostile name) has no owner, and two enterprises share the building: one storey and the rest."""
    for room, name, text in (("linkages", "loop", LOOP), ("plans", "nobody", NOBODY_S)):
        (root / room).mkdir()
        (root / room / f"{name}.toml").write_text(text, "utf-8")
    block = next(block for block in BLOCKS if block.id == "b3")
    write_building(block, root / "e1.ifc")
    model = ifcopenshell.open(root / "e1.ifc")
    next(s for s in model.by_type("IfcBuildingStorey") if s.Name == "2F").LongName = SCRIPT
    next(s for s in model.by_type("IfcSpace") if s.Name == "203").LongName = IMG
    model.write(str(root / "e1.ifc"))
    first, *others = (f"e1:{storey.GlobalId}" for storey in model.by_type("IfcBuildingStorey"))
    (root / "energy.toml").write_text(
        f"[[tenant]]\nid = 'acme'\nname = 'Acme {IMG}'\nname_zh = '艾克米 {IMG}'\nplaces = {[first]}\n"
        f"[[tenant]]\nid = 'rest'\nname = 'The rest'\nname_zh = '其余'\nplaces = {others}\n", "utf-8")
    gpd.GeoDataFrame({"height": [9.0], "name": [SCRIPT]}, crs=CRS, geometry=[
        box(X0 + 90, Y0 + 30, X0 + 98, Y0 + 45)]).to_crs(4326).to_file(root / "blocks.geojson", driver="GeoJSON")
    gpd.GeoDataFrame({"width": [6.0], "name": [IMG]}, crs=CRS, geometry=[
        LineString([(X0 + 5, Y0), (X0 + 5, Y0 + 100)])]).to_crs(4326).to_file(root / "roads.geojson", driver="GeoJSON")
    (root / "devices.csv").write_text(DEVICES, "utf-8")
    (root / "park.toml").write_text(TEXT, "utf-8")
    compile_park(load_park(root), jobs=1)
    return root


def escaped(name: str) -> str:
    """As a page's source shows it when it is text."""
    return html.escape(name, quote=False)
