"""One error root for everything a person can mend."""

from __future__ import annotations

from functools import partial


class TwinError(Exception):
    """Something a person can put right: what is wrong, where, and the mend.

    Subclasses add fields; the text is always worded for repair.

    Args:
        what: one clause saying what is wrong, with the names involved.
        mend: what to change, and in which file.
        where: file, or file:line, that holds the fault; None when there is none.
        code: names the refusal for pages, which say it in their own words (`assets/i18n/refusals.*.json`).
        fill: what those words are filled with.
    """

    def __init__(self, what: str, *, mend: str, where: str | None = None, code: str = "",
                 fill: dict[str, str | float] | None = None) -> None:
        self.what = what
        self.mend = mend
        self.where = where
        self.code = code
        self.fill = fill or {}
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{what}; {mend}")

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), mend=self.mend), (self.what,), self.__dict__


class ParkFileError(TwinError):
    """The park file (park.toml) or a table it names cannot be used as it is."""


class SourceError(TwinError):
    """An input file (IFC, GIS layer, registry) cannot be read or placed."""


class PackError(TwinError):
    """A device pack does not hold together."""


class NotBuiltError(TwinError):
    """A park is asked to serve before it was ever built."""


class DamagedBuildError(TwinError):
    """A compiled park cannot be opened as it lies on the disk."""


class AccessDenied(TwinError):
    """A person may not do what they asked; the text says why."""


def first_line(error: BaseException, most: int = 200) -> str:
    """What an error of a library says, on one line and not for ever."""
    return next(iter(str(error).splitlines()), "")[:most]
