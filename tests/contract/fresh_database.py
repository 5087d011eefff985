"""An empty place in the real PostgreSQL, for as long as a test needs it."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

POSTGRES = sa.make_url(os.environ.get("PARKTWIN_POSTGRES", "postgresql+psycopg://postgres:postgres@127.0.0.1:5432/postgres"))


@contextmanager
def fresh_postgres() -> Iterator[sa.URL]:
    """A database of its own; skips the test where there is no server."""
    try:
        socket.create_connection((POSTGRES.host or "127.0.0.1", POSTGRES.port or 5432), timeout=1).close()
    except OSError:
        pytest.skip(f"no PostgreSQL on {POSTGRES.host}:{POSTGRES.port}")
    name = f"parktwin_{uuid.uuid4().hex}"
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield POSTGRES.set(database=name)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
