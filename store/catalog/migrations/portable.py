"""Types of columns for migrations that run on every database. Each is what the declared tables have there.

Migrations up to 0014 are the history of SQLite: a catalogue in PostgreSQL begins with that schema.
"""

import sqlalchemy as sa

__all__ = ["BYTES", "INTEGER", "TEXT", "is_sqlite"]

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
BYTES = sa.LargeBinary()


def is_sqlite(connection: sa.Connection) -> bool:
    """Return whether a migration runs on SQLite. Triggers are written for each database."""
    return connection.dialect.name == "sqlite"
