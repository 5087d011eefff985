"""The tables of the database, version by version (Alembic): every change of a table is a file in `versions/`."""
