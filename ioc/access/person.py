"""Who is asking: a name and a role, carried by a context variable from the guard to every route and page."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from twin.errors import AccessDenied

SCREEN = "screen:"
"""Before the id of a link in the name of who signed in by it: a wall's screen, not a person."""
ROLES = ("viewer", "operator", "commander", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A signed-in person."""

    user: str
    role: str
    is_demo: bool = False

    @property
    def is_screen(self) -> bool:
        """Whether this is a screen of the wall, signed in by its link."""
        return self.user.startswith(SCREEN)

    def may(self, role: str) -> bool:
        """Whether this person's role is the named one or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


_current: ContextVar[Person | None] = ContextVar("parktwin_person", default=None)


def current() -> Person | None:
    """The person of the request or page being served; None outside of one."""
    return _current.get()


def set_current(person: Person | None) -> None:
    """Called by the guard, once a request or socket."""
    _current.set(person)


def require(role: str, doing: str) -> Person:
    """The person asking, when their role allows it.

    Raises:
        AccessDenied: nobody is signed in, or the role is too low; `doing` completes the sentence.
    """
    person = current()
    if person is None:
        raise AccessDenied("nobody is signed in", mend="sign in first", code="access.nobody")
    if not person.may(role):
        raise AccessDenied(f"{person.user} is a {person.role}, and {doing} needs a {role}",
                           mend=f"ask a {role} to do it, or an admin to change the role", code="access.role",
                           fill={"role": person.role, "needs": role})
    return person
