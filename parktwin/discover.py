"""`parktwin discover DIR SOURCE`: what a server of the field offers, and rows for the registry and the points file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.browse.files import add_devices, add_points, new_devices, new_points
from connectors.browse.offer import Offer
from connectors.browse.suggest import Guesses, suggest
from twin.errors import ParkFileError
from twin.packs import park_packs
from twin.park import ParkSpec, SourceSpec
from twin.parkfile import load_park
from twin.registry import read_registry

#: the module in `connectors.browse` that knows a scheme
_BROWSERS = {"opc.tcp": "opcua", "bacnet": "bacnet", "modbus": "modbus", "modbus+tls": "modbus", "mqtt": "mqtt",
             "mqtts": "mqtt", "sparkplug": "mqtt", "sparkplugs": "mqtt"}
SHOWN = 200


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="discover")(discover)


def discover(
    folder: Annotated[Path, typer.Argument(help="the park folder")],
    source: Annotated[str, typer.Argument(help="id of a [[source]] in park.toml")],
    secs: Annotated[float, typer.Option(help="how long to listen, where a server only speaks (MQTT)")] = 10.0,
    yes: Annotated[bool, typer.Option("--yes", help="write the rows without asking")] = False,
) -> None:
    """List what a server offers, guess what it binds to, and add rows to the points file and the registry."""
    spec, packs = load_park(folder, strict=False), park_packs(folder)
    declared = _source(spec, source)
    offers = asyncio.run(offered(declared, spec.root, secs))
    registry = spec.registry or spec.root / "devices.csv"
    devices = read_registry(registry, packs).devices if registry.is_file() else ()
    guesses = suggest(offers, devices, packs.kinds)
    console = Console()
    show(guesses, console)
    kinds = {device.id: packs.kinds[device.kind] for device in devices} | {
        device: packs.kinds[kind] for device, kind, _ in guesses.new}
    points = declared.points or spec.root / f"{declared.id}.csv"
    rows, new = new_points(points, guesses.rows, kinds), new_devices(registry, guesses.new)
    bound = sum(bool(row["device"]) for row in rows)
    console.print(f"{len(offers)} offered; {len(rows)} not yet in {points.name}, {bound} of them with a guess; "
                  f"{len(new)} devices not yet in {registry.name}", markup=False)
    if (rows or new) and (yes or _may(console)):
        add_points(points, rows)
        if new:
            add_devices(registry, new)
        console.print(f"added below what was there; look them over, then: parktwin check {folder}", markup=False)


async def offered(source: SourceSpec, root: Path, secs: float) -> list[Offer]:
    """What a source's server offers.

    Raises:
        ParkFileError: it cannot be browsed, or does not answer.
    """
    if source.scheme not in _BROWSERS:
        raise ParkFileError(f"source '{source.id}' ({source.scheme}) has nothing to browse",
                            mend="write its points file by hand; see docs/how-to")
    module = import_module(f"connectors.browse.{_BROWSERS[source.scheme]}")
    browse: Callable[[SourceSpec, Path, float], Awaitable[list[Offer]]] = module.offers
    try:
        return await browse(source, root, secs)
    except (OSError, TimeoutError) as error:
        raise ParkFileError(f"source '{source.id}' cannot be browsed ({error})",
                            mend="check its url and that it runs", where=f"park.toml:{source.line}") from error


def show(guesses: Guesses, console: Console) -> None:
    """A line an offer: address, what it says now, and the guess."""
    table = Table(header_style="bold")
    for name in ("address", "name", "value", "device", "point"):
        table.add_column(name, overflow="fold")
    for row in guesses.rows[:SHOWN]:
        offer = row.offer
        cells = (offer.address, f"{offer.group} · {offer.name}", f"{offer.value} {offer.unit}".strip(), row.device, row.point)
        table.add_row(*(Text(cell) for cell in cells))  # Text, not markup: names out of servers may hold brackets
    console.print(table)
    if len(guesses.rows) > SHOWN:
        console.print(f"… and {len(guesses.rows) - SHOWN} more")


def _source(spec: ParkSpec, source_id: str) -> SourceSpec:
    found = next((source for source in spec.sources if source.id == source_id), None)
    if found is None:
        known = ", ".join(source.id for source in spec.sources) or "none"
        raise ParkFileError(f"there is no source '{source_id}'", mend=f"the park file names {known}; add a [[source]]")
    return found


def _may(console: Console) -> bool:
    """Whether a person at the terminal says so; nobody there means no."""
    if not console.is_terminal:
        console.print("nothing written; give --yes to write")
        return False
    return typer.confirm("Write them?")
