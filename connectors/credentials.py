"""Passwords and certificates of a source: kept where the park file says, never in it, never in a log."""

from __future__ import annotations

import ssl
from pathlib import Path

from twin.errors import ParkFileError
from twin.park import SourceSpec
from twin.passwords import read_password


def password_of(source: SourceSpec, root: Path) -> str:
    """The secret behind a source's `password`; '' where none is declared. Raises as `twin.passwords.read_password`."""
    return read_password(source.password, root, f"source '{source.id}'", f"park.toml:{source.line}")


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
