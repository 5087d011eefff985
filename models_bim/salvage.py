"""What a damaged part of a file costs: that part alone, counted and told, never the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from twin.errors import SourceError
from twin.finding import Finding

Made = TypeVar("Made")
Other = TypeVar("Other")
_NEVER_MINE = (SourceError, MemoryError)


class Salvage:
    """Collects what could not be read of one file. IfcOpenShell raises almost anything where a file breaks its schema."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lost: dict[str, tuple[int, str]] = {}

    def part(self, what: str, make: Callable[[], Made], otherwise: Other) -> Made | Other:
        """What `make` comes to, or `otherwise` with a word about it."""
        try:
            return make()
        except _NEVER_MINE:
            raise
        except Exception as error:  # noqa: BLE001 - see the class
            self._note(what, error)
            return otherwise

    def each(self, what: str, things: Iterable[Made]) -> Iterator[Made]:
        """Things as long as they come; where making them fails the rest of them is lost."""
        walk = iter(things)
        while True:
            try:
                thing = next(walk)
            except StopIteration:
                return
            except _NEVER_MINE:
                raise
            except Exception as error:  # noqa: BLE001 - see the class
                self._note(what, error)
                return
            yield thing

    def join(self, other: Salvage) -> None:
        """Take over what another part of the reading lost."""
        for what, (count, why) in other._lost.items():
            mine, first = self._lost.get(what, (0, ""))
            self._lost[what] = (mine + count, first or why)

    def findings(self) -> list[Finding]:
        """One row for each part of the file that was lost."""
        return [
            Finding("error", f"{what} cannot be read ({why}); the rest of the file is", self._name,
                    "the file is damaged there: export the model again", count, "damaged.part",
                    {"part": what, "why": why})
            for what, (count, why) in sorted(self._lost.items())
        ]

    def _note(self, what: str, error: Exception) -> None:
        count, why = self._lost.get(what, (0, ""))
        self._lost[what] = (count + 1, why or " ".join(f"{type(error).__name__}: {error}".split())[:120])
