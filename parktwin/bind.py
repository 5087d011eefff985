"""`parktwin bind DIR`: what is bound, unbound, ambiguous and never heard of; rows for devices.csv on request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.browse.binding import Binding, ParkOf, new_rows, of_brick, of_elements, of_registry
from connectors.browse.files import add_devices
from gis.crs import park_from_map_xy
from models_bim.brick import read_brick
from models_bim.device_classes import device_classes
from scenes.store import open_graph
from twin.errors import NotBuiltError, ParkFileError
from twin.packs import park_packs
from twin.park import ParkSpec
from twin.parkfile import load_park
from twin.registry import read_registry

WORDS = {"bound": "bound", "unbound": "unbound", "ambiguous": "ambiguous", "unknown": "never heard of"}
SAID = ("PredefinedType", "ObjectType", "Tag", "Description")
SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="bind")(bind)


def bind(
    folder: Annotated[Path, typer.Argument(help="the park folder, built")],
    brick: Annotated[list[Path] | None, typer.Option(help="a Brick model (.ttl); may be given several times")] = None,
    from_ifc: Annotated[bool, typer.Option("--from-ifc", help="elements of the models that could be devices")] = False,
    building: Annotated[str, typer.Option(help="id of the building the Brick models are of")] = "",
    report: Annotated[bool, typer.Option("--report", help="only tell; the models' elements too")] = False,
    only: Annotated[list[str] | None, typer.Option(help="write rows of this kind alone; may be given several times")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="write the rows without asking")] = False,
    json_to: Annotated[str | None, typer.Option("--json", help="write everything as JSON to a file; - for output")] = None,
) -> None:
    """Tell what is bound, unbound, ambiguous or never heard of, and add rows to devices.csv; no row there is ever changed."""
    spec, packs = load_park(folder, strict=False), park_packs(folder)
    if not (spec.build_dir / "nodes.parquet").is_file():
        raise NotBuiltError(f"{spec.name} was never built", mend=f"run: parktwin build {folder}", where=str(folder))
    graph = open_graph(spec.build_dir)
    registry = spec.registry or spec.root / "devices.csv"
    read = read_registry(registry, packs) if registry.is_file() else None
    devices = read.devices if read else ()
    found = of_registry(devices, graph)
    found += [Binding(source="registry", name=f"line {fault.line}", state="unknown", why=f"{fault.what}; {fault.mend}")
              for fault in (read.faults if read else ())]
    if from_ifc or report:
        found += of_elements(graph, _said(spec.build_dir), packs.kinds, device_classes(), devices)
    place = graph.index(building) if building else 0
    if building and not place:
        raise ParkFileError(f"there is no building '{building}'", mend="use an id of a [[building]] of the park file")
    for path in brick or ():
        found += of_brick(read_brick(path), devices, graph, packs.kinds, place, _park_of(spec))
    if json_to:
        _tell(found, json_to)
    console = Console(stderr=json_to == "-")
    show(found, console)
    rows = new_rows(found, devices, only or ())
    if report or not rows:
        return
    console.print(f"{len(rows)} rows for {registry.name}: " + ", ".join(
        f"{kind} {count}" for kind, count in Counter(row["kind"] for row in rows).most_common()), markup=False)
    if yes or _may(console):
        add_devices(registry, rows)
        console.print(f"added below what was there; look them over, then: parktwin build {folder}", markup=False)


def show(found: Sequence[Binding], console: Console) -> None:
    """Counts by source and state, then what a person must look at, the same of a sort together."""
    table = Table(header_style="bold")
    for name in ("", *WORDS.values()):
        table.add_column(name, justify="left" if not name else "right")
    for source in dict.fromkeys(one.source for one in found):
        count: Counter[str] = Counter(one.state for one in found if one.source == source)
        table.add_row(source, *(str(count[state]) for state in WORDS))
    console.print(table)
    sorts: dict[tuple[str, str, str], list[Binding]] = {}
    for one in found:
        if one.state != "bound":
            about = ", ".join(one.candidates) if one.state == "ambiguous" and len(one.candidates) <= 4 else one.kind
            sorts.setdefault((one.state, f"{one.source}: {one.why or 'no registry row'}", about), []).append(one)
    told = Table(header_style="bold")
    for name in ("state", "why", "kind or candidates", "how many", "such as"):
        told.add_column(name, overflow="fold")
    order = sorted(sorts.items(), key=lambda item: (list(WORDS).index(item[0][0]), -len(item[1])))
    for (state, why, about), members in order[:SHOWN]:
        cells = (WORDS[state], why, about, str(len(members)), ", ".join(one.name for one in members[:3]))
        told.add_row(*(Text(cell) for cell in cells))  # Text, not markup: names out of models may hold brackets
    if order:
        console.print(told)
    if len(order) > SHOWN:
        console.print(f"… and {len(order) - SHOWN} more sorts; --json has everything")


def _said(build_dir: Path) -> dict[int, str]:
    """What models say of each node beside its class."""
    table = pq.read_table(build_dir / "properties.parquet", columns=["node", "name", "value"],
                          filters=[("name", "in", list(SAID))])
    said: dict[int, str] = {}
    for node, value in zip(table["node"].to_pylist(), table["value"].to_pylist(), strict=True):
        said[node] = f"{said.get(node, '')} {value}".strip()
    return said


def _park_of(spec: ParkSpec) -> ParkOf:
    """Longitude and latitude → park metres."""
    def park_of(east: float, north: float) -> tuple[float, float]:
        x, y = park_from_map_xy(np.array([[east, north]]), "EPSG:4326", spec.crs, spec.origin)[0]
        return float(x), float(y)

    return park_of


def _tell(found: Sequence[Binding], to: str) -> None:
    rows = [{"source": one.source, "name": one.name, "state": WORDS[one.state], "kind": one.kind, "by": one.by,
             "why": one.why, "row": one.row, "candidates": list(one.candidates), "points": dict(one.points)} for one in found]
    text = json.dumps({"counts": dict(Counter(row["state"] for row in rows)), "things": rows}, ensure_ascii=False, indent=1)
    if to == "-":
        print(text)
    else:
        Path(to).write_text(text, encoding="utf-8")


def _may(console: Console) -> bool:
    """Whether a person at the terminal says so; nobody there means no."""
    if not console.is_terminal:
        console.print("nothing written; give --yes to write")
        return False
    return typer.confirm("Write them?")
