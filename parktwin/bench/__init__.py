"""`parktwin bench`: our figures beside a peer's, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb and its subjects."""
    benches = typer.Typer(no_args_is_help=True, help="Time the product beside a peer, in one run.")
    benches.callback()(_root)
    benches.command()(spine)
    app.add_typer(benches, name="bench")


def _root() -> None:
    """Keeps subjects as sub-commands even while there is only one."""


def spine(
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
