"""Accounts of a former version, which kept them in a file of their own, come into the park's database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from twin.database import SQLITE, Database
from twin.database_copy import NotEmptyError, copy_rows
from twin.finding import Finding

FORMER = "accounts.sqlite"


def take_over(database: Database, state_dir: Path) -> Iterator[Finding]:
    """Copy accounts, sessions and wall links once; the former file is kept under another name.

    Yields:
        What a person should hear of: accounts that could not come, or alarms left behind in SQLite.
    """
    former = state_dir / FORMER
    if former.exists():
        engine = sa.create_engine(f"sqlite:///{former}")
        try:
            copy_rows(engine, database, only=("accounts", "sessions", "screens"))
            engine.dispose()
            former.rename(former.with_suffix(".moved.sqlite"))
        except NotEmptyError:
            yield Finding(level="warning", where=str(former),
                          what="accounts of a former version stay behind: there are accounts already",
                          mend=f"take the file away, or {database.url.database} if the former are wanted")
        finally:
            engine.dispose()
    if not database.is_sqlite and (state_dir / SQLITE).exists():
        yield Finding(level="warning", where=str(state_dir / SQLITE),
                      what="alarms and commands of before are still in SQLite",
                      mend="bring them over with `parktwin database DIR --move`")
