"""Several servers of one park over one PostgreSQL: one of them writes, the others follow. None of it is used with SQLite."""
