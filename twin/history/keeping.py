"""How long history is kept, and how finely: `[history]` of the park file, worked off day by day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twin.history import files
from twin.history.thin import clean_thin, thin_day, thin_pieces
from twin.history.wal import POSITIONS, READINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What becomes of days that have ended.

    Args:
        thin: (days, seconds): readings older than that many days keep one row a point and bucket of that many seconds.
        days: readings older than that are deleted; 0 keeps them for ever.
        positions_days: where people and vehicles were is deleted after so many days; 0 keeps it for ever.
    """

    thin: tuple[tuple[int, int], ...] = ()
    days: int = 0
    positions_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one round did, in days."""

    thinned: int = 0
    deleted: int = 0


def keep(root: Path, keeping: Keeping, now_ms: int) -> Kept:
    """Thin and delete what is old enough; a crash half way is put right by the next round.

    Args:
        root: the history folder.
        keeping: the rules.
        now_ms: milliseconds since 1970 UTC.
    """
    clean_thin(root)
    today, deleted, thinned = now_ms // files.DAY_MS, 0, 0
    for kind, days in ((READINGS, keeping.days), (POSITIONS, keeping.positions_days)):
        old = [piece for piece in files.pieces(root, kind) if days and piece.day < today - days]
        for piece in old:
            piece.path.unlink(missing_ok=True)
        deleted += len({piece.day for piece in old})
    for thin in thin_pieces(root).values():
        if keeping.days and thin.day < today - keeping.days:
            thin.path.unlink(missing_ok=True)
            deleted += 1
    days_there = {piece.day for piece in files.pieces(root, READINGS)} | set(thin_pieces(root))
    for day in sorted(days_there):
        secs = max((secs for after, secs in keeping.thin if day < today - after), default=0)
        thinned += bool(secs) and thin_day(root, day, secs)
    return Kept(thinned=thinned, deleted=deleted)
