"""What schemes a park has, and whether one changed. Nothing is worked out here: a server starts without what does that."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from scenes.schemes.file import read_scheme
from twin.park import ParkSpec
from twin.parkfile import Fault

PRESENT = "present"
FORMAT = 9
Document = dict[str, Any]


def scheme_ids(spec: ParkSpec) -> list[str]:
    """Ids of the park's schemes, sorted."""
    folder = spec.root / "schemes"
    return sorted(p.stem for p in folder.glob("*.toml") if p.stem != PRESENT) if folder.is_dir() else []


def content_hash(spec: ParkSpec, manifest: Document, key: str) -> str:
    """Changes when the scheme, a file it names, the rules or the compiled park changes."""
    digest = hashlib.sha256(f"{FORMAT}:{manifest.get('build')}:{key}".encode())
    paths = [spec.root / "rules.toml"]
    if key != PRESENT:
        scheme, _ = read_scheme(spec.root / "schemes" / f"{key}.toml")
        paths += [scheme.path, *(b.ifc for b in scheme.buildings if b.ifc), *(f.source for f in scheme.footprints)]
    for path in paths:
        if path.is_file():
            state = path.stat()
            digest.update(_digest(path, state.st_mtime_ns, state.st_size))
        else:
            digest.update(b"-")
    return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=512)
def _digest(path: Path, modified_ns: int, size: int) -> bytes:
    """SHA-256 of a file; read again only when its time or size changes (browsers ask often, IFC files are large)."""
    return hashlib.sha256(path.read_bytes()).digest()


def fault_document(fault: Fault, file: str) -> Document:
    """A fault as browsers get it, in both languages."""
    return {"file": file, "line": fault.line, "what": fault.what, "mend": fault.mend, "severity": fault.severity,
            "what_zh": fault.what_zh, "mend_zh": fault.mend_zh}
