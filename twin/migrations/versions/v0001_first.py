"""Everything Parktwin 0.1 keeps. A database from before there were versions is brought up to it, nothing in it is lost.

Tables stand here as they were at this version; those of today are where they are used.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0001", None, None, None

META = sa.MetaData()
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
sa.Table(
    "commands", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("idempotency_key", sa.String, nullable=False, unique=True),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True), sa.Column("requested", sa.Double, nullable=False),
    sa.Column("body", sa.String, nullable=False))
sa.Table(
    "incidents", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("is_open", sa.Boolean, nullable=False, index=True), sa.Column("opened", sa.Double, nullable=False),
    sa.Column("body", sa.String, nullable=False))
sa.Table(
    "dispatches", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True), sa.Column("requested", sa.Double, nullable=False),
    sa.Column("body", sa.String, nullable=False))
sa.Table(
    "trail", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Double, nullable=False), sa.Column("who", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False), sa.Column("subject", sa.String, nullable=False),
    sa.Column("node", sa.BigInteger, nullable=False), sa.Column("text", sa.String, nullable=False),
    sa.Column("text_zh", sa.String, nullable=False), sa.Column("hash", sa.String(64), nullable=False))
sa.Table(
    "trail_head", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("rows", BIG, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False), sa.Column("seal", sa.String(64), nullable=False))
sa.Table(
    "alarms", META, sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String, nullable=False), sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("is_active", sa.Boolean, nullable=False), sa.Column("raised", sa.Double, nullable=False, index=True),
    sa.Column("changed", sa.Double, nullable=False), sa.Column("value", sa.Double),
    sa.Column("acked_by", sa.String), sa.Column("shelved_by", sa.String), sa.Column("shelved_until", sa.Double),
    sa.Column("shelved_reason", sa.String, nullable=False))
sa.Table(
    "alarm_events", META, sa.Column("seq", BIG, primary_key=True),
    sa.Column("alarm", BIG, nullable=False, index=True),
    sa.Column("what", sa.String(16), nullable=False), sa.Column("state", sa.String(16), nullable=False),
    sa.Column("time", sa.Double, nullable=False, index=True), sa.Column("who", sa.String, nullable=False),
    sa.Column("why", sa.String))
sa.Table(
    "alarm_suppressions", META, sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False), sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("who", sa.String, nullable=False), sa.Column("reason", sa.String, nullable=False),
    sa.Column("since", sa.Double, nullable=False), sa.Column("until", sa.Double),
    sa.Column("is_live", sa.Boolean, nullable=False, index=True))
sa.Table(
    "marks", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("at_ms", sa.Double, nullable=False),
    sa.Column("text", sa.String, nullable=False), sa.Column("by", sa.String, nullable=False),
    sa.Column("made_ms", sa.Double, nullable=False), sa.Column("is_removed", sa.Boolean, nullable=False))
sa.Table(
    "accounts", META,
    sa.Column("name", sa.String(64), primary_key=True), sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password", sa.String(256)), sa.Column("created", sa.Double, nullable=False))
sa.Table(
    "sessions", META,
    sa.Column("id_hash", sa.String(64), primary_key=True), sa.Column("user", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False), sa.Column("is_demo", sa.Boolean, nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False), sa.Column("created", sa.Double, nullable=False),
    sa.Column("seen", sa.Double, nullable=False))
sa.Table(
    "screens", META,
    sa.Column("id", sa.String(16), primary_key=True), sa.Column("name", sa.String(64), nullable=False),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True), sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made", sa.Double, nullable=False), sa.Column("opened", sa.Double), sa.Column("revoked", sa.Double))


def upgrade() -> None:
    """Make the tables there are not; add to those there are what came later."""
    connection = op.get_bind()
    META.create_all(connection)
    there = sa.inspect(connection)
    for table in META.sorted_tables:
        names = {column["name"] for column in there.get_columns(table.name)}
        for column in (column for column in table.c if column.name not in names):
            default = "" if isinstance(column.type, sa.String) else None
            op.add_column(table.name, sa.Column(column.name, column.type, server_default=default))


def downgrade() -> None:
    """The first version has none before it."""
    raise NotImplementedError("there is no version before 0001; restore a backup")
