"""A scheme worked out: stacks, indicators, sunlight before and after, its own GLB; kept by the content of what went in.

Everything lies under `build/schemes/<id>/`; the compiled park itself is never written.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import convergence_deg
from gis.mesh import polygons_of, triangulate
from scenes.scheme_file import Rules, Scheme, read_rules, read_scheme
from scenes.scheme_mass import Stack, Surroundings, added_stacks, apply_scheme, open_surroundings
from scenes.scheme_rules import Indicator, dark_cells, indicators, rings_of
from scenes.sunlight import Cells, Sky, facade_cells, is_front, merged_storeys, occluders, sun_hours
from twin.errors import SourceError
from twin.graph import SceneGraph
from twin.park import ParkSpec
from twin.parkfile import Fault

PRESENT = "present"
FORMAT = 6
NEIGHBOURS_M = 150.0
OCCLUDERS_M = 900.0
_Y_UP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)
Progress = Callable[[str, float], None]
Document = dict[str, Any]


def scheme_ids(spec: ParkSpec) -> list[str]:
    """Ids of the park's schemes, sorted."""
    folder = spec.root / "schemes"
    return sorted(p.stem for p in folder.glob("*.toml") if p.stem != PRESENT) if folder.is_dir() else []


def content_hash(spec: ParkSpec, manifest: Document, key: str) -> str:
    """Changes when the scheme, a file it names, the rules or the compiled park changes."""
    digest = hashlib.sha256(f"{FORMAT}:{manifest.get('build')}:{key}".encode())
    paths = [spec.root / "rules.toml"]
    if key != PRESENT:
        scheme, _ = read_scheme(spec.root / "schemes" / f"{key}.toml")
        paths += [scheme.path, *(b.ifc for b in scheme.buildings if b.ifc), *(f.source for f in scheme.footprints)]
    for path in paths:
        if path.is_file():
            state = path.stat()
            digest.update(_digest(path, state.st_mtime_ns, state.st_size))
        else:
            digest.update(b"-")
    return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=512)
def _digest(path: Path, modified_ns: int, size: int) -> bytes:
    """SHA-256 of a file; read again only when its time or size changes (browsers ask often, IFC files are large)."""
    return hashlib.sha256(path.read_bytes()).digest()


def kept(spec: ParkSpec, key: str, stamp: str) -> Document | None:
    """The result on disk, where it was worked out from the same content."""
    path = spec.build_dir / "schemes" / key / "result.json"
    try:
        found: Document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.get("stamp") == stamp else None


class Workshop:
    """Works schemes out against one compiled park, which is read once."""

    def __init__(self, spec: ParkSpec, manifest: Document, graph: SceneGraph) -> None:
        self._spec, self._manifest, self._graph = spec, manifest, graph
        self._around: Surroundings | None = None

    def work_out(self, key: str, progress: Progress = lambda what, share: None) -> Document:
        """The result of one scheme, from disk where its content is unchanged.

        Raises:
            SourceError: there is no such scheme, or neither it nor rules.toml says where the plot is.
        """
        if key != PRESENT and key not in scheme_ids(self._spec):
            raise SourceError(f"there is no scheme {key!r}", where="schemes/",
                              mend="put it into the park folder as schemes/<id>.toml")
        stamp = content_hash(self._spec, self._manifest, key)
        found = kept(self._spec, key, stamp)
        if found is None:
            found = self._fresh(key, stamp, progress)
        return found

    def _fresh(self, key: str, stamp: str, progress: Progress) -> Document:
        rules, rule_faults = read_rules(self._spec.root / "rules.toml")
        scheme, faults = self._scheme(key)
        site = scheme.site or rules.site or self._any_site()
        if site is None:
            raise SourceError("neither the scheme nor rules.toml says where the plot is", where=f"schemes/{key}.toml:1",
                              mend="write site = [[x, y], …] under [scheme], or [site] polygon in rules.toml")
        progress("surroundings", 0.05)
        self._around = self._around or open_surroundings(self._spec, self._manifest, self._graph)
        around = self._around
        progress("buildings", 0.2)
        added = added_stacks(scheme, self._spec, around, faults)
        stacks, removed = apply_scheme(scheme, added, around, faults)
        greens = [*scheme.greens] if scheme.greens else list(around.greens)
        progress("indicators", 0.4)
        rows = indicators(stacks, site, greens, scheme.parking, rules)
        progress("sunlight", 0.5)
        sun, sun_rows = self._sunlight(stacks, around.stacks, site, rules, progress)
        progress("writing", 0.95)
        folder = self._spec.build_dir / "schemes" / key
        folder.mkdir(parents=True, exist_ok=True)
        new = [s for s in stacks if s.is_new]
        built = shapely.union_all([s.footprint() for s in new])
        (folder / "scheme.glb").write_bytes(scheme_glb(new))
        result: Document = {
            "stamp": stamp, "id": key, "name": scheme.name, "name_zh": scheme.name_zh, "site": rings_of(site)[0],
            "site_name": rules.site_name, "site_name_zh": rules.site_name_zh, "rules": rules.name, "rules_zh": rules.name_zh,
            "setback": rules.limits.get("setback_min"), "ground": _ground(stacks, site),
            "removed": [s.id for s in removed], "buildings": [_building(s) for s in new],
            "greens": [ring for g in scheme.greens for ring in rings_of(g.difference(built))],
            "faults": [_fault(f, scheme.path.name) for f in faults] + [_fault(f, "rules.toml") for f in rule_faults],
            "indicators": [_row(r) for r in (*rows, *sun_rows)], "sunlight": sun}
        _write(folder / "result.json", result)
        return result

    def _scheme(self, key: str) -> tuple[Scheme, list[Fault]]:
        if key == PRESENT:
            return Scheme(id=PRESENT, path=self._spec.root / "park.toml", name="Present", name_zh="现状"), []
        return read_scheme(self._spec.root / "schemes" / f"{key}.toml")

    def _any_site(self) -> shapely.Polygon | None:
        sites = (read_scheme(self._spec.root / "schemes" / f"{key}.toml")[0].site for key in scheme_ids(self._spec))
        return next((site for site in sites if site is not None), None)

    def sky(self, rules: Rules) -> Sky:
        """The sun over the park on the day the rules name."""
        lat, lon = float(self._manifest["latitude"]), float(self._manifest["longitude"])
        return Sky(latitude=lat, longitude=lon, month_day=rules.month_day,
                   convergence_deg=convergence_deg(lon, lat, self._spec.crs))

    def _sunlight(self, stacks: Sequence[Stack], before: Sequence[Stack], site: shapely.Polygon, rules: Rules,
                  progress: Progress) -> tuple[Document, list[Indicator]]:
        sky, limit = self.sky(rules), rules.limits.get("sunlight_min")
        def is_near(stack: Stack) -> bool:
            return stack.is_new or site.distance(stack.storeys[0].outline) < NEIGHBOURS_M
        cells = facade_cells(stacks, rules.sill_m, is_near)
        after = sun_hours(cells, occluders(_within(stacks, site)), sky, rules.hours)
        progress("sunlight", 0.75)
        is_new = np.array([s.is_new for s in stacks])[cells.stack] if len(cells) else np.zeros(0, bool)
        was = np.full(len(cells), np.nan)
        old = _take(cells, ~is_new)
        was[~is_new] = sun_hours(old, occluders(_within(before, site)), sky, rules.hours)
        front = is_front(cells, sky.convergence_deg, sky.latitude)
        dwelling = np.array([s.is_dwelling or not s.is_new for s in stacks])[cells.stack] if len(cells) else np.zeros(0, bool)
        rows = _sun_rows(stacks, cells, after, was, front & is_new & dwelling, front & ~is_new, limit)
        return _sun_document(cells, stacks, after, was, front, sky, rules), rows


def _sun_rows(stacks: Sequence[Stack], cells: Cells, after: NDArray[np.float64], was: NDArray[np.float64],
              own: NDArray[np.bool_], others: NDArray[np.bool_], limit: float | None) -> list[Indicator]:
    """Two rows: the scheme's own dwellings, and neighbours that lose the rule because of it."""
    spots = [tuple(float(v) for v in p) for p in cells.sill]
    def breaches(rows: NDArray[np.bool_]) -> list[Any]:
        return [] if limit is None else dark_cells(stacks, cells.stack.tolist(), cells.storey.tolist(), after.tolist(), limit,
                                                   np.flatnonzero(rows).tolist(), spots)  # type: ignore[arg-type]
    dark = own & (after < (limit or 0.0) - 1e-6)
    lost = others & (was >= (limit or 0.0) - 1e-6) & (after < (limit or 0.0) - 1e-6)
    least = float(after[own].min()) if own.any() else None
    return [Indicator(key="sun_own", unit="h", value=least, limit=limit, is_upper=False, breaches=breaches(dark),
                      total=int(own.sum()), failed=int(dark.sum())),
            Indicator(key="sun_lost", unit="cells", value=float(lost.sum()), limit=None if limit is None else 0.0,
                      breaches=breaches(lost), total=int(others.sum()), failed=int(lost.sum()))]


def _sun_document(cells: Cells, stacks: Sequence[Stack], after: NDArray[np.float64], was: NDArray[np.float64],
                  front: NDArray[np.bool_], sky: Sky, rules: Rules) -> Document:
    times = np.linspace(*rules.hours, round((rules.hours[1] - rules.hours[0]) * 4) + 1)
    return {
        "day": list(rules.month_day), "hours": list(rules.hours), "sill": rules.sill_m,
        "noon_utc": round(sky.noon_utc_hours(), 5), "limit": rules.limits.get("sunlight_min"),
        "latitude": sky.latitude, "longitude": sky.longitude, "convergence": round(sky.convergence_deg, 4),
        "path": [[round(float(t), 4), *np.round(s, 5).tolist()] for t, s in zip(times, sky.sun(times), strict=True)],
        "stacks": [s.id for s in stacks], "stack": cells.stack.tolist(),
        "a": np.round(cells.a, 2).ravel().tolist(), "b": np.round(cells.b, 2).ravel().tolist(),
        "z0": np.round(cells.z0, 2).tolist(), "z1": np.round(cells.z1, 2).tolist(), "front": front.astype(int).tolist(),
        "hours_after": np.round(after, 3).tolist(),
        "hours_before": [None if np.isnan(h) else round(float(h), 3) for h in was]}


def _within(stacks: Sequence[Stack], site: shapely.Polygon) -> list[Stack]:
    return [s for s in stacks if site.distance(s.storeys[0].outline) < OCCLUDERS_M]


def _take(cells: Cells, rows: NDArray[np.bool_]) -> Cells:
    return Cells(*(getattr(cells, field.name)[rows] for field in dataclasses.fields(Cells)))


def _ground(stacks: Sequence[Stack], site: shapely.Polygon) -> float:
    near = min(stacks, key=lambda s: site.distance(s.storeys[0].outline), default=None)
    return round(near.ground, 3) if near else 0.0


def _building(stack: Stack) -> Document:
    return {"id": stack.id, "name": stack.name, "name_zh": stack.name_zh, "ground": round(stack.ground, 3),
            "top": round(stack.top, 3), "storeys": len(stack.above()), "area": round(stack.floor_area(), 1),
            "dwelling": stack.is_dwelling, "levels": [round(s.z0, 3) for s in stack.above()],
            "parts": [{"rings": rings_of(outline), "z0": round(z0, 3), "z1": round(z1, 3)}
                      for outline, z0, z1 in merged_storeys(stack)]}


def _row(row: Indicator) -> Document:
    return {**dataclasses.asdict(row), "passes": row.passes}


def _fault(fault: Fault, file: str) -> Document:
    return {"file": file, "line": fault.line, "what": fault.what, "mend": fault.mend, "severity": fault.severity}


def _write(path: Path, document: Document) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    partial.replace(path)


def scheme_glb(stacks: Sequence[Stack]) -> bytes:
    """The scheme's buildings as GLB: one mesh a building, named by its id; Y up, park frame."""
    import trimesh

    scene = trimesh.Scene()
    for stack in stacks:
        parts = []
        for outline, z0, z1 in merged_storeys(stack):
            for polygon in polygons_of(outline):
                xy, faces = triangulate(polygon)
                parts.append(trimesh.creation.extrude_triangulation(xy, faces, z1 - z0, transform=_lift(z0)))
        if parts:
            mesh = trimesh.util.concatenate(parts)
            mesh.apply_transform(_Y_UP)
            scene.add_geometry(mesh, node_name=stack.id, geom_name=stack.id)
    if not scene.geometry:
        return b""
    return bytes(scene.export(file_type="glb"))


def _lift(z: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[2, 3] = z
    return matrix
