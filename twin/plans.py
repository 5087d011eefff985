"""Plans (预案): who does what within which time, one TOML file a plan; a plan nobody owns does not load."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from twin.finding import Fault, Finding
from twin.wire import AlarmView

RESPONSE = "response"
NO_OWNER = "add owner = \"…\": a plan nobody owns is not a plan"


class PlanRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes part."""

    id: str
    name: str
    name_zh: str = ""


class PlanStepSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one role does, and within how many minutes of the plan's start. `linked`: the linkage step that ticks it."""

    key: str
    what: str
    role: str
    limit_mins: float
    what_zh: str = ""
    linked: str = ""


class PlanSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan. `alarms` (`kind.alarm`) say for what it is suggested."""

    id: str
    name: str
    owner: str
    roles: tuple[PlanRole, ...]
    steps: tuple[PlanStepSpec, ...]
    name_zh: str = ""
    owner_zh: str = ""
    alarms: tuple[str, ...] = ()


def plans_dir() -> Path:
    """The plans that come with Parktwin."""
    return Path(__file__).resolve().parent.parent / "assets" / "plans"


def load_plans(directories: Iterable[Path], rules: frozenset[str]) -> tuple[dict[str, PlanSpec], list[Finding]]:
    """Every plan of the folders; a later one with the same id replaces an earlier one. What does not hold is told, the
    rest loads.

    Args:
        rules: every `kind.alarm` there is.
    """
    plans: dict[str, PlanSpec] = {}
    findings: list[Finding] = []
    for path in [path for folder in directories for path in sorted(folder.glob("*.toml"))]:
        try:
            plan = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), PlanSpec)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            is_owner = "`owner`" in str(error)
            findings.append(Finding(
                "error", f"plan is left out: {error}", str(path), NO_OWNER if is_owner else "correct that entry",
                code="declaration.no_owner" if is_owner else "declaration.entry",
                fill={"id": path.stem} if is_owner else {"why": str(error)}))
            continue
        fault = _fault(plan, rules)
        if fault:
            findings.append(Finding("error", f"plan '{plan.id}' is left out: {fault.what}", str(path), fault.mend,
                                    code=fault.code, fill={"id": plan.id, **fault.fill}))
        else:
            plans[plan.id] = plan
    return plans, findings


def _fault(plan: PlanSpec, rules: frozenset[str]) -> Fault | None:
    if not plan.owner.strip():
        return Fault("it has no owner", NO_OWNER, "declaration.no_owner")
    if not plan.steps:
        return Fault("it has no steps", "add [[steps]]", "plan.no_steps")
    roles, keys = {role.id for role in plan.roles}, [step.key for step in plan.steps]
    for step in plan.steps:
        if step.role not in roles:
            return Fault(f"step '{step.key}' is for unknown role '{step.role}'",
                         f"use one of {', '.join(sorted(roles)) or 'none'}", "plan.role",
                         {"step": step.key, "role": step.role})
        if step.limit_mins <= 0:
            return Fault(f"step '{step.key}' has no time", "give limit_mins above 0", "plan.no_time", {"step": step.key})
        if keys.count(step.key) > 1:
            return Fault(f"step '{step.key}' exists twice", "rename one of the two", "declaration.step_twice",
                         {"step": step.key})
    unknown = sorted(set(plan.alarms) - rules)
    if unknown:
        return Fault(f"it names unknown alarm '{unknown[0]}'", "name alarms as kind.key of a pack", "declaration.alarm",
                     {"alarm": unknown[0]})
    return None


def of_response(alarm: AlarmView) -> PlanSpec:
    """The response an alarm declares, as a plan; for incidents no plan is written for."""
    every = alarm.deadline_mins / max(len(alarm.steps), 1)
    steps = tuple(PlanStepSpec(key=f"s{k + 1}", what=what, role="owner", limit_mins=max(every * (k + 1), 0.5),
                               what_zh=alarm.steps_zh[k] if k < len(alarm.steps_zh) else what)
                  for k, what in enumerate(alarm.steps))
    return PlanSpec(id=RESPONSE, name=f"Response: {alarm.title}", name_zh=f"处置：{alarm.title_zh}", owner=alarm.owner,
                    owner_zh=alarm.owner_zh, roles=(PlanRole(id="owner", name=alarm.owner, name_zh=alarm.owner_zh),),
                    steps=steps)
