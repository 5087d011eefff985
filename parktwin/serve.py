"""`parktwin serve DIR`: the compiled park, live, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(serve)


def serve(
    directory: Annotated[Path, typer.Argument(help="the park's folder, built before")],
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on")] = 5006,
    demo: Annotated[bool, typer.Option(help="offer a demo account, visibly marked")] = False,
    behind_proxy: Annotated[bool, typer.Option(help="a TLS proxy stands in front")] = False,
) -> None:
    """Serve a built park with its live data."""
    from server import ServeOptions
    from server import serve as run

    run(directory, ServeOptions(host=host, port=port, demo=demo, behind_proxy=behind_proxy, with_sample=demo), typer.echo)
