"""Several servers of one park: who writes, who is there, what changed, what was asked of the writer, papers all share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0003", "0002", None, None
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAMES = ("asks", "changes", "leases", "papers", "servers")


def upgrade() -> None:
    """Five tables."""
    meta = sa.MetaData()
    sa.Table("leases", meta, sa.Column("id", sa.String, primary_key=True), sa.Column("holder", sa.String, nullable=False),
             sa.Column("token", BIG, nullable=False), sa.Column("taken", sa.Double, nullable=False))
    sa.Table("servers", meta, sa.Column("id", sa.String, primary_key=True), sa.Column("since", sa.Double, nullable=False),
             sa.Column("seen", sa.Double, nullable=False))
    sa.Table("changes", meta, sa.Column("seq", BIG, primary_key=True), sa.Column("what", sa.String(16), nullable=False),
             sa.Column("thing", sa.String, nullable=False), sa.Column("time", sa.Double, nullable=False, index=True))
    sa.Table("asks", meta, sa.Column("id", sa.String, primary_key=True),
             sa.Column("asked", sa.Double, nullable=False, index=True), sa.Column("session", sa.String(64), nullable=False),
             sa.Column("method", sa.String(8), nullable=False), sa.Column("path", sa.String, nullable=False),
             sa.Column("body", sa.String, nullable=False), sa.Column("token", BIG), sa.Column("status", sa.Integer),
             sa.Column("answer", sa.String), sa.Column("media", sa.String))
    sa.Table("papers", meta, sa.Column("id", sa.String, primary_key=True), sa.Column("body", sa.String, nullable=False))
    meta.create_all(op.get_bind())


def downgrade() -> None:
    """Take them away."""
    for name in NAMES:
        op.drop_table(name)
