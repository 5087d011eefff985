"""What Alembic runs: the migrations, over the connection it is given."""

from __future__ import annotations

from alembic import context

from twin.sql import META

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=META, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
