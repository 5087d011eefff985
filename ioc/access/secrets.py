"""The server's own secret: made once, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_of(state_dir: Path) -> bytes:
    """32 random bytes kept in `state/secret.key`, made on first use."""
    path = state_dir / "secret.key"
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        secret = secrets.token_bytes(32)
        file.write(secret)
    return secret
