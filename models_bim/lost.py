"""Files of which nothing can be read."""

from __future__ import annotations

from pathlib import Path

from twin.errors import SourceError


def lost(path: Path, what: str, mend: str, code: str, **fill: str) -> SourceError:
    """Why nothing of a file can be read, and the same by code (`finding.lost.<code>`) for pages."""
    return SourceError(what, mend=mend, where=path.name, code=f"lost.{code}", fill={"file": path.name, **fill})
