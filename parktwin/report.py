"""`parktwin report`: what the build found in the BIM models, as a page and as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scenes.bim_report import Lang, as_html, page_name, read_bim_report
from twin.parkfile import load_park


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="report")(report)


def report(
    folder: Annotated[Path, typer.Argument(help="the park folder, built")],
    lang: Annotated[str, typer.Option("--lang", help="en or zh")] = "en",
    to: Annotated[Path | None, typer.Option("--to", help="where the page goes; else into build/")] = None,
) -> None:
    """Write the BIM report as one HTML page and say what is in it."""
    if lang not in ("en", "zh"):
        raise typer.BadParameter("en or zh", param_hint="--lang")
    build_dir = load_park(folder, strict=False).build_dir
    found = read_bim_report(build_dir)
    spoken: Lang = "zh" if lang == "zh" else "en"
    target = to or build_dir / page_name(spoken)
    target.write_text(as_html(found, spoken), encoding="utf-8")
    table = Table(show_lines=False)
    for name in ("building", "file", "written by"):
        table.add_column(name, overflow="fold")
    for name in ("elements", "errors", "warnings", "notes"):
        table.add_column(name, justify="right")
    for building in found["buildings"]:
        for file in building["files"]:
            tally = file["tally"]
            named = (escape(text) for text in (building["name"], file["name"], file["application"]))
            counts = (f"{n:,}" for n in (file["elements"], tally["error"], tally["warning"], tally["note"]))
            table.add_row(*named, *counts)
    console = Console()
    console.print(table)
    for row in found["lost"]:
        console.print(f"✗ {row['what']}; {row['mend']}", markup=False)
    console.print(f"written {target}", markup=False)
