"""Linkages (联动) as declarations: which alarm moves what, where, in what time; one TOML file a linkage.

An *automatic* linkage orders dangerous things by its declaration alone, which has an owner: an evacuation waits for nobody.
One that *asks* waits for a commander's word; with a dangerous step, for the word of two people.

A linkage that could raise what triggers it, by itself or through another, is refused when loaded; so is one that names a
kind, command or alarm there is not. The rest loads.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from twin.commands import CommandError, new_command
from twin.finding import Fault, Finding
from twin.pack_spec import AlarmRule, DeviceKind, argument_of

Where = Literal["device", "storey", "building", "park", "nearest"]


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alarms by name (`kind.alarm`), or all of a pack up to a priority (1 is the worst)."""

    alarms: tuple[str, ...] = ()
    pack: str = ""
    priority: int = 0


class StepSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command for devices of a kind, or the cameras shown. `count` 0: all there; metres are walked."""

    key: str
    name: str
    kind: str
    where: Where
    name_zh: str = ""
    command: str = ""       # empty: shown only
    args: dict[str, float | str] = {}
    count: int = 0
    after_secs: float = 0.0
    limit_secs: float = 60.0


class LinkageSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A linkage. `ask`: it waits for a commander's word."""

    id: str
    name: str
    owner: str
    trigger: Trigger
    steps: tuple[StepSpec, ...]
    name_zh: str = ""
    owner_zh: str = ""
    mode: Literal["automatic", "ask"] = "automatic"
    alarms: frozenset[str] = frozenset()    # what the trigger comes to; filled in when loaded
    is_dangerous: bool = False              # whether a step's command is; filled in when loaded


def linkages_dir() -> Path:
    """The linkages that come with Parktwin."""
    return Path(__file__).resolve().parent.parent / "assets" / "linkages"


def rules_of(kinds: dict[str, DeviceKind]) -> dict[str, tuple[DeviceKind, AlarmRule]]:
    """Every alarm rule as `kind.alarm`."""
    return {f"{kind.id}.{rule.key}": (kind, rule) for kind in kinds.values() for rule in kind.alarms}


def load_linkages(directories: Iterable[Path],
                  kinds: dict[str, DeviceKind]) -> tuple[dict[str, LinkageSpec], list[Finding]]:
    """Every linkage of the folders; a later one with the same id replaces an earlier one. What does not hold is told."""
    found: dict[str, tuple[LinkageSpec, str]] = {}
    findings: list[Finding] = []
    for path in [path for folder in directories for path in sorted(folder.glob("*.toml"))]:
        try:
            spec = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), LinkageSpec)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            findings.append(Finding("error", f"linkage is left out: {error}", str(path), "correct that entry",
                                    code="declaration.entry", fill={"why": str(error)}))
            continue
        fault = _fault(spec, kinds)
        if fault:
            findings.append(Finding("error", f"linkage '{spec.id}' is left out: {fault.what}", str(path), fault.mend,
                                    code=fault.code, fill={"id": spec.id, **fault.fill}))
        else:
            found[spec.id] = (msgspec.structs.replace(
                spec, alarms=_triggers(spec.trigger, kinds), is_dangerous=_is_dangerous(spec, kinds)), str(path))
    specs = {key: spec for key, (spec, _) in found.items()}
    for key, ring in loops(specs, kinds).items():
        findings.append(Finding("error", f"linkage '{key}' is left out: it loops ({ring})", found[key][1],
                                "take out the command that raises the alarm, or the alarm from the trigger",
                                code="linkage.loops", fill={"id": key, "ring": ring}))
        del specs[key]
    return specs, findings


def loops(specs: dict[str, LinkageSpec], kinds: dict[str, DeviceKind]) -> dict[str, str]:
    """Linkages that come back to themselves, with the way: `a → smoke.fire → b → … → a`."""
    raised = {key: {alarm for step in spec.steps for alarm in _raised_by(step, kinds)} for key, spec in specs.items()}
    follows = {key: [(alarm, other) for other, spec in specs.items() for alarm in sorted(raised[key] & spec.alarms)]
               for key in specs}
    out: dict[str, str] = {}
    for start in specs:
        ways: list[tuple[str, str]] = [(start, start)]
        seen: set[str] = set()
        while ways:
            here, text = ways.pop()
            for alarm, other in follows[here]:
                way = f"{text} → {alarm} → {other}"
                if other == start:
                    out.setdefault(start, way)
                elif other not in seen:
                    seen.add(other)
                    ways.append((other, way))
    return out


def _raised_by(step: StepSpec, kinds: dict[str, DeviceKind]) -> set[str]:
    """Alarms of its own kind that a step's command brings about: a point is set to a state or beyond a limit."""
    kind = kinds[step.kind]
    command = kind.command(step.command) if step.command else None
    if command is None:
        return set()
    values = {**command.sets, command.confirm.point: command.confirm.state or command.confirm.value}
    out = set()
    for key, wanted in values.items():
        argument = argument_of(wanted)
        value = step.args.get(argument) if argument else wanted
        out |= {f"{kind.id}.{rule.key}" for rule in kind.alarms if rule.point == key and _is_on(rule, value)}
    return out


def _is_dangerous(spec: LinkageSpec, kinds: dict[str, DeviceKind]) -> bool:
    commands = (kinds[step.kind].command(step.command) for step in spec.steps if step.command)
    return any(command is not None and command.danger == "dangerous" for command in commands)


def _is_on(rule: AlarmRule, value: object) -> bool:
    if rule.rule == "state":
        return value == rule.state
    if rule.limit is None or isinstance(value, str | bool) or not isinstance(value, int | float):
        return False
    return (rule.rule == "high" and value > rule.limit) or (rule.rule == "low" and value < rule.limit)


def _triggers(trigger: Trigger, kinds: dict[str, DeviceKind]) -> frozenset[str]:
    wide = {name for name, (kind, rule) in rules_of(kinds).items()
            if trigger.priority and rule.priority <= trigger.priority and (not trigger.pack or kind.pack == trigger.pack)}
    return frozenset(trigger.alarms) | wide


def _fault(spec: LinkageSpec, kinds: dict[str, DeviceKind]) -> Fault | None:
    unknown = sorted(set(spec.trigger.alarms) - set(rules_of(kinds)))
    if unknown:
        return Fault(f"it is triggered by unknown alarm '{unknown[0]}'", "name alarms as kind.key of a pack",
                     "declaration.alarm", {"alarm": unknown[0]})
    if not _triggers(spec.trigger, kinds):
        return Fault("nothing triggers it", "name alarms, or a priority (and a pack), in [trigger]", "linkage.no_trigger")
    if not spec.owner.strip():
        return Fault("it has no owner", "add owner = \"…\"", "declaration.no_owner")
    keys = [step.key for step in spec.steps]
    for step in spec.steps:
        if keys.count(step.key) > 1:
            return Fault(f"step '{step.key}' exists twice", "rename one of the two", "declaration.step_twice",
                         {"step": step.key})
        if step.kind not in kinds:
            return Fault(f"step '{step.key}' is for unknown kind '{step.kind}'", f"use one of {', '.join(sorted(kinds))}",
                         "linkage.kind", {"step": step.key, "kind": step.kind})
        if step.limit_secs <= 0 or step.count < 0 or (step.where == "nearest" and not step.count):
            return Fault(f"step '{step.key}' has no limit or count", "give limit_secs above 0, and count where 'nearest'",
                         "linkage.no_limit", {"step": step.key})
        if step.command:
            try:
                new_command(command_id="", idempotency_key="", device=step.kind, kind=kinds[step.kind], key=step.command,
                            args=step.args, by="", now=0.0)
            except CommandError as error:
                return Fault(f"step '{step.key}': {error.what}", error.mend, "linkage.command",
                             {"step": step.key, "command": step.command})
    return None
