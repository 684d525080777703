"""The tables of a space in a database with pgvector: creating, filling, indexing and dropping them, and their state.

    sightline_vectors.spaces           a row for each space: its state
    sightline_vectors.s_NAME_TOKEN     the vectors of a space: frame ID, vector in the precision of the space

All functions work within the transaction of the connection that they get.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.catalog.frame_ids import CONTENT_BITS
from store.catalog.id_sets import Ids
from store.spaces.server_engines.engine import EngineState, EngineTarget, Parts
from store.spaces.server_engines.pgvector_rows import END, HEADER, row_type, to_rows

if TYPE_CHECKING:
    from psycopg import Connection

    from store.catalog.postgresql.watched_connection import WatchedConnection

__all__ = ["SCHEMA", "PgvectorTables", "has_states", "names_in", "table_of"]

SCHEMA = "sightline_vectors"
HNSW = "m = 16, ef_construction = 200"
BUILD_MEMORY = "512MB"
"""For building an HNSW index, which takes far longer if it does not fit."""
DELETED_AT_ONCE = 4_096
"""Contents whose vectors one statement deletes."""

_CONTENT_MASK = (1 << CONTENT_BITS) - 1

_LIVENESS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
}
"""A machine that was switched off must not hold the lock of a space for hours."""
_NOTICED_AFTER = "10s"
"""Time after which a server notices, in the middle of a statement, that a process was killed, on systems that can."""


def table_of(state: EngineState) -> str:
    """Return the name of the table with the vectors."""
    return f"{SCHEMA}.{state.storage}"


def has_states(connection: "Connection[Any]") -> bool:
    """Return whether the database has the table of states."""
    return connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.spaces"]).fetchone() != (None,)


def names_in(connection: "Connection[Any]") -> set[str]:
    """Return the names of all targets: those in the table of states, and those in the names of tables."""
    rows = connection.execute(
        f"SELECT name FROM {SCHEMA}.spaces UNION SELECT split_part(tablename, '_', 2) FROM pg_tables "
        "WHERE schemaname = %s AND starts_with(tablename, 's_')",
        [SCHEMA],
    ).fetchall()
    return {name for (name,) in rows}


@dataclass(frozen=True)
class PgvectorTables:
    """The tables of one space."""

    target: EngineTarget

    @property
    def type(self) -> str:
        """The type of a vector."""
        return f"{'halfvec' if self.target.dtype == 'float16' else 'vector'}({self.target.dim})"

    def prepare(self, connection: "Connection[Any]") -> None:
        """Create what is missing: the extension, the schema, and the table of states."""
        connection.execute(f"SELECT pg_advisory_xact_lock(hashtext('{SCHEMA}'))")  # two may create it at once
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {SCHEMA}.spaces"
            " (name text PRIMARY KEY, position bigint NOT NULL, state text NOT NULL)"
        )

    def lock(self, connection: "Connection[Any]") -> None:
        """Wait until no other machine changes the vectors of this space; until the end of the transaction."""
        _notice_lost_clients(connection)
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{SCHEMA}.{self.target.name}"])

    def state(self, connection: "Connection[Any]") -> EngineState | None:
        """Return the state of the space; None if there is none, or one that this version cannot read."""
        statement = f"SELECT state FROM {SCHEMA}.spaces WHERE name = %s"
        row = connection.execute(statement, [self.target.name]).fetchone()
        return None if row is None else EngineState.from_engine(row[0])

    def save(self, connection: "Connection[Any]", state: EngineState) -> None:
        """Store the state of the space."""
        connection.execute(
            f"INSERT INTO {SCHEMA}.spaces (name, position, state) VALUES (%s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET position = excluded.position, state = excluded.state",
            [self.target.name, state.position, state.to_json()],
        )

    def create(self, connection: "Connection[Any]", table: str) -> None:
        """Create an empty table without an index."""
        connection.execute(f"CREATE TABLE {table} (id bigint NOT NULL, vector {self.type} NOT NULL)")

    def index(self, connection: "Connection[Any]", table: str, *, approximately: bool) -> None:
        """Index a table that was filled, and have the planner know it."""
        connection.execute(f"SELECT set_config('maintenance_work_mem', '{BUILD_MEMORY}', true)")
        connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        if approximately:
            operators = "halfvec_ip_ops" if self.target.dtype == "float16" else "vector_ip_ops"
            connection.execute(f"CREATE INDEX ON {table} USING hnsw (vector {operators}) WITH ({HNSW})")
        connection.execute(f"ANALYZE {table}")

    def add(self, connection: "WatchedConnection", table: str, parts: Parts) -> int:
        """Add vectors to a table; return how many."""
        record, number = row_type(self.target.dtype, self.target.dim), 0
        with (
            connection.cursor() as cursor,
            connection.sends_much(),
            cursor.copy(f"COPY {table} (id, vector) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.write(HEADER)
            for ids, vectors in parts:
                copy.write(to_rows(ids, vectors, record))
                number += len(ids)
            copy.write(END)
        return number

    def remove(self, connection: "Connection[Any]", table: str, contents: Ids) -> int:
        """Remove the vectors of all frames of `contents` (n,) from a table; return how many."""
        removed = 0
        for start in range(0, len(contents), DELETED_AT_ONCE):
            batch = contents[start : start + DELETED_AT_ONCE].tolist()
            for condition in ("id = ANY(%s::bigint[])", f"id > {_CONTENT_MASK} AND id & {_CONTENT_MASK} = ANY(%s)"):
                removed += connection.execute(f"DELETE FROM {table} WHERE {condition}", [batch]).rowcount
        return removed

    def drop(self, connection: "Connection[Any]", kept: EngineState | None) -> None:
        """Drop the tables of this space except that of `kept`, which others may be searching."""
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND starts_with(tablename, %s)",
            [SCHEMA, f"s_{self.target.name}_"],
        ).fetchall()
        from psycopg.sql import SQL, Identifier

        for (name,) in names:
            if kept is None or name != kept.storage:
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(SCHEMA, name)))

    def forget(self, connection: "Connection[Any]") -> None:
        """Delete the state of the space."""
        connection.execute(f"DELETE FROM {SCHEMA}.spaces WHERE name = %s", [self.target.name])


def _notice_lost_clients(connection: "Connection[Any]") -> None:
    """Have the server roll the transaction back soon after the process that began it is gone."""
    from psycopg.errors import DatabaseError

    for name, value in _LIVENESS.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL client_connection_check_interval = '{_NOTICED_AFTER}'")
    except DatabaseError:  # the system of the server cannot do that
        if connection.closed:
            raise
