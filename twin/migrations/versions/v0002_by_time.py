"""Replay asks by time: the trail, commands, incidents and dispatches are found by it."""

from __future__ import annotations

from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
BY_TIME = {"trail": "time", "commands": "requested", "incidents": "opened", "dispatches": "requested"}


def upgrade() -> None:
    """An index each."""
    for table, column in BY_TIME.items():
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)


def downgrade() -> None:
    """Take them away."""
    for table, column in BY_TIME.items():
        op.drop_index(f"ix_{table}_{column}", table, if_exists=True)
