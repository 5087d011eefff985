"""Packs: device kinds as data, one TOML file a system of the park, checked as a whole when loaded.

A pack says what a kind measures (points), what is wrong with it (alarm rules, each with the answer expected of a
person), what it can be told (commands, each with the telemetry that proves it) and how the simulator moves it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from twin.errors import PackError
from twin.pack_checks import faults
from twin.pack_spec import (
    AlarmRule,
    ArgSpec,
    Behaviour,
    CommandSpec,
    Confirm,
    Constant,
    DeviceKind,
    Diurnal,
    Follow,
    Integrate,
    Pack,
    PointSpec,
    Response,
    States,
    argument_of,
)

__all__ = [
    "AlarmRule",
    "ArgSpec",
    "Behaviour",
    "CommandSpec",
    "Confirm",
    "Constant",
    "DeviceKind",
    "Diurnal",
    "Follow",
    "Integrate",
    "Pack",
    "PackSet",
    "PointSpec",
    "Response",
    "States",
    "argument_of",
    "load_pack",
    "load_packs",
    "packs_dir",
]


@dataclass(frozen=True, slots=True)
class PackSet:
    """Every pack of a park and its kinds by id."""

    packs: tuple[Pack, ...]
    kinds: dict[str, DeviceKind]


def packs_dir() -> Path:
    """The packs that come with Parktwin."""
    return Path(__file__).resolve().parent.parent / "assets" / "packs"


def load_packs(directories: Iterable[Path] | None = None) -> PackSet:
    """Every `*.toml` of the directories (by default the packs that come with Parktwin), checked.

    Raises:
        PackError: a file cannot be read, says something unknown, or does not hold together.
    """
    packs: dict[str, Pack] = {}
    kinds: dict[str, DeviceKind] = {}
    for path in _files([packs_dir()] if directories is None else directories):
        pack = load_pack(path)
        if pack.id in packs:
            raise PackError(f"pack '{pack.id}' exists twice", mend="give it another id", where=str(path))
        packs[pack.id] = pack
        for kind in pack.kinds:
            if kind.id in kinds:
                raise PackError(f"kind '{kind.id}' is already in pack '{kinds[kind.id].pack}'",
                                mend="rename or remove one of the two", where=str(path))
            kinds[kind.id] = kind
    return PackSet(tuple(packs.values()), kinds)


def load_pack(path: Path) -> Pack:
    """One pack file, parsed and checked.

    Raises:
        PackError: naming the file, the kind and key at fault, and the mend.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"cannot be read ({error})", mend="make it valid TOML in UTF-8", where=str(path)) from error
    try:
        pack = msgspec.convert(raw, Pack)
    except msgspec.ValidationError as error:
        raise PackError(_explain(str(error), raw), mend="correct that entry", where=str(path)) from error
    pack = msgspec.structs.replace(
        pack, kinds=tuple(msgspec.structs.replace(kind, pack=pack.id) for kind in pack.kinds))
    for kind in pack.kinds:
        for what, mend in faults(kind):
            raise PackError(f"kind '{kind.id}': {what}", mend=mend, where=str(path))
    return pack


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        yield from sorted(Path(directory).glob("*.toml")) if Path(directory).is_dir() else (Path(directory),)


def _explain(message: str, raw: dict[str, object]) -> str:
    """msgspec's '… - at `$.kinds[2].alarms[0].response`' with the ids put in place of the figures."""
    text, _, place = message.partition(" - at `")
    here: object = raw
    names: list[str] = []
    for step in place.rstrip("`").replace("[", ".[").split(".")[1:]:
        try:
            here = here[int(step[1:-1])] if step.startswith("[") else here[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError, ValueError):
            here = None
        if step.startswith("["):
            label = here.get("id", here.get("key")) if isinstance(here, dict) else None
            names[-1] += f" '{label}'" if label else step
        else:
            names.append(step)
    return f"{', '.join(names)}: {text}" if names else text
