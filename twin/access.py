"""Who may do what, and why not: four roles, each able to do what the one below it can.

A dangerous command takes two people: whoever may command asks for it, another who may `command.dangerous` approves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from twin.errors import AccessDenied

Action = Literal["read", "acknowledge", "shelve", "command", "command.dangerous", "incident", "plan",
                 "dispatch", "track", "fence", "wall", "out_of_service", "edit",
                 "users", "audit"]


class Role(IntEnum):
    """Rising powers."""

    VIEWER = 1
    OPERATOR = 2
    COMMANDER = 3
    ADMIN = 4


LEAST: dict[Action, Role] = {
    "read": Role.VIEWER, "acknowledge": Role.OPERATOR, "shelve": Role.OPERATOR, "command": Role.OPERATOR,
    "command.dangerous": Role.COMMANDER, "incident": Role.COMMANDER, "plan": Role.OPERATOR, "dispatch": Role.OPERATOR,
    "track": Role.OPERATOR, "fence": Role.COMMANDER, "wall": Role.OPERATOR, "users": Role.ADMIN, "audit": Role.ADMIN,
    "out_of_service": Role.COMMANDER, "edit": Role.COMMANDER,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, with the reason in words."""

    allowed: bool
    reason: str


def role_named(name: str) -> Role | None:
    """The role of a name such as 'operator'; None when there is none."""
    return Role.__members__.get(name.upper())


RULE = "linkage"  # not a role of people: what a checked declaration may do
RULE_MAY = frozenset({"command", "command.dangerous"})


def decide(role: str, action: Action) -> Decision:
    """Whether a role may do an action. An unknown role may nothing."""
    if role == RULE:
        may = action in RULE_MAY
        return Decision(may, "declared by the linkage" if may else f"a linkage may not '{action}'")
    held = role_named(role)
    if held is None:
        return Decision(False, f"role '{role}' is unknown; it may do nothing")
    least = LEAST[action]
    if held < least:
        return Decision(False, f"'{action}' needs the role {least.name.lower()} or above; you are {held.name.lower()}")
    return Decision(True, f"{held.name.lower()} may do '{action}'")


def require(role: str, action: Action) -> None:
    """Nothing, when the role may.

    Raises:
        AccessDenied: it may not; the text says which role may.
    """
    decision = decide(role, action)
    if not decision.allowed:
        raise denial(decision.reason, role, action)


def denial(reason: str, role: str, action: Action) -> AccessDenied:
    """The refusal of an action to a role."""
    return AccessDenied(reason, mend="ask someone who may", code="access.role",
                        fill={"role": role, "needs": LEAST[action].name.lower()})
