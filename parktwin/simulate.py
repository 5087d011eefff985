"""`parktwin simulate DIR --broker URL`: the park's invented field on an MQTT broker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command()(simulate)


def simulate(
    directory: Annotated[Path, typer.Argument(help="the park's folder, built before")],
    broker: Annotated[str, typer.Option(help="mqtt://host:port or mqtts://host:port")] = "mqtt://127.0.0.1:1883",
    seed: Annotated[int, typer.Option(help="of all chance")] = 7,
    incident: Annotated[list[str] | None, typer.Option(help="script to start at once: fire, intrusion, chiller")] = None,
) -> None:
    """Publish simulated telemetry, positions and acknowledgements; answer commands."""
    from connectors.simulator import Publisher, simulator_of
    from scenes.open_park import open_compiled
    from twin.errors import ParkFileError
    from twin.parkfile import load_park

    spec = load_park(directory)
    park = open_compiled(spec)
    simulator = simulator_of(spec, park.points, park.graph, seed=seed)
    for key in incident or ():
        try:
            simulator.start_incident(key)
        except KeyError as error:
            known = ", ".join(i.key for i in simulator.incidents())
            raise ParkFileError(f"there is no incident {error}", mend=f"use one of {known}") from error
    try:
        asyncio.run(Publisher(simulator, broker, spec.id, typer.echo).run())
    except KeyboardInterrupt:
        typer.echo("stopped")
