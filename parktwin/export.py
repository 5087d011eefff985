"""`parktwin export`: the compiled park, or a part of it, as a file other programs open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from scenes.export import FORMATS, NothingToExport, write_city_json, write_geopackage, write_geoparquet, write_glb_file
from scenes.export_ifc import write_ifc


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="export")(export)


def export(
    folder: Annotated[Path, typer.Argument(help="the park folder")],
    target: Annotated[Path, typer.Argument(help="what to write: a name in .glb, .city.json, .gpkg, .geoparquet or .ifc")],
    node: Annotated[str, typer.Option(help="only this node and what is below it (not for .gpkg and .geoparquet)")] = "park",
) -> None:
    """Write the compiled park as glTF, CityJSON, GeoPackage, GeoParquet or IFC, with our ids on everything."""
    typer.echo(f"{target}: {export_park(folder, target, node):,} things")


def export_park(folder: Path, target: Path, node: str = "park") -> int:
    """Write one file; how many things are in it.

    Raises:
        NothingToExport: the name says no format that is known, or there is no such node.
        NotBuiltError: the park was never built.
    """
    build = folder / "build"
    writers: dict[str, Callable[[], int]] = {
        ".glb": lambda: write_glb_file(build, target, node),
        ".city.json": lambda: write_city_json(build, target, node),
        ".gpkg": lambda: write_geopackage(build, target),
        ".geoparquet": lambda: write_geoparquet(build, target),
        ".ifc": lambda: write_ifc(build, target, node),
    }
    for ending, write in writers.items():
        if target.name.lower().endswith(ending):
            target.parent.mkdir(parents=True, exist_ok=True)
            return write()
    raise NothingToExport(f"'{target.name}' says no format that can be written",
                          mend=f"let its name end in {', '.join('.' + f for f in FORMATS)}")
