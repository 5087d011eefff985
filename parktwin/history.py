"""`parktwin history …`: readings out as CSV or Parquet, in from elsewhere, and as a Delta table for other engines."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Annotated

import typer

verbs = typer.Typer(no_args_is_help=True, help="Take a park's history out, in, or to a data lake.")
Directory = Annotated[Path, typer.Argument(help="the park's folder")]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    app.add_typer(verbs, name="history")


@verbs.command("export")
def export(
    directory: Directory,
    to: Annotated[str, typer.Argument(help="a .csv or .parquet file, or an address such as s3://bucket/name.parquet")],
    since: Annotated[str, typer.Option(help="from this day or instant on (ISO 8601, UTC)")] = "1970-01-01",
    until: Annotated[str, typer.Option(help="before this day or instant; now where left out")] = "",
    points: Annotated[list[str] | None, typer.Option(help="pattern of point ids, as 'AHU-*.temp'; repeatable")] = None,
) -> None:
    """Write readings as a table: time (UTC), point, value, quality."""
    from twin.history.exchange import FORMATS, ExchangeError, point_ids, tables, write_table
    from twin.parkfile import load_park

    form = to.rsplit(".", 1)[-1].lower()
    if form not in FORMATS:
        raise ExchangeError(f"'{to}' ends in neither .csv nor .parquet", mend="name the file so")
    root = load_park(directory, strict=False).state_dir / "history"
    found = tables(root, point_ids(root), from_ms=_ms(since), to_ms=_ms(until) if until else int(time.time() * 1000),
                   points=tuple(points or ("*",)))
    with _opened(to) as out:
        rows = write_table(found, out, form)
    typer.echo(f"✓ {rows:,} readings in {to}")


@verbs.command("import")
def import_(
    directory: Directory,
    file: Annotated[Path, typer.Argument(help="a .csv or .parquet table with time, point, value and, if any, quality")],
) -> None:
    """Take readings of before into the history; the server must not run. What is there already stays."""
    from rich.console import Console

    from scenes.open_park import open_compiled
    from twin.history.exchange import import_table
    from twin.parkfile import load_park

    spec = load_park(directory, strict=False)
    with Console().status("reading…") as status:
        done = import_table(spec.state_dir / "history", file, open_compiled(spec).points.ids,
                            lambda rows: status.update(f"{rows:,} readings"))
    typer.echo(f"✓ {done.rows:,} readings taken")
    for reason, count in done.left_out.items():
        typer.echo(f"  {count:,} left out: {reason}")
    if done.unknown:
        more = f" and {len(done.unknown) - 5} more" if len(done.unknown) > 5 else ""
        typer.echo(f"  the park has no point {', '.join(done.unknown[:5])}{more}; ids are <device>.<point>")


@verbs.command("publish")
def publish_(
    directory: Directory,
    to: Annotated[str, typer.Argument(help="a folder or s3://, az://, gs:// address; that of park.toml where left out")] = "",
) -> None:
    """Bring a Delta table up to date with the days that have ended."""
    from twin.errors import ParkFileError
    from twin.history.lake import publish
    from twin.parkfile import load_park

    spec = load_park(directory, strict=False)
    url = to or spec.history.publish
    if not url:
        raise ParkFileError("it is not said where to publish", where=str(directory / "park.toml"),
                            mend='give an address, or add [history] with publish = "…"')
    days = publish(spec.state_dir / "history", url, until_ms=int(time.time() * 1000),
                   told=lambda day, rows: typer.echo(f"  {day}: {rows:,} readings"))
    typer.echo(f"✓ {days} days written to {url}" if days else f"✓ {url} is up to date")


def _opened(to: str) -> AbstractContextManager[IO[bytes]]:
    """A file here, or one in an object store."""
    from twin.history.exchange import ExchangeError

    if "://" not in to:
        try:
            return Path(to).open("wb")
        except OSError as error:
            raise ExchangeError(f"{to} cannot be written ({error.strerror})", mend="choose another place") from error
    try:
        import fsspec
    except ImportError as error:
        raise ExchangeError("writing to an address needs the package fsspec", mend='pip install "parktwin[lake]"') from error
    opened: AbstractContextManager[IO[bytes]] = fsspec.open(to, "wb")
    return opened


def _ms(when: str) -> int:
    from twin.history.exchange import ExchangeError

    try:
        found = dt.datetime.fromisoformat(when)
    except ValueError as error:
        raise ExchangeError(f"'{when}' is no day or instant", mend="write 2026-11-21 or 2026-11-21T08:00") from error
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp() * 1000)
