"""`parktwin bench`: our figures beside a peer's, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb and its subjects. A function named as the module beside it would be hidden once that is imported."""
    benches = typer.Typer(no_args_is_help=True, help="Time the product beside a peer, in one run.")
    benches.callback()(_root)
    benches.command("energy")(bench_energy)
    benches.command("spine")(bench_spine)
    benches.command("scene")(bench_scene)
    benches.command("live")(bench_live)
    app.add_typer(benches, name="bench")


def _root() -> None:
    """Keeps subjects as sub-commands even while there is only one."""


def bench_energy(
    buildings: Annotated[int, typer.Option(min=1, max=60, help="how many of the sixty buildings")] = 60,
    json_to: Annotated[str | None, typer.Option("--json", help="write rows as JSON to a file; - for standard output")] = None,
) -> None:
    """Forecast error on a year of real buildings, beside seasonal-naive."""
    from parktwin.bench.energy import measure
    from parktwin.bench.rows import print_rows

    print_rows(measure(buildings), "parktwin bench energy", json_to)


def bench_spine(
    json_to: Annotated[str | None, typer.Option("--json", help="write rows as JSON to a file; - for standard output")] = None,
    park: Annotated[Path | None, typer.Option(help="a park folder; the sample park is made when left out")] = None,
    browser: Annotated[bool, typer.Option(help="measure the pages in headless Chromium too")] = True,
) -> None:
    """Build, live latency, first frame, frames per second of the sample park."""
    from parktwin.bench.rows import print_rows
    from parktwin.bench.spine import measure

    with tempfile.TemporaryDirectory() as folder:
        rows = measure(park, Path(folder), with_browser=browser)
    print_rows(rows, "parktwin bench spine", json_to)


def bench_scene(
    files: Annotated[list[Path] | None, typer.Argument(help="IFC files; those of PARKTWIN_SHARED when left out")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="small sizes, one round: minutes")] = False,
    only: Annotated[str, typer.Option(help="groups of rows: small, growth, true, again, gis, place, view; million")] = "",
    park: Annotated[Path | None, typer.Option(help="a compiled park for the rows of the view; else the sample park")] = None,
    elements: Annotated[int, typer.Option(min=1, help="of the synthetic park of --only million")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="how often contenders take turns; medians are printed")] = 3,
    json_to: Annotated[str | None, typer.Option("--out", help="write rows as JSON to a file; - for standard output")] = None,
) -> None:
    """IFC and GIS in, tiles out and shown, beside other converters and viewers."""
    from parktwin.bench.rows import print_rows
    from parktwin.bench.scene import measure

    with tempfile.TemporaryDirectory(prefix="parktwin-bench-") as folder:
        rows = measure(files or [], Path(folder), only=[n.strip() for n in only.split(",") if n.strip()], quick=quick,
                       rounds=rounds, park=park, elements=elements)
    print_rows(rows, "parktwin bench scene", json_to)


def bench_live(
    quick: Annotated[bool, typer.Option("--quick", help="small sizes: a minute")] = False,
    only: Annotated[str, typer.Option(help="groups, with commas between: state, mqtt, browsers, history, people")] = "",
    json_to: Annotated[str | None, typer.Option("--out", help="write rows as JSON to a file; - for standard output")] = None,
) -> None:
    """State and alarms, MQTT in, browsers and history, beside what others do with the same."""
    from parktwin.bench.live import measure
    from parktwin.bench.rows import print_rows

    with tempfile.TemporaryDirectory(prefix="parktwin-bench-") as folder:
        rows = measure(Path(folder), only=[n.strip() for n in only.split(",") if n.strip()], quick=quick,
                       told=lambda name: typer.echo(f"▸ {name}", err=True))
    print_rows(rows, "parktwin bench live", json_to)
