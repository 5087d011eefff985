"""LAS and LAZ point clouds in, a piece at a time: where their points stand, in what colour, and what of them is left out."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import laspy
import numpy as np
from lazrs import LazrsError
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.crs import PARK, MissingCrs, park_from_map_xy, parse_crs
from gis.scancolours import Painter, painter_of
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerSpec

F64 = NDArray[np.float64]
SUFFIXES = (".las", ".laz")
PIECE = 500_000  # points read at a time
NOISE = (7, 18)  # ASPRS: low point, high noise
_SAMPLES, _SAMPLE = 24, 4_000
_WORST_REACH_M = 2_000_000.0
#: EPSG codes of a vertical unit in GeoTIFF keys → metres.
_UNIT_M = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937}
_VERTICAL_UNITS_KEY = 4099
_TRUE_BOX = 0.5  # the share of the sample that a header's box must hold to be believed
_RECORD_HEAD, _EXTENDED_RECORD_HEAD = 54, 60
_BROKEN = (LazrsError, laspy.errors.LaspyException, ValueError, EOFError, OSError)
_CHUNK = 50_000  # points that LAZ packs together, as nearly every writer has it


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scan as its header and a sample describe it.

    Args:
        crs: what its coordinates are in; "park" where park.toml places it.
        count: points that can be read.
        height_m: metres in its unit of height.
        raw: (k, 3) some of its points as they stand in the file. park: the same in park metres.
        box: (2, 3) lowest and highest coordinates its header gives, where they hold for the sample.
    """

    spec: LayerSpec
    crs: str
    count: int
    height_m: float
    painter: Painter
    raw: F64
    park: F64
    findings: tuple[Finding, ...]
    box: F64 = field(default_factory=lambda: np.array([[-np.inf] * 3, [np.inf] * 3]))


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A piece of a scan: (n, 3) park metres and (n, 3) sRGB."""

    position: F64
    colour: NDArray[np.uint8]


def is_scan(path: Path) -> bool:
    """Whether a layer file is a point cloud that is read here."""
    return path.suffix.lower() in SUFFIXES


def survey_scan(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float]) -> Scan:
    """What a scan is, from its header and points picked all over it.

    Raises:
        SourceError: it cannot be read, or holds no points.
        MissingCrs: it has no coordinate system and park.toml gives it neither one nor a placement.
    """
    if not is_scan(spec.source):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is no point cloud that is read here", where=spec.where,
                          mend="export it as LAS or LAZ 1.2 to 1.4")
    findings: list[Finding] = []
    with _opened(spec) as reader:
        header = reader.header
        _check_header(spec, header)
        count = _readable(spec, header, findings)
        sample = _sample(spec, reader, count)
        crs, height_m = _crs_of(spec, header, sample, findings)
        raw = np.column_stack([sample.x, sample.y, sample.z]).astype(np.float64)
        painter = painter_of(sample)
    if not painter.is_own:
        findings.append(Finding("note", f"layer '{spec.id}': points are coloured by {painter.by}", spec.source.name))
    scan = Scan(spec, crs, count, height_m, painter, raw, raw, tuple(findings))
    box = np.array([header.mins, header.maxs], np.float64)
    if np.isfinite(box).all() and _inside(raw, box).mean() > _TRUE_BOX:
        scan = replace(scan, box=box)
    return replace(scan, park=_placed(scan, raw, park_crs, origin))


def read_points(scan: Scan, park_crs: str, origin: tuple[float, float, float], left_out: Counter[str],
                progress: Callable[[int], None] = lambda done: None) -> Iterator[Points]:
    """The points of a scan in the park frame, `PIECE` at a time; withheld, noise and impossible ones left out.

    Raises:
        SourceError: the file breaks off on the way.
    """
    done = 0
    with _opened(scan.spec) as reader:
        while done < scan.count:
            try:
                piece = reader.read_points(min(PIECE, scan.count - done))
            except _BROKEN:
                piece = _salvaged(scan, done, left_out)
                done += min(PIECE, scan.count - done)
                yield _wanted(scan, piece, park_crs, origin, left_out)
                reader.seek(min(done, scan.count - 1))
                continue
            if not len(piece):
                left_out["unreadable, as the file breaks off"] += scan.count - done
                return
            yield _wanted(scan, piece, park_crs, origin, left_out)
            done += len(piece)
            progress(done)


def _salvaged(scan: Scan, start: int, left_out: Counter[str]) -> laspy.ScaleAwarePointRecord:
    """A damaged piece chunk by chunk; those that cannot be unpacked are counted."""
    parts: list[laspy.ScaleAwarePointRecord] = []
    end = min(start + PIECE, scan.count)
    for at in range(start, end, _CHUNK):
        count = min(_CHUNK, end - at)
        with _opened(scan.spec) as reader:
            try:
                reader.seek(at)
                parts.append(reader.read_points(count))
            except _BROKEN:
                left_out["unreadable, as the file is damaged"] += count
    return _joined(parts) if parts else laspy.ScaleAwarePointRecord.zeros(0, header=reader.header)


def _wanted(scan: Scan, piece: laspy.ScaleAwarePointRecord, park_crs: str, origin: tuple[float, float, float],
            left_out: Counter[str]) -> Points:
    withheld = np.asarray(piece.withheld, dtype=bool)
    noise = np.isin(np.asarray(piece.classification), NOISE) & ~withheld
    keep = ~(withheld | noise)
    left_out["marked as withheld"] += int(withheld.sum())
    left_out["classified as noise (7, 18)"] += int(noise.sum())
    piece = piece[keep]
    raw = np.column_stack([piece.x, piece.y, piece.z]).astype(np.float64)
    park = _placed(scan, raw, park_crs, origin)
    here = _inside(raw, scan.box)
    left_out["outside the box that the file's header gives"] += int((~here).sum())
    sound = np.isfinite(park).all(axis=1) & (np.abs(np.nan_to_num(park)) < _WORST_REACH_M).all(axis=1)
    left_out["at coordinates that cannot be"] += int((here & ~sound).sum())
    sound &= here
    return Points(park[sound], scan.painter.paint(piece)[sound])


def _inside(raw: F64, box: F64) -> NDArray[np.bool_]:
    if not np.isfinite(box).all():
        return np.ones(len(raw), np.bool_)
    more = 0.01 * (box[1] - box[0]) + 0.01
    return np.asarray(((raw >= box[0] - more) & (raw <= box[1] + more)).all(axis=1))


def _placed(scan: Scan, raw: F64, park_crs: str, origin: tuple[float, float, float]) -> F64:
    spec = scan.spec
    raw = raw + np.array(spec.background.offset or (0.0, 0.0, 0.0))
    xy, z = (raw[:, 1::-1] if spec.is_north_first else raw[:, :2]), raw[:, 2] * scan.height_m
    if spec.placement is not None:
        turn = np.radians(spec.placement.rotation_deg)
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        return np.column_stack([xy * scan.height_m @ matrix, z]) + np.array(spec.placement.at)
    rise = 0.0 if scan.crs.lower() == PARK else origin[2]
    with np.errstate(all="ignore"):
        return np.column_stack([park_from_map_xy(xy, scan.crs, park_crs, origin), z - rise])


def _opened(spec: LayerSpec) -> laspy.LasReader:
    if not spec.source.is_file():
        raise SourceError(f"layer '{spec.id}' names {spec.source.name}, which does not exist", where=spec.where,
                          mend="correct `source` in park.toml or put the file there")
    _check_counts(spec)
    try:
        return laspy.open(spec.source, laz_backend=[laspy.LazBackend.Lazrs])
    except (LazrsError, laspy.errors.LaspyException, ValueError, EOFError, OSError, IndexError, KeyError,
            UnicodeDecodeError, OverflowError) as error:
        raise _unreadable(spec, error) from error


def _check_counts(spec: LayerSpec) -> None:
    """Nothing is read by a header that names more records than the file has bytes for: it would go on for hours."""
    size = spec.source.stat().st_size
    with spec.source.open("rb") as file:
        head = file.read(375)
    if not head.startswith(b"LASF") or len(head) < 227:
        raise _unreadable(spec, ValueError("it does not begin as a LAS file"))
    header, points, records = struct.unpack_from("<HII", head, 94)
    is_sound = 227 <= header <= points <= size and header + records * _RECORD_HEAD <= points
    if is_sound and head[25] >= 4 and header >= 375 and len(head) == 375:
        start, extra = struct.unpack_from("<QI", head, 235)
        is_sound = not extra or start + extra * _EXTENDED_RECORD_HEAD <= size
    if not is_sound:
        raise _unreadable(spec, ValueError("its header does not fit the file"))


def _unreadable(spec: LayerSpec, error: Exception) -> SourceError:
    text = (str(error).splitlines() or ["?"])[0]
    cut = "whole buffer" in text or isinstance(error, EOFError)
    what = "is cut off, its last bytes are missing" if cut else f"cannot be read ({text[:160]})"
    return SourceError(f"layer '{spec.id}': {spec.source.name} {what}", where=spec.where,
                       mend="copy or export it again" if cut else "export it again as LAS or LAZ 1.2 to 1.4")


def _check_header(spec: LayerSpec, header: laspy.LasHeader) -> None:
    scales, offsets = np.asarray(header.scales, np.float64), np.asarray(header.offsets, np.float64)
    if not np.isfinite(scales).all() or not np.isfinite(offsets).all() or (scales == 0).any():
        raise SourceError(f"layer '{spec.id}': {spec.source.name} says its coordinates are to be multiplied by "
                          f"{', '.join(f'{s:g}' for s in scales)} and shifted by {', '.join(f'{o:g}' for o in offsets)}",
                          where=spec.where, mend="export it again with a scale such as 0.001")


def _readable(spec: LayerSpec, header: laspy.LasHeader, findings: list[Finding]) -> int:
    """How many points there are; of an uncompressed file that breaks off, those that are whole."""
    count = int(header.point_count)
    if not header.are_points_compressed:
        whole = max(0, spec.source.stat().st_size - header.offset_to_point_data) // header.point_format.size
        if whole < count:
            findings.append(Finding("warning", f"layer '{spec.id}': the file breaks off; of {count:,} points {whole:,} are "
                                               "there", spec.source.name, "copy or export it again", count - whole))
            count = whole
    if count <= 0:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds no points", where=spec.where,
                          mend="check the export; leave the layer out if the scan is empty")
    return count


def _sample(spec: LayerSpec, reader: laspy.LasReader, count: int) -> laspy.ScaleAwarePointRecord:
    """Some points from all over the file."""
    parts: list[laspy.ScaleAwarePointRecord] = []
    last: Exception = EOFError("no points")
    for start in np.unique(np.linspace(0, max(0, count - _SAMPLE), _SAMPLES).astype(np.int64)).tolist():
        try:
            reader.seek(start)
            part = reader.read_points(min(_SAMPLE, count - start))
        except _BROKEN as error:
            last = error
            continue
        if len(part):
            parts.append(part)
    if not parts:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} is damaged, none of its points can be read",
                          where=spec.where, mend="copy or export it again") from last
    return _joined(parts)


def _joined(parts: list[laspy.ScaleAwarePointRecord]) -> laspy.ScaleAwarePointRecord:
    first = parts[0]
    return laspy.ScaleAwarePointRecord(np.concatenate([p.array for p in parts]), first.point_format, first.scales,
                                       first.offsets)


def _crs_of(spec: LayerSpec, header: laspy.LasHeader, sample: laspy.ScaleAwarePointRecord,
            findings: list[Finding]) -> tuple[str, float]:
    """The coordinate system and the metres in a unit of height: park.toml's word, else the file's."""
    if spec.placement is not None:
        return PARK, spec.unit_m or 1.0
    inside = _header_crs(spec, header, findings)
    height_m = spec.unit_m or _height_m(header, inside)
    if spec.crs:
        declared = parse_crs(spec.crs, spec.where)
        if inside is not None and declared is not None and not _flat(inside).equals(_flat(declared)):
            findings.append(Finding("note", f"layer '{spec.id}': park.toml says {spec.crs}, the file says "
                                            f"{_flat(inside).name}; park.toml is followed", spec.source.name))
        return spec.crs, height_m
    if inside is None:
        error = MissingCrs(f"layer '{spec.id}': {spec.source.name} has no coordinate system", where=spec.where,
                           mend='add crs = "EPSG:…" to the layer, or placement = { at = [x, y, z] } where it has none')
        error.sample = np.column_stack([sample.x, sample.y]).astype(np.float64)
        raise error
    if height_m != 1.0 and not spec.unit_m:
        findings.append(Finding("note", f"layer '{spec.id}': heights taken as {1 / height_m:.4f} to the metre",
                                spec.source.name, 'write unit = "m" in the layer if they are metres'))
    return _flat(inside).to_string(), height_m


def _header_crs(spec: LayerSpec, header: laspy.LasHeader, findings: list[Finding]) -> CRS | None:
    try:
        return header.parse_crs()
    except (CRSError, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        text = (str(error).splitlines() or ["?"])[0]
        findings.append(Finding("warning", f"layer '{spec.id}': the coordinate system in the file is not understood",
                                f"{spec.source.name}: {text[:120]}", 'add crs = "EPSG:…" to the layer'))
        return None


def _flat(crs: CRS) -> CRS:
    """The horizontal half of a compound system."""
    return crs.sub_crs_list[0] if crs.is_compound else crs.to_2d() if len(crs.axis_info) == 3 else crs


def _height_m(header: laspy.LasHeader, crs: CRS | None) -> float:
    """Metres in a unit of height: what the file says of heights, else the unit its grid is in."""
    for vlr in header.vlrs.get("GeoKeyDirectoryVlr"):
        for key in vlr.geo_keys:
            if key.id == _VERTICAL_UNITS_KEY and key.value_offset in _UNIT_M:
                return _UNIT_M[key.value_offset]
    if crs is None:
        return 1.0
    axes = crs.sub_crs_list[1].axis_info if crs.is_compound and len(crs.sub_crs_list) > 1 else crs.axis_info
    axis = axes[-1] if axes and (len(axes) != 2 or _flat(crs).is_projected) else None
    return float(axis.unit_conversion_factor) if axis is not None and not crs.is_geographic else 1.0
