"""Guesses into files: rows are added below what is there; no line that is there is changed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from connectors.bindings import COLUMNS
from connectors.browse.suggest import Guess
from twin.errors import ParkFileError
from twin.packs import DeviceKind
from twin.registry import COLUMNS as DEVICE_COLUMNS


def new_points(path: Path, guesses: tuple[Guess, ...], kinds_of: dict[str, DeviceKind]) -> list[dict[str, str]]:
    """Rows for addresses the points file does not name yet, in their order. A point bound already stays as it is.

    Args:
        path: the points file, which need not exist.
        guesses: what was offered.
        kinds_of: kind by device id.
    """
    known = _rows(path)
    addresses = {row.get("address", "") for row in known}
    bound = {(row.get("device", ""), row.get("point", "")) for row in known}
    rows = []
    for guess in guesses:
        offer = guess.offer
        if offer.address in addresses:
            continue
        kind = kinds_of.get(guess.device)
        spec = kind.point(guess.point) if kind and guess.point else None
        is_free = spec is not None and (guess.device, guess.point) not in bound
        rows.append({"device": guess.device if is_free else "", "point": guess.point if is_free else "",
                     "address": offer.address, "type": offer.type,
                     "write": "=" if is_free and spec is not None and spec.set and offer.can_write else ""})
    return rows


def new_devices(path: Path, new: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
    """Registry rows (id, kind, name) for devices it does not name yet."""
    known = {row.get("id", "") for row in _rows(path)}
    return [{"id": device, "kind": kind, "name": name} for device, kind, name in new if device not in known]


def add_rows(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    """Write rows below those of a CSV file, in the columns it has; a file that is not there begins with `columns`."""
    header = _header(path) or list(columns)
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", extrasaction="ignore", lineterminator="\n")
    text = path.read_text("utf-8-sig") if path.is_file() else ""
    if not text.strip():
        writer.writeheader()
    elif not text.endswith("\n"):
        out.write("\n")
    writer.writerows(rows)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(out.getvalue())


def add_points(path: Path, rows: list[dict[str, str]]) -> None:
    """As `add_rows`, for a points file."""
    add_rows(path, rows, COLUMNS)


def add_devices(path: Path, rows: list[dict[str, str]]) -> None:
    """As `add_rows`, for a registry; an id that is there already, also on a line that cannot be used, gets no second row.

    Raises:
        ParkFileError: it has no column for the GUIDs that bind the rows.
    """
    header, known = _header(path), {row.get("id", "") for row in _rows(path)}
    rows = [row for row in rows if row["id"] not in known]
    if header and "guid" not in header and any(row.get("guid") for row in rows):
        raise ParkFileError(f"{path.name} has no column 'guid', by which the rows are bound", mend="add it to the first line",
                            where=f"{path.name}:1")
    add_rows(path, rows, DEVICE_COLUMNS)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    reader = csv.DictReader(path.read_text("utf-8-sig").splitlines())
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    return [{name: value.strip() for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}
            for row in reader]


def _header(path: Path) -> list[str]:
    lines = path.read_text("utf-8-sig").splitlines() if path.is_file() else []
    return [name.strip() for name in next(csv.reader(lines[:1]), [])]
