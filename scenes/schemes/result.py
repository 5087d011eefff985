"""A scheme worked out: stacks, indicators, sunlight before and after, its own GLB; kept by the content of what went in.

Everything lies under `build/schemes/<id>/`; the compiled park itself is never written.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import shapely

from gis.crs import convergence_deg
from scenes.schemes.file import Rules, Scheme, read_rules, read_scheme
from scenes.schemes.listed import PRESENT, Document, content_hash, fault_document, scheme_ids
from scenes.schemes.mass import LeftOut, Surroundings, added_stacks, apply_scheme, open_surroundings
from scenes.schemes.model import scheme_glb
from scenes.schemes.rules import Indicator, indicators, rings_of
from scenes.schemes.stack import Stack
from scenes.schemes.sun import SunStudy, study, sun_document, sun_rows
from scenes.schemes.sunlight import Sky, merged_storeys
from twin.errors import SourceError
from twin.graph import SceneGraph
from twin.park import ParkSpec
from twin.parkfile import Fault

Progress = Callable[[str, float], None]


def kept(spec: ParkSpec, key: str, stamp: str) -> Document | None:
    """The result on disk, where it was worked out from the same content."""
    path = spec.build_dir / "schemes" / key / "result.json"
    try:
        found: Document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.get("stamp") == stamp else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Standing:
    """A scheme as it would stand: everything but the sun, which depends on the day as well."""

    stamp: str
    scheme: Scheme
    rules: Rules
    faults: list[Document]
    site: shapely.Polygon
    stacks: list[Stack]
    removed: list[Stack]
    left: list[LeftOut]
    rows: list[Indicator]


class Workshop:
    """Works schemes out against one compiled park, which is read once."""

    def __init__(self, spec: ParkSpec, manifest: Document, graph: SceneGraph) -> None:
        self._spec, self._manifest, self._graph = spec, manifest, graph
        self._around: Surroundings | None = None
        self._standing: dict[str, _Standing] = {}

    def work_out(self, key: str, progress: Progress = lambda what, share: None, *,
                 day: tuple[int, int] | None = None) -> Document:
        """The result of one scheme, from disk where its content is unchanged.

        Args:
            progress: hears what is under way and the share done.
            day: (month, day) of the sunlight; None is the day the rules name, and the only one kept on disk.

        Raises:
            SourceError: there is no such scheme, or neither it nor rules.toml says where the plot is.
        """
        if key != PRESENT and key not in scheme_ids(self._spec):
            raise SourceError(f"there is no scheme {key!r}", where="schemes/",
                              mend="put it into the park folder as schemes/<id>.toml", code="scheme.unknown",
                              fill={"key": key})
        stamp = content_hash(self._spec, self._manifest, key)
        found = kept(self._spec, key, stamp) if day is None else None
        return found or self._fresh(key, stamp, progress, day)

    def _fresh(self, key: str, stamp: str, progress: Progress, day: tuple[int, int] | None) -> Document:
        standing = self._standing.get(key)
        if standing is None or standing.stamp != stamp:
            standing = self._standing[key] = self._stand(key, stamp, progress)
        assert self._around is not None
        progress("sunlight", 0.5)
        sky = self.sky(day or standing.rules.month_day)
        sun = study(standing.stacks, self._around.stacks, standing.site, standing.rules, sky, progress)
        progress("writing", 0.95)
        result = _document(key, standing, sun)
        if day is None or sun.is_rule_day:
            _write(self._spec.build_dir / "schemes" / key / "result.json", result)
        return result

    def _stand(self, key: str, stamp: str, progress: Progress) -> _Standing:
        rules, rule_faults = read_rules(self._spec.root / "rules.toml")
        scheme, faults = self._scheme(key)
        site = scheme.site or rules.site or self._any_site()
        if site is None:
            raise SourceError("neither the scheme nor rules.toml says where the plot is", where=f"schemes/{key}.toml:1",
                              mend="write site = [[x, y], …] under [scheme], or [site] polygon in rules.toml",
                              code="scheme.plot")
        progress("surroundings", 0.05)
        around = self._around = self._around or open_surroundings(self._spec, self._manifest, self._graph)
        progress("buildings", 0.2)
        added = added_stacks(scheme, self._spec, around, faults)
        stacks, removed, left = apply_scheme(scheme, added, around, faults)
        progress("indicators", 0.4)
        rows = indicators(stacks, site, [*scheme.greens] or list(around.greens), scheme.parking, rules)
        told = [fault_document(f, scheme.path.name) for f in faults] + [fault_document(f, "rules.toml") for f in rule_faults]
        folder = self._spec.build_dir / "schemes" / key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scheme.glb").write_bytes(scheme_glb([s for s in stacks if s.is_new]))
        return _Standing(stamp=stamp, scheme=scheme, rules=rules, site=site, stacks=stacks, removed=removed, left=left,
                         rows=rows, faults=told)

    def _scheme(self, key: str) -> tuple[Scheme, list[Fault]]:
        if key == PRESENT:
            return Scheme(id=PRESENT, path=self._spec.root / "park.toml", name="Present", name_zh="现状"), []
        return read_scheme(self._spec.root / "schemes" / f"{key}.toml")

    def _any_site(self) -> shapely.Polygon | None:
        sites = (read_scheme(self._spec.root / "schemes" / f"{key}.toml")[0].site for key in scheme_ids(self._spec))
        return next((site for site in sites if site is not None), None)

    def sky(self, month_day: tuple[int, int]) -> Sky:
        """The sun over the park on a day."""
        lat, lon = float(self._manifest["latitude"]), float(self._manifest["longitude"])
        turn = convergence_deg(lon, lat, self._spec.crs)
        return Sky(latitude=lat, longitude=lon, month_day=month_day, convergence_deg=turn)


def _document(key: str, standing: _Standing, sun: SunStudy) -> Document:
    """The result as JSON."""
    scheme, rules = standing.scheme, standing.rules
    new = [s for s in standing.stacks if s.is_new]
    built = shapely.union_all([s.footprint() for s in new])
    return {
        "stamp": standing.stamp, "id": key, "name": scheme.name, "name_zh": scheme.name_zh,
        "site": rings_of(standing.site)[0], "site_name": rules.site_name, "site_name_zh": rules.site_name_zh,
        "rules": rules.name, "rules_zh": rules.name_zh, "setback": rules.limits.get("setback_min"),
        "ground": _ground(standing.stacks, standing.site), "removed": [s.id for s in standing.removed],
        "buildings": [_building(s) for s in new], "left_out": [_left_out(item) for item in standing.left],
        "greens": [ring for g in scheme.greens for ring in rings_of(g.difference(built))], "faults": standing.faults,
        "indicators": [_row(r) for r in (*standing.rows, *sun_rows(sun))], "sunlight": sun_document(sun)}


def _ground(stacks: Sequence[Stack], site: shapely.Polygon) -> float:
    near = min(stacks, key=lambda s: site.distance(s.storeys[0].outline), default=None)
    return round(near.ground, 3) if near else 0.0


def _building(stack: Stack) -> Document:
    return {"id": stack.id, "name": stack.name, "name_zh": stack.name_zh, "ground": round(stack.ground, 3),
            "top": round(stack.top, 3), "storeys": len(stack.above()), "area": round(stack.floor_area(), 1),
            "dwelling": stack.is_dwelling, "modelled": stack.model is not None,
            "levels": [round(s.z0, 3) for s in stack.above()],
            "parts": [{"rings": rings_of(outline), "z0": round(z0, 3), "z1": round(z1, 3)}
                      for outline, z0, z1 in merged_storeys(stack)]}


def _row(row: Indicator) -> Document:
    return {**dataclasses.asdict(row), "passes": row.passes}


def _left_out(item: LeftOut) -> Document:
    """Where the building would stand, what it would stand in, and the point in the middle of both."""
    stack, shape = item.stack, item.stack.footprint()
    clash = shape.intersection(shapely.union_all([hit.footprint() for hit in item.hits]))
    middle = clash.representative_point()
    return {"id": stack.id, "name": stack.name, "name_zh": stack.name_zh,
            "z0": round(stack.ground, 3), "z1": round(stack.top, 3),
            "rings": rings_of(shape), "clash": rings_of(clash), "hits": [hit.id for hit in item.hits],
            "hit_names": [hit.name for hit in item.hits], "hit_names_zh": [hit.name_zh for hit in item.hits],
            "at": [round(middle.x, 3), round(middle.y, 3), round(stack.top, 3)], "line": item.fault.line}


def _write(path: Path, document: Document) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    partial.replace(path)
