"""A catalogue on a PostgreSQL server, for several machines at once. `psycopg` is imported when one is opened."""
