"""Packs: device kinds as data, one TOML file a system of the park, checked as a whole when loaded.

A pack says what a kind measures (points), what is wrong with it (alarm rules, each with the answer expected of a
person), what it can be told (commands, each with the telemetry that proves it) and how the simulator moves it.
"""

from __future__ import annotations

import re
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
    KpiSpec,
    Optics,
    OverlaySpec,
    Pack,
    PointSpec,
    Response,
    Sense,
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
    "KpiSpec",
    "Optics",
    "OverlaySpec",
    "Pack",
    "PackSet",
    "PointSpec",
    "Response",
    "Sense",
    "States",
    "argument_of",
    "load_pack",
    "load_packs",
    "packs_dir",
    "park_packs",
]


@dataclass(frozen=True, slots=True)
class PackSet:
    """Every pack of a park and its kinds by id."""

    packs: tuple[Pack, ...]
    kinds: dict[str, DeviceKind]


def packs_dir() -> Path:
    """The packs that come with Parktwin."""
    return Path(__file__).resolve().parent.parent / "assets" / "packs"


def park_packs(root: Path) -> PackSet:
    """The packs that come with Parktwin and those in a park's own `packs/` folder, which may add kinds.

    Raises:
        PackError: as `load_packs`.
    """
    return load_packs([packs_dir(), *([own] if (own := root / "packs").is_dir() else [])])


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
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PackError(f"cannot be read ({error})", mend="make it valid TOML in UTF-8", where=str(path)) from error
    try:
        pack = msgspec.convert(raw, Pack)
    except msgspec.ValidationError as error:
        told = _explain(str(error), raw)
        raise PackError(told, mend=_mend(told), where=_where(path, text, told)) from error
    pack = msgspec.structs.replace(
        pack, kinds=tuple(msgspec.structs.replace(kind, pack=pack.id, points=tuple(
            slot for point in kind.points for slot in point.slots)) for kind in pack.kinds))
    for kind in pack.kinds:
        for what, mend in faults(kind):
            told = f"kind '{kind.id}': {what}"
            raise PackError(told, mend=mend, where=_where(path, text, told))
    return pack


def _mend(told: str) -> str:
    if "missing required field `response`" in told:
        return ("an alarm nobody answers is not an alarm: add its response = { owner, owner_zh, deadline_mins, steps, "
                "steps_zh }, or remove it")
    return "correct that entry"


def _where(path: Path, text: str, told: str) -> str:
    """`file:line` of the innermost entry a message quotes by its id or key; the file alone when none is found."""
    lines, at = text.splitlines(), 0
    for name in re.findall(r"'([^']+)'", told):
        entry = re.compile(rf"""\b(id|key)\s*=\s*["']{re.escape(name)}["']""")
        at = next((k for k in range(max(at - 1, 0), len(lines)) if entry.search(lines[k])), at - 1) + 1
    return f"{path}:{at}" if at > 0 else str(path)


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
