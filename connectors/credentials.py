"""Passwords and certificates of a source: kept where the park file says, never in it, never in a log."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from twin.errors import ParkFileError
from twin.park import SourceSpec


def password_of(source: SourceSpec, root: Path) -> str:
    """The secret behind `env:NAME` or `file:PATH` (relative to the park folder); '' where none is declared.

    Raises:
        ParkFileError: it is not where the park file says.
    """
    kind, _, where = source.password.partition(":")
    if not kind:
        return ""
    if kind == "env":
        if where not in os.environ:
            raise ParkFileError(f"source '{source.id}': the environment has no {where}",
                                mend=f"set {where} for the server", where=f"park.toml:{source.line}")
        return os.environ[where]
    try:
        return (root / where).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ParkFileError(f"source '{source.id}': its password file cannot be read ({error})",
                            mend=f"write it to {where}, readable by the server alone",
                            where=f"park.toml:{source.line}") from error


def tls_of(source: SourceSpec) -> ssl.SSLContext:
    """A context that checks the server against `ca` (else the system's authorities) and shows `cert` where there is one.

    Raises:
        ParkFileError: a file is no certificate or key.
    """
    try:
        context = ssl.create_default_context(cafile=str(source.ca) if source.ca else None)
        if source.cert:
            context.load_cert_chain(str(source.cert), str(source.key) if source.key else None)
    except (OSError, ssl.SSLError) as error:
        raise ParkFileError(f"source '{source.id}': its certificates cannot be used ({error})",
                            mend="give ca, cert and key as PEM files", where=f"park.toml:{source.line}") from error
    return context
