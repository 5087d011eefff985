"""Scans and reality meshes as background layers: surveyed, judged by where they land, tiled, each in a process of its own.

What was tiled before from the same file, by the same code, around the same buildings is taken over as it stands.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.crs import MissingCrs
from gis.model import Ground
from gis.sidecars import sidecars
from scenes.background_folder import TILESET, Frame
from scenes.background_job import OUT_OF_MEMORY, RESULT, Refused, Request, Surveyed
from scenes.kept import NOTHING_KEPT
from scenes.meshopt import packing
from scenes.tileset import Tile
from twin.errors import SourceError
from twin.finding import Finding, as_finding
from twin.park import BACKGROUNDS, LayerSpec, ParkSpec
from twin.steps import StepStore, code_digest, digest_of_file, key_of

FOLDER = "bg"
TIMEOUT_SECS = 4 * 3600.0
CUT_REACH_M = 0.6  # how far round a building nothing of a background is drawn
FAR_M = 5_000.0
_OFF_M, _CELL_M, _FEW_POINTS = 2.0, 10.0, 50
_TREE = Path(__file__).resolve().parent.parent
_NOWHERE = shapely.Polygon()
_EVERYWHERE = (-1e12, -1e12, 1e12, 1e12)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Backgrounds:
    """The tiles of a park's background layers, what the manifest says of them, and what to tell."""

    tiles: tuple[Tile, ...]
    manifest: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]


def is_background(spec: LayerSpec) -> bool:
    """Whether a layer is a picture to look at, without things in it."""
    return spec.kind in BACKGROUNDS


def survey(spec: LayerSpec, park: ParkSpec, store: StepStore = NOTHING_KEPT) -> Surveyed:
    """What one background layer is and where it lies; kept, so that an unchanged one is not opened again.

    Raises:
        SourceError: it cannot be read.
        MissingCrs: nothing says where it lies.
    """
    key = key_of("survey", code_digest("scenes", "gis", "twin"), repr(spec), repr((park.crs, park.origin)), *_contents(spec))
    return store.recall(key, lambda: _surveyed(spec, park))


def _surveyed(spec: LayerSpec, park: ParkSpec) -> Surveyed:
    with tempfile.TemporaryDirectory(prefix="parktwin-survey-") as folder:
        request = Request("survey", spec, Frame(park.crs, park.origin, _EVERYWHERE, _NOWHERE), Path(folder), _most_memory())
        found = _ask(request, lambda done, total: None)
    if not isinstance(found, Surveyed):
        raise SourceError(f"layer '{spec.id}': {spec.source.name} could not be surveyed", mend="build again")
    return found


def check_heights(surveyed: Surveyed, ground: Ground) -> tuple[Finding, ...]:
    """Whether a background's lowest points lie on the ground of the park: another datum of heights is metres off."""
    park = surveyed.park[np.isfinite(surveyed.park).all(axis=1)]
    if len(park) < _FEW_POINTS:
        return ()
    above = park[:, 2] - ground.height_at(park[:, :2])
    cell = np.floor(park[:, :2] / _CELL_M).astype(np.int64)
    _, of = np.unique(cell, axis=0, return_inverse=True)
    lowest = np.full(int(of.max()) + 1, np.inf)
    np.minimum.at(lowest, of.reshape(-1), above)
    off = float(np.median(lowest))
    if abs(off) <= _OFF_M:
        return ()
    spec, side = surveyed.spec, "above" if off > 0 else "under"
    return (Finding("warning", f"layer '{spec.id}' lies {abs(off):.1f} m {side} the ground of the park",
                    spec.source.name, "its heights may be ellipsoidal or of another datum: write "
                    f"offset = [0.0, 0.0, {-off:.1f}] in the layer, or the origin's height in [park]"),)


def tile_backgrounds(found: Sequence[Surveyed], park: ParkSpec, folder: Path, cut: shapely.Geometry,
                     progress: Progress) -> Backgrounds:
    """Tiles of every surveyed background under `folder`/tiles/bg/<id>.

    Args:
        cut: what buildings cover on the plan, park metres.
    """
    tiles, rows, findings = [], [], []
    for number, surveyed in enumerate(found):
        spec = surveyed.spec
        target = folder / "tiles" / FOLDER / spec.id
        frame = Frame(park.crs, park.origin, _reach(found), cut if spec.background.is_under else _NOWHERE)
        progress(f"background {spec.id}", 0, 1)
        try:
            extras = _tiled(surveyed, frame, target, park.build_dir / "tiles" / FOLDER / spec.id,
                            partial(progress, f"background {spec.id}"))
        except SourceError as error:
            shutil.rmtree(target, ignore_errors=True)
            findings.append(as_finding(error))
            continue
        findings.extend(f for row in extras["findings"] if (f := Finding(**row)) not in surveyed.findings)
        tiles.append(_tile(spec, target))
        rows.append({"id": spec.id, "kind": spec.kind, "name": spec.name or spec.id, "name_zh": spec.name_zh or "",
                     "order": number, "shown": spec.is_shown,
                     "count": extras.get("points", extras.get("triangles", 0))})
        progress(f"background {spec.id}", 1, 1)
    return Backgrounds(tuple(tiles), tuple(rows), tuple(findings))


def _tiled(surveyed: Surveyed, frame: Frame, target: Path, before: Path,
           tell: Callable[[int, int], None]) -> dict[str, Any]:
    key = _key(surveyed.spec, frame)
    target.mkdir(parents=True)
    if _extras(before).get("key") == key:
        shutil.copytree(before, target, copy_function=_linked, dirs_exist_ok=True)
        return _extras(target)
    _ask(Request("tiles", surveyed.spec, frame, target, _most_memory()), tell)
    text = json.loads((target / TILESET).read_text(encoding="utf-8"))
    text["extras"]["key"] = key
    (target / TILESET).write_text(json.dumps(text, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    extras: dict[str, Any] = text["extras"]
    return extras


def _linked(source: str, target: str) -> None:
    """The same file under another name where the disk can do that; nothing of a build is ever written to again."""
    with suppress(FileExistsError):
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:
            shutil.copy2(source, target)


def _key(spec: LayerSpec, frame: Frame) -> str:
    """Of everything that shows in the tiles of a layer."""
    about = (spec.kind, spec.crs, spec.unit_m, spec.placement, spec.is_north_first, spec.background, frame.park_crs,
             frame.origin, frame.reach, spec.id, spec.source.name)
    return key_of("background", code_digest("scenes", "gis", "twin"), packing(), repr(about), shapely.to_wkb(frame.cut),
                  *_contents(spec))


def _contents(spec: LayerSpec) -> list[str]:
    """What a layer's files hold, a digest each."""
    return [f"{path.name} {digest_of_file(path)}" for path in sidecars(spec.source) if path.is_file()]


def _extras(folder: Path) -> dict[str, Any]:
    try:
        extras = json.loads((folder / TILESET).read_text(encoding="utf-8")).get("extras", {})
    except (OSError, ValueError):
        return {}
    return extras if isinstance(extras, dict) else {}


def _tile(spec: LayerSpec, target: Path) -> Tile:
    """A group whose content is the layer's own tileset."""
    root = json.loads((target / TILESET).read_text(encoding="utf-8"))["root"]
    centre, half = np.array(root["boundingVolume"]["box"][:3]), np.array(root["boundingVolume"]["box"][3:])[[0, 4, 8]]
    box = (*(centre - half).tolist(), *(centre + half).tolist())
    return Tile(f"{FOLDER}/{spec.id}/{TILESET}", f"background:{spec.id}", box, max(float(root["geometricError"]), 1.0) * 2)


def _reach(found: Sequence[Surveyed]) -> tuple[float, float, float, float]:
    """A box well round what the samples of all backgrounds span; what lies outside is a stray."""
    low = np.min([np.percentile(s.park[:, :2], 2, axis=0) for s in found], axis=0)
    high = np.max([np.percentile(s.park[:, :2], 98, axis=0) for s in found], axis=0)
    more = max(FAR_M, 3.0 * float(np.hypot(*(high - low))))
    return (float(low[0] - more), float(low[1] - more), float(high[0] + more), float(high[1] + more))


def _ask(request: Request, tell: Callable[[int, int], None]) -> object:
    """Run one request in a process of its own.

    Raises:
        SourceError: it said so, took too long or too much memory, or died.
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
                   "PYTHONPATH": os.pathsep.join([str(_TREE), os.environ.get("PYTHONPATH", "")])}
    spec, name = request.spec, request.spec.source.name
    with tempfile.TemporaryFile() as chatter, subprocess.Popen(
            [sys.executable, "-m", "scenes.background_worker"], stdin=subprocess.PIPE, env=environment,
            stdout=subprocess.PIPE, stderr=chatter) as process:
        clock = threading.Timer(TIMEOUT_SECS, process.kill)
        clock.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(pickle.dumps(request))
            process.stdin.close()
            for line in process.stdout:
                done, total = json.loads(line)
                tell(int(done), int(total))
        finally:
            clock.cancel()
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
        process.wait()
        chatter.seek(max(0, chatter.seek(0, os.SEEK_END) - 400))
        last = (chatter.read().decode(errors="replace").strip().splitlines() or [""])[-1]
    result = request.folder / RESULT
    if process.returncode or not result.is_file():
        what = "needs more memory than is allowed" if process.returncode == OUT_OF_MEMORY else (
            f"ended the process that read it (exit {process.returncode}{': ' if last else ''}{last[:160]})")
        raise SourceError(f"layer '{spec.id}': {name} {what}", where=spec.where,
                          mend="cut it into smaller files of one folder")
    answer = pickle.loads(result.read_bytes())  # noqa: S301 - written by our own worker a moment ago
    result.unlink()
    if isinstance(answer, Refused):
        if answer.sample is not None:
            missing = MissingCrs(answer.what, mend=answer.mend, where=answer.where)
            missing.sample = answer.sample
            raise missing
        raise SourceError(answer.what, mend=answer.mend, where=answer.where)
    return answer


def _most_memory() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 / 4)
