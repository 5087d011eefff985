"""`parktwin demo DIR`: write the sample park's folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    directory: Annotated[Path, typer.Argument(help="Folder to write; made when missing.")],
    seed: Annotated[int, typer.Option(help="Chance for trees, surroundings and readings.")] = 7,
) -> None:
    """Write the sample park: IFC buildings, GIS layers, park.toml and devices.csv."""
    from assets.demo import make_park
    from connectors.simulator.cast import cast

    start = time.perf_counter()
    make_park(directory, seed=seed)
    rows = [{"id": t.id, "kind": t.kind, "name": t.name, "name_zh": t.name_zh, "role": t.role} for t in cast(seed)]
    (directory / "tracks.json").write_text(json.dumps(rows, ensure_ascii=False, indent=0), encoding="utf-8")
    typer.echo(f"✓ {directory} written in {time.perf_counter() - start:.1f} s; next: parktwin build {directory}")
