"""The viewer's own fonts for PDF: Noto Sans SC in unicode-range pieces, unpacked from WOFF2 to TrueType once per piece.

A document loads only the pieces whose range holds one of its characters (a page of Chinese needs about ten of a hundred).
Source: npm `@fontsource/noto-sans-sc` (OFL-1.1), copied to `assets/viewer/dist` by the viewer's build.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ioc.pages.view import DIST
from twin.errors import TwinError

WEIGHTS = {"": 400, "B": 700}
_FACE = re.compile(r"@font-face\s*{([^}]*)}")
_FILE = re.compile(r"url\(fonts/(noto-sans-sc-(.+?)-(400|700)-normal\.woff2)\)")
_RANGE = re.compile(r"unicode-range:\s*([^;]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FontIndex:
    """Which piece of the font holds a character: sorted ranges, none overlapping in what is asked of it."""

    first: tuple[int, ...]
    last: tuple[int, ...]
    piece: tuple[str, ...]

    def piece_of(self, character: str) -> str | None:
        """Name of the piece with this character (`latin`, `101`); None where the font has none."""
        code = ord(character)
        at = bisect.bisect_right(self.first, code) - 1
        is_in_range = at >= 0 and code <= self.last[at]
        return self.piece[at] if is_in_range and code in _characters(self.piece[at]) else None


@functools.lru_cache(maxsize=128)
def _characters(piece: str) -> frozenset[int]:
    """Code points a piece really draws; ranges promise a few that it does not."""
    from fontTools.ttLib import TTFont

    with TTFont(unpacked(piece, ""), lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.lru_cache(maxsize=2)
def font_index(dist: Path = DIST) -> FontIndex:
    """The ranges of every piece, as the viewer's style sheet lists them.

    Raises:
        TwinError: the viewer was never built.
    """
    try:
        sheet = (dist / "parktwin.css").read_text()
    except OSError as error:
        raise TwinError("the viewer's fonts are missing, so no PDF can be written", where=str(dist),
                        mend="build the viewer (tools/setup)") from error
    ranges: dict[tuple[int, int], str] = {}
    for face in _FACE.findall(sheet):
        file, span = _FILE.search(face), _RANGE.search(face)
        if file is None or span is None:
            continue
        for part in span[1].split(","):
            low, _, high = part.strip()[2:].partition("-")
            ranges.setdefault((int(low, 16), int(high or low, 16)), file[2])
    ordered = sorted(ranges)
    return FontIndex(first=tuple(low for low, _ in ordered), last=tuple(high for _, high in ordered),
                     piece=tuple(ranges[key] for key in ordered))


@functools.lru_cache(maxsize=1)
def _folder() -> Path:
    """Where unpacked pieces lie: one folder a user, so that servers of one machine share it."""
    folder = Path(tempfile.gettempdir()) / f"parktwin-fonts-{os.getuid() if hasattr(os, 'getuid') else 'all'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != (os.getuid() if hasattr(os, "getuid") else folder.stat().st_uid):
        folder = Path(tempfile.mkdtemp(prefix="parktwin-fonts-"))
    return folder


def unpacked(piece: str, style: str, dist: Path = DIST) -> Path:
    """A piece as a TrueType file.

    Args:
        piece: as `FontIndex.piece_of` names it.
        style: "" or "B".
    """
    from fontTools.ttLib import TTFont

    source = dist / "fonts" / f"noto-sans-sc-{piece}-{WEIGHTS[style]}-normal.woff2"
    stamp = hashlib.sha256(f"{source}:{source.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = _folder() / f"{source.stem}-{stamp}.ttf"
    if not target.exists():
        font = TTFont(source)
        font.flavor = None
        partial = target.with_suffix(f".{os.getpid()}.part")
        font.save(partial)
        partial.replace(target)
    return target
