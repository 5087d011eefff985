"""DXF site plans in: outlines, lines and block references by drawing layer, in the unit the drawing says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from gis.dxf_splines import rewrite
from twin.finding import Finding
from twin.park import LayerSpec

#: $INSUNITS → metres.
_UNITS_M = {1: 0.0254, 2: 0.3048, 4: 0.001, 5: 0.01, 6: 1.0, 7: 1000.0, 8: 2.54e-8, 9: 2.54e-5, 10: 0.9144, 14: 0.1,
            21: 1200 / 3937}
#: Kinds whose features are single things: block references stay points there, elsewhere they are drawn out.
_POINTED = ("trees", "lamps", "bollards", "gates", "furniture", "entrances", "poi")
_HEADER_LINES = 4000
#: Entities that are read, or that hold nothing to be drawn.
_READ = frozenset((
    "POINT", "LINE", "POLYLINE", "LWPOLYLINE", "VERTEX", "SEQEND", "CIRCLE", "ELLIPSE", "ARC", "SPLINE", "INSERT", "HATCH",
    "SOLID", "TRACE", "3DFACE", "TEXT", "MTEXT", "ATTRIB", "ATTDEF", "DIMENSION", "LEADER", "MULTILEADER", "VIEWPORT",
    "ENDSEC", "SECTION", "EOF", "IMAGE", "WIPEOUT", "OLE2FRAME", "XLINE", "RAY", "LIGHT", "ACAD_TABLE", "TOLERANCE"))


def is_dxf(path: Path) -> bool:
    """Whether a file is a DXF drawing."""
    return path.suffix.lower() == ".dxf"


def read_dxf(spec: LayerSpec, findings: list[Finding]) -> tuple[gpd.GeoDataFrame, float]:
    """Entities of a drawing's model space and the metres in its unit.

    `table` of the layer names one drawing layer. Block references keep their attributes; a closed line is an area;
    texts are no features, but one lying in an area names it.
    """
    is_pointed = spec.kind in _POINTED
    pyogrio.set_gdal_config_options({"DXF_INLINE_BLOCKS": "FALSE" if is_pointed else "TRUE",
                                     "DXF_CLOSED_LINE_AS_POLYGON": "TRUE"})
    with TemporaryDirectory(prefix="parktwin-dxf-") as folder:
        drawn = Path(folder) / "drawn.dxf"
        is_rewritten = rewrite(spec.source, drawn)
        rows = pyogrio.read_dataframe(drawn if is_rewritten else spec.source, layer="entities", use_arrow=False,
                                      encoding=None, on_invalid="ignore")
    _tell_unread(spec, findings)
    rows = _in_chinese(spec, rows, findings)
    rows = rows[rows["PaperSpace"].isna() | (rows["PaperSpace"] == 0)]
    is_text = rows["SubClasses"].fillna("").str.contains("AcDb(?:M)?Text", regex=True).to_numpy()
    labels = rows[is_text]
    rows = rows[~is_text]
    if spec.table:
        known = sorted(rows["Layer"].dropna().unique())
        rows = rows[rows["Layer"].str.lower() == spec.table.lower()]
        if not len(rows):
            findings.append(Finding("warning", f"layer '{spec.id}': the drawing has no layer '{spec.table}'",
                                    spec.source.name, f"its layers are {', '.join(known)[:300]}"))
    rows = _with_block_attributes(rows) if is_pointed else _named(rows, labels)
    return rows.reset_index(drop=True), spec.unit_m or _unit_m(spec, findings)


def _tell_unread(spec: LayerSpec, findings: list[Finding]) -> None:
    """What the drawing holds that is not read, such as the walls of Tangent (天正) and other programs' own entities."""
    unread: Counter[str] = Counter()
    with spec.source.open("rb") as file:
        section = b""
        for code, value in zip(file, file, strict=False):
            code, value = code.strip(), value.strip()
            if code == b"2" and section == b"?":
                section = value
            if code == b"0":
                section = b"?" if value == b"SECTION" else b"" if value == b"ENDSEC" else section
                if section == b"ENTITIES" and value.decode("latin-1") not in _READ:
                    unread[value.decode("latin-1")] += 1
    if unread:
        kinds = ", ".join(f"{name[:40]} ({n:,})" for name, n in unread.most_common(5))
        findings.append(Finding("warning", f"layer '{spec.id}': entities of kinds that are not read: {kinds}",
                                spec.source.name, "explode them into lines before the export (of Tangent: export as T3)",
                                unread.total()))


def _in_chinese(spec: LayerSpec, rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Names that are GBK although the drawing says another code page, read as GBK."""
    layers = sorted({str(v) for v in rows["Layer"].dropna()})
    if not any(_mended(name) for name in layers) or not all(name.isascii() or _mended(name) for name in layers):
        return rows
    findings.append(Finding("note", f"layer '{spec.id}': the drawing's code page is wrong; its names are read as GBK",
                            spec.source.name, "save it again in AutoCAD 2007 or later, which writes UTF-8"))
    for name in ("Layer", "Text", "BlockName"):
        if name in rows:
            rows[name] = [_mended(v) or v if isinstance(v, str) else v for v in rows[name]]
    return rows


def _mended(text: str) -> str:
    """Latin letters with accents as the Chinese words they were; "" where they were none."""
    if text.isascii():
        return ""
    for page in ("cp1252", "latin-1"):
        try:
            words = text.encode(page).decode("gbk")
        except UnicodeError:
            continue
        if any("\u4e00" <= c <= "\u9fff" for c in words):
            return words
    return ""


def _unit_m(spec: LayerSpec, findings: list[Finding]) -> float:
    code = _header_code(spec.source, "$INSUNITS")
    if code in _UNITS_M:
        return _UNITS_M[code]
    findings.append(Finding("note", f"layer '{spec.id}': the drawing does not say its unit; taken as metres",
                            spec.source.name, 'add unit = "mm" (or "m") to the layer'))
    return 1.0


def _header_code(path: Path, name: str) -> int:
    """The number of a header variable; 0 where it is missing (binary drawings have none that is read here)."""
    with path.open("r", encoding="latin-1") as lines:
        head = [line.strip() for _, line in zip(range(_HEADER_LINES), lines, strict=False)]
    at = head.index(name) if name in head else -1
    value = head[at + 2] if 0 <= at < len(head) - 2 else ""
    return int(value) if value.isdigit() else 0


def _with_block_attributes(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Attributes of block references as columns; block name as `type`, scale times one unit as `scale`."""
    if "BlockName" not in rows:
        return rows
    tags = [dict(pair for text in (cell if isinstance(cell, list | np.ndarray) else [])
                 if len(pair := str(text).split(" ", 1)) == 2) for cell in rows["BlockAttributes"]]
    more = {name: [row.get(name) for row in tags] for name in sorted({n for row in tags for n in row})}
    rows = rows.assign(type=rows["BlockName"], angle=rows["BlockAngle"],
                       **{n: pd.Series(v, index=rows.index, dtype=object) for n, v in more.items()})
    dull = ["BlockOCSNormal", "BlockOCSCoords", "BlockAttributes", "Block", "AttributeTag", "SubClasses", "PaperSpace",
            "BlockScale", "BlockAngle"]
    return rows.drop(columns=[n for n in dull if n in rows])


def _named(rows: gpd.GeoDataFrame, labels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Areas named by the first text that lies in them."""
    rows = rows.drop(columns=[n for n in ("PaperSpace", "SubClasses") if n in rows])
    areas = np.array([_area_of(g) for g in rows.geometry], dtype=object)
    names = np.full(len(rows), None, dtype=object)
    if len(labels) and len(areas):
        label, area = shapely.STRtree(areas).query(np.asarray(labels.geometry.values, dtype=object), predicate="within")
        used: set[int] = set()
        for k in np.argsort(shapely.area(areas[area]), kind="stable").tolist():  # a text names the smallest area round it
            if label[k] not in used and names[area[k]] is None:
                used.add(int(label[k]))
                names[area[k]] = str(labels["Text"].iloc[label[k]])
    return rows.assign(name=names)


def _area_of(geometry: shapely.Geometry | None) -> shapely.Geometry:
    if geometry is None or geometry.is_empty:
        return shapely.Polygon()
    if geometry.geom_type == "LineString" and geometry.is_closed and len(geometry.coords) > 3:
        return shapely.make_valid(shapely.force_2d(shapely.Polygon(geometry.coords)))
    return shapely.force_2d(geometry) if shapely.get_dimensions(geometry) == 2 else shapely.Polygon()
