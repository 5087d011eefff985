"""The parktwin command (one module a verb) and `Park`, a compiled park for people who analyse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenes.api import Park

__all__ = ["Park"]


def __getattr__(name: str) -> Any:
    """`parktwin.Park`, loaded when first asked for: the command line starts without it."""
    if name == "Park":
        from scenes.api import Park

        return Park
    raise AttributeError(name)
