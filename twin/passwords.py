"""Passwords of what the server signs in to: kept where the park file says, never in it."""

from __future__ import annotations

import os
from pathlib import Path

from twin.errors import ParkFileError


def read_password(declared: str, root: Path, whose: str, line: str) -> str:
    """The secret behind `env:NAME` or `file:PATH` (relative to the park folder); '' where none is declared.

    Args:
        declared: what the park file says.
        root: the park folder.
        whose: for the message, as "source 'meters'".
        line: where it is declared, as "park.toml:12".

    Raises:
        ParkFileError: it is not where the park file says.
    """
    kind, _, where = declared.partition(":")
    if not kind:
        return ""
    if kind == "env":
        if where not in os.environ:
            raise ParkFileError(f"{whose}: the environment has no {where}", mend=f"set {where} for the server", where=line)
        return os.environ[where]
    try:
        return (root / where).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ParkFileError(f"{whose}: its password file cannot be read ({error})",
                            mend=f"write it to {where}, readable by the server alone", where=line) from error
