"""The process that reads one IFC file, so that a kernel's crash, memory or chatter never reaches the build.

Run as `python -m models_bim.worker`; it reads a JSON request on stdin, writes JSON progress lines to the stdout it
was given and the result, pickled, to the file the request names.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import ifcopenshell
import ifcopenshell.util.unit

from models_bim.discipline import Discipline, RawProperties, RawSpace, Row
from models_bim.geometry import Shapes, read_shapes, world_box
from models_bim.georeading import read_georeadings
from models_bim.glance import Glance, glance
from models_bim.opening import open_ifc
from models_bim.outline import floor_outline
from models_bim.properties import read_properties
from models_bim.relations import read_relations
from models_bim.repair import one_project, repair
from models_bim.salvage import Salvage
from models_bim.shape import FAST, Shape
from models_bim.storeys import read_storeys
from models_bim.structure import read_rows
from twin.errors import SourceError
from twin.finding import Finding

Progress = Callable[[str, int, int], None]
MOST_FORKS = 4
LARGE_MB, MB_A_FORK = 50.0, 40.0  # from there on as many forks as six times the file's size has room for


def read_discipline(
    path: Path,
    *,
    library: str = FAST,
    progress: Progress = lambda what, done, total: None,
    forks: int = 1,
    is_lazy: bool = False,
    careful_secs: float = 0.0,
) -> Discipline:
    """Read one file in this process.

    Args:
        path: an .ifc or .ifczip file.
        library: geometry library of the first attempt.
        progress: called with (step, done, total).
        forks: processes at a time that share the work on a large file, of which this process has to have one thread.
        is_lazy: keep in memory only what is needed of the file at a time; a damaged one is read again as a whole.
        careful_secs: as that of `read_shapes`.

    Raises:
        SourceError: the file cannot be opened or parsed.
    """
    if is_lazy:
        try:
            found = _read(path, library, progress, forks, is_lazy=True)
            if not any(finding.code.startswith("damaged") for finding in found.findings):
                return found
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S110 - whatever it was, reading the whole file tells it better
            pass
    return _read(path, library, progress, forks, careful_secs, is_lazy=False)


def _read(path: Path, library: str, progress: Progress, forks: int, careful_secs: float = 0.0, *,
          is_lazy: bool) -> Discipline:
    progress("open", 0, 1)
    opened = open_ifc(path, is_lazy=is_lazy)
    file, name = opened.file, opened.name
    salvage = Salvage(name)
    merged = salvage.part("its projects", lambda: one_project(file, name), [])
    metres = salvage.part("its units", lambda: float(ifcopenshell.util.unit.calculate_unit_scale(file)), 1.0)
    rows = read_rows(file, salvage)
    repaired = salvage.part("its structure", lambda: repair(file, name), [])
    drawn = [file.by_id(row.step) for row in rows if row.kind in ("element", "space", "site")]
    shapes = salvage.part(
        "its shapes",
        lambda: read_shapes(
            file, drawn, library=library, progress=lambda done, total: progress("shapes", done, total), forks=forks,
            megabytes=opened.megabytes, careful_secs=careful_secs,
        ),
        Shapes({}, []),
    )
    boxes = {step: _box(found) for step, found in shapes.by_product.items()}
    storeys, storey_findings = read_storeys(file, rows, boxes, metres, name)
    spaces, space_findings = _spaces(rows, shapes, name, salvage)
    in_space = {row.step for row in rows if row.kind == "space"}
    progress("properties", 0, 1)
    relations = read_relations(file, name, rows, salvage)
    known = {row.step for row in rows}
    properties = salvage.part(
        "its properties", lambda: read_properties(file, known, salvage, forks=forks), RawProperties.of(()))
    georeadings = salvage.part("its georeference", lambda: read_georeadings(file, name, metres), ())
    return Discipline(
        name=name,
        schema=opened.schema,
        rows=rows,
        storeys=storeys,
        spaces=spaces,
        shapes={step: found for step, found in shapes.by_product.items() if step not in in_space},
        boxes=boxes,
        properties=properties,
        relations=relations,
        georeadings=georeadings,
        application=salvage.part("its author", lambda: _application(file), ""),
        findings=[
            *opened.findings,
            *salvage.findings(),
            *merged,
            *repaired,
            *relations.findings,
            *storey_findings,
            *space_findings,
            *_empties(file, shapes, name),
            *_nothing(rows, name),
        ],
    )


def _application(file: ifcopenshell.file) -> str:
    found = file.by_type("IfcApplication")
    words = [found[0].ApplicationFullName, found[0].Version] if found else [file.header.file_name.originating_system]
    return " ".join(" ".join(str(w) for w in words if w).split())[:120]


def _box(shapes: list[Shape]) -> tuple[float, ...]:
    boxes = [world_box(shape) for shape in shapes]
    low = [min(float(b[i]) for b in boxes) for i in range(3)]
    return (*low, *(max(float(b[i]) for b in boxes) for i in range(3, 6)))


def _spaces(rows: list[Row], shapes: Shapes, name: str, salvage: Salvage) -> tuple[list[RawSpace], list[Finding]]:
    found, bare = [], []
    for row in rows:
        if row.kind == "space":
            drawn = shapes.by_product.get(row.step)
            outline = salvage.part("room outlines", partial(floor_outline, drawn), None) if drawn else None
            if outline is None:
                bare.append(row.name or row.guid)
            else:
                found.append(RawSpace(step=row.step, polygon=outline[0], z0=outline[1], z1=outline[2]))
    if not bare:
        return found, []
    sample = ", ".join(bare[:3]) + ("…" if len(bare) > 3 else "")
    what = f"rooms have no floor outline ({sample}); they cannot be painted or entered"
    return found, [Finding("warning", what, name, "export rooms (IfcSpace) with their body", len(bare), "ifc.rooms.bare",
                           {"sample": sample})]


def _empties(file: ifcopenshell.file, shapes: Shapes, name: str) -> list[Finding]:
    findings = []
    lost = set(shapes.lost)
    if lost:
        first = file.by_id(min(lost))
        findings.append(
            Finding(
                "warning",
                f"elements ended the geometry kernel, or held it up (such as #{first.id()}, {first.is_a()}); "
                "they are kept without a shape",
                name,
                "check these elements in the model",
                len(lost),
                "ifc.bodies.lost",
                {"step": str(first.id()), "cls": first.is_a()},
            )
        )
    cut = [step for step in shapes.empty if step not in lost and getattr(file.by_id(step), "HasOpenings", None)]
    if cut:
        findings.append(
            Finding(
                "warning",
                f"openings left nothing of elements (such as #{cut[0]}); they are kept without a shape",
                name,
                "check the openings in the model",
                len(cut),
                "ifc.openings",
                {"step": str(cut[0])},
            )
        )
    bare = sorted(set(shapes.empty) - set(cut) - lost)
    if bare:
        findings.append(
            Finding(
                "warning",
                f"elements have a body that yields no triangles (such as #{bare[0]}, {file.by_id(bare[0]).is_a()})",
                name,
                "check these elements in the model",
                len(bare),
                "ifc.bodies",
                {"step": str(bare[0]), "cls": file.by_id(bare[0]).is_a()},
            )
        )
    return findings


def _nothing(rows: list[Row], name: str) -> list[Finding]:
    if any(row.kind in ("element", "space") for row in rows):
        return []
    return [Finding("warning", "the file holds neither an element nor a room", name,
                    "export the elements too: types, grids or an analysis alone show nothing", code="ifc.nothing")]


def _outlive_nobody(parent: int) -> None:
    """End with the build that asked, also where that was killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(5)


def _forks(path: Path) -> int:
    """Cores with nothing else to do, this process's own among them: sharing out work costs a tenth more of it."""
    idle = max(1, min(MOST_FORKS, round((os.cpu_count() or 1) - os.getloadavg()[0])))
    megabytes = path.stat().st_size / 1e6 if path.is_file() else 0.0
    return idle if megabytes < LARGE_MB else min(idle, max(1, int(megabytes / MB_A_FORK)))


def _answer(request: dict[str, Any], tell: Progress) -> Discipline | Glance:
    path = Path(request["path"])
    if request["verb"] == "glance":
        return glance(path)
    return read_discipline(path, library=request["library"], progress=tell, forks=_forks(path), is_lazy=request["is_lazy"],
                           careful_secs=request["careful_secs"])


def main() -> int:
    """Serve one request; exit 0 with a result, 2 with a SourceError told on the channel."""
    Thread(target=_outlive_nobody, args=(os.getppid(),), daemon=True).start()
    request = json.loads(sys.stdin.readline())
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # kernels print to stdout: that must not reach the channel
    if request["memory_bytes"]:
        resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"], request["memory_bytes"]))

    def tell(what: str, done: int, total: int) -> None:
        channel.write(json.dumps({"step": what, "done": done, "total": total}) + "\n")

    try:
        answer = _answer(request, tell)
    except SourceError as error:
        channel.write(json.dumps({"error": error.what, "mend": error.mend, "code": error.code, "fill": error.fill}) + "\n")
        return 2
    except KeyboardInterrupt:
        channel.write(json.dumps({"stopped": True}) + "\n")
        return 4
    except MemoryError:
        channel.write(json.dumps({"memory": True}) + "\n")
        return 3
    try:
        with open(request["result"], "wb") as out:
            pickle.dump(answer, out, protocol=5)
    except OSError as error:
        folder = os.path.dirname(os.path.dirname(request["result"]))
        told = {"error": f"what was read of {Path(request['path']).name} cannot be written to {folder} ({error.strerror})",
                "mend": "make room there, or set TMPDIR to a folder with more", "code": "lost.unwritten",
                "fill": {"file": Path(request["path"]).name, "folder": folder, "why": str(error.strerror)}}
        channel.write(json.dumps(told) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
