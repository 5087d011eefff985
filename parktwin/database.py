"""`parktwin database DIR`: where alarms, commands, the trail and accounts are kept, and how they move to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(database)


def database(
    directory: Annotated[Path, typer.Argument(help="the park's folder")],
    move: Annotated[bool, typer.Option(help="copy what SQLite holds into the empty database of park.toml")] = False,
) -> None:
    """Show a park's database; bring its tables up to this version; move it from SQLite to PostgreSQL."""
    from rich.console import Console
    from rich.table import Table

    from twin.database import SQLITE, Database
    from twin.database_copy import copy_rows, count_rows
    from twin.errors import ParkFileError
    from twin.parkfile import load_park

    spec, out = load_park(directory, strict=False), Console()
    park = Database.of(spec)
    out.print(f"{park.url.render_as_string(hide_password=True)}", highlight=False, soft_wrap=True)
    if move:
        former = spec.state_dir / SQLITE
        if spec.database is None:
            raise ParkFileError("park.toml names no other database", where=str(spec.root / "park.toml"),
                                mend='add [database] with url = "postgresql://USER@HOST/NAME"')
        if not former.exists():
            raise ParkFileError("there is nothing to move", mend="serve the park as it is", where=str(former))
        before = Database.at(former)
        copy_rows(before.engine, park)
        before.close()
        former.rename(former.with_suffix(".moved.sqlite"))
        out.print(f"✓ moved; the file is kept as {former.with_suffix('.moved.sqlite').name}")
    table = Table("table", "rows")
    for name, rows in count_rows(park).items():
        table.add_row(name, f"{rows:,}")
    out.print(table)
    park.close()
