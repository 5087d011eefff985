"""Which files belong to a source of the map."""

from __future__ import annotations

from pathlib import Path

from gis.model import TEXTURES
from gis.surveyfiles import folder_files


def sidecars(path: Path) -> list[Path]:
    """A source and the files that belong to it, or all that is read of a folder."""
    if path.is_dir():
        return [*folder_files(path), *(folder / "metadata.xml" for folder in list(path.parents)[:2])]
    if path.suffix.lower() in (".shp", ".tab", ".mif"):
        return sorted(path.parent.glob(f"{path.stem}.*"))
    if path.suffix.lower() == ".obj":
        beside = [p for p in sorted(path.parent.glob("*")) if p.suffix.lower() in (".mtl", *TEXTURES)]
        return [path, *beside, *(folder / "metadata.xml" for folder in list(path.parents)[:3])]
    return [path]
