"""The engine pgvector: a table in PostgreSQL with an HNSW index.

    sightline_vectors.spaces           a row for each space: its state
    sightline_vectors.s_NAME_TOKEN     the vectors of a space: frame ID, vector in the precision of the space

A table is written and indexed in one transaction, and changed in one for each update, together with the state. A
search therefore never sees half of a change. PostgreSQL's planner would take the HNSW index for filtered searches,
too, and lose most hits. Filtered searches are written as a subquery with OFFSET 0, which it does not look into.
"""

import secrets
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from core.errors import ExtraMissing, IndexEngineUnavailable
from store.catalog.frame_ids import CONTENT_BITS
from store.catalog.id_sets import Ids
from store.spaces.server_engines.address import EngineAddress
from store.spaces.server_engines.engine import EngineState, EngineTarget, ExactProposals, Parts, VectorEngine
from store.spaces.server_engines.feed_marks import FeedMark

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PgvectorEngine"]

SCHEMA = "sightline_vectors"
APPROXIMATE_FROM = 10_000
"""Vectors from which an HNSW index is built. Comparing as many takes a few milliseconds."""
MAX_DIMENSIONS = {"float16": 4_000, "float32": 2_000}
"""Dimensions that pgvector can index."""
HNSW = "m = 16, ef_construction = 200"
BUILD_MEMORY = "512MB"
"""For building an HNSW index, which takes far longer if it does not fit."""
READ_ROWS = 4_096
CONNECT_SECONDS = 5
STATE_SECONDS = 10.0
PROPOSAL_SECONDS = 10.0
COMPARISON_SECONDS = 30.0
"""For comparing all vectors with a query."""
SECONDS_PER_QUERY = 1.0
"""So much longer may a request take for each query in it."""

_CONTENT_MASK = (1 << CONTENT_BITS) - 1
_BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END = b"\xff\xff"


class PgvectorEngine(VectorEngine):
    """The vectors of a space in the PostgreSQL database at `address`."""

    efforts = (100, 200, 400, 800)
    approximate_from = APPROXIMATE_FROM
    ranks_exactly = True

    def __init__(self, address: EngineAddress, target: EngineTarget) -> None:
        self.shown = address.shown
        self.storage_prefix = f"{SCHEMA}.s_{target.name}_"
        self._address, self._target = address, target
        self._idle: list[Connection[Any]] = []
        self._taking = Lock()
        self._closing = finalize(self, _close_all, self._idle)

    def state(self, *, fresh: bool = False) -> EngineState | None:  # noqa: ARG002 - it always is
        """Return what the table has."""
        with self._connected() as connection, _limited(connection, STATE_SECONDS):
            if connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.spaces"]).fetchone() == (None,):
                return None
            return self._state_in(connection)

    def propose(self, state: EngineState, queries: NDArray[np.float32], number: int) -> list[Ids]:
        """Return the nearest neighbours by the HNSW index."""
        statement = f"SELECT ARRAY(SELECT id FROM {_table(state)} ORDER BY vector <#> %s::{self._type} LIMIT %s)"
        settings = {"hnsw.ef_search": str(min(number, 1000)), "statement_timeout": f"{PROPOSAL_SECONDS:.0f}s"}
        limit = PROPOSAL_SECONDS + SECONDS_PER_QUERY * len(queries)
        with self._connected() as connection, _limited(connection, limit):
            rows = _in_one_trip(connection, settings, statement, [(_text(query), number) for query in queries])
        return [np.array(ids, np.int64) for (ids,) in rows]

    def best_exactly(
        self, state: EngineState, queries: NDArray[np.float32], number: int, among: Ids | None
    ) -> list[ExactProposals]:
        """Return the nearest vectors by comparing all."""
        condition, kept = ("", []) if among is None else ("WHERE id = ANY(%s::bigint[])", [among.tolist()])
        rows = f"SELECT id, vector FROM {_table(state)} {condition}"
        # The fence of OFFSET 0 keeps the planner from an index that does not compare all. A set of few rows is kept.
        statement = (
            f"WITH kept AS MATERIALIZED ({rows}) SELECT (SELECT count(*) FROM kept), {{}}"
            if among is not None
            else f"WITH kept AS NOT MATERIALIZED ({rows} OFFSET 0) SELECT (SELECT count(*) FROM {_table(state)}), {{}}"
        ).format(
            f"(SELECT position FROM {SCHEMA}.spaces WHERE name = %s), "
            f"ARRAY(SELECT id FROM kept ORDER BY vector <#> %s::{self._type} LIMIT %s)"
        )
        settings = {"statement_timeout": f"{COMPARISON_SECONDS:.0f}s"}
        limit = COMPARISON_SECONDS + SECONDS_PER_QUERY * len(queries)
        with self._connected() as connection, _limited(connection, limit):
            parameters = [(*kept, self._target.name, _text(query), number) for query in queries]
            found = _in_one_trip(connection, settings, statement, parameters)
        return [
            ExactProposals(np.array(ids, np.int64), -1 if position is None else position, compared)
            for compared, position, ids in found
        ]

    def build(self, parts: Parts, position: int, mark: FeedMark | None = None) -> EngineState:
        """Write a new table, index it, and make it the one of the space."""
        target = self._target
        if target.dim > MAX_DIMENSIONS[target.dtype]:
            limit = f"it indexes at most {MAX_DIMENSIONS[target.dtype]:,} dimensions, and the space has {target.dim:,}"
            raise IndexEngineUnavailable(self.shown, limit)
        new = EngineState(f"s_{target.name}_{secrets.token_hex(4)}", position, 0, mark=mark)
        with self._connected() as connection:
            self._prepare(connection)
            with connection.transaction():
                self._lock(connection)
                self._drop_tables(connection, self._state_in(connection))
                connection.execute(f"CREATE TABLE {_table(new)} (id bigint NOT NULL, vector {self._type} NOT NULL)")
                number = self._copy(connection, _table(new), parts)
                connection.execute(f"SELECT set_config('maintenance_work_mem', '{BUILD_MEMORY}', true)")
                connection.execute(f"ALTER TABLE {_table(new)} ADD PRIMARY KEY (id)")
                if number >= self.approximate_from:
                    connection.execute(
                        f"CREATE INDEX ON {_table(new)} USING hnsw (vector {self._operators}) WITH ({HNSW})"
                    )
                connection.execute(f"ANALYZE {_table(new)}")
                new = replace(new, vectors=number, candidates=self.efforts[0] if number >= self.approximate_from else 0)
                self._save_in(connection, new)
        return new

    def replace(
        self, state: EngineState, contents: Ids, parts: Parts, position: int, mark: FeedMark | None = None
    ) -> EngineState:
        """Change the table in one transaction."""
        with self._connected() as connection, connection.transaction():
            self._lock(connection)
            present = self._state_in(connection)
            if present is None or (present.storage, present.position) != (state.storage, state.position):
                return present or state
            self._drop_tables(connection, present)  # one that was replaced, which no search uses any more
            removed = 0
            for start in range(0, len(contents), READ_ROWS):
                batch = contents[start : start + READ_ROWS].tolist()
                for condition in ("id = ANY(%s::bigint[])", f"id > {_CONTENT_MASK} AND id & {_CONTENT_MASK} = ANY(%s)"):
                    removed += connection.execute(f"DELETE FROM {_table(state)} WHERE {condition}", [batch]).rowcount
            added = self._copy(connection, _table(state), parts)
            new = replace(present, position=position, vectors=present.vectors - removed + added, mark=mark)
            self._save_in(connection, new)
        return new

    def save(self, state: EngineState) -> None:
        """Store a state of the same table and position."""
        with self._connected() as connection, connection.transaction():
            self._lock(connection)
            present = self._state_in(connection)
            if present is not None and (present.storage, present.position) == (state.storage, state.position):
                self._save_in(connection, state)

    def stored_vectors(self, state: EngineState) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
        """Yield the rows of the table."""
        record = self._record()
        statement = f"COPY {_table(state)} (id, vector) TO STDOUT (FORMAT binary)"
        with self._connected() as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
            received = bytearray()
            is_begun = False
            for block in copy:
                received += block
                if not is_begun and len(received) >= len(_BINARY_HEADER):
                    del received[: len(_BINARY_HEADER)]
                    is_begun = True
                if is_begun and (number := len(received) // record.itemsize) >= READ_ROWS:
                    yield _unpacked(bytes(received[: number * record.itemsize]), record)
                    del received[: number * record.itemsize]
            yield _unpacked(bytes(received[: len(received) // record.itemsize * record.itemsize]), record)

    def names(self) -> set[str]:
        """Return the names in the table of states, and those in the names of tables."""
        with self._connected() as connection, _limited(connection, STATE_SECONDS):
            if connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.spaces"]).fetchone() == (None,):
                return set()
            rows = connection.execute(
                f"SELECT name FROM {SCHEMA}.spaces UNION SELECT split_part(tablename, '_', 2) FROM pg_tables "
                "WHERE schemaname = %s AND starts_with(tablename, 's_')",
                [SCHEMA],
            ).fetchall()
        return {name for (name,) in rows}

    def drop(self) -> None:
        """Delete the tables of the space, and its state."""
        with self._connected() as connection, connection.transaction():
            if connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.spaces"]).fetchone() != (None,):
                self._lock(connection)
                self._drop_tables(connection, None)
                connection.execute(f"DELETE FROM {SCHEMA}.spaces WHERE name = %s", [self._target.name])

    def close(self) -> None:
        """Close the connections that no thread uses."""
        with self._taking:
            _close_all(self._idle)

    @property
    def _type(self) -> str:
        return f"{'halfvec' if self._target.dtype == 'float16' else 'vector'}({self._target.dim})"

    @property
    def _operators(self) -> str:
        return "halfvec_ip_ops" if self._target.dtype == "float16" else "vector_ip_ops"

    def _prepare(self, connection: "Connection[Any]") -> None:
        """Create what is missing: the extension, the schema, and the table of states."""
        with connection.transaction():
            connection.execute(f"SELECT pg_advisory_xact_lock(hashtext('{SCHEMA}'))")  # two may create it at once
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {SCHEMA}.spaces"
                " (name text PRIMARY KEY, position bigint NOT NULL, state text NOT NULL)"
            )

    def _lock(self, connection: "Connection[Any]") -> None:
        """Wait until no other machine changes the vectors of this space; until the end of the transaction."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{SCHEMA}.{self._target.name}"])

    def _state_in(self, connection: "Connection[Any]") -> EngineState | None:
        statement = f"SELECT state FROM {SCHEMA}.spaces WHERE name = %s"
        row = connection.execute(statement, [self._target.name]).fetchone()
        return None if row is None else EngineState.from_engine(row[0])

    def _save_in(self, connection: "Connection[Any]", state: EngineState) -> None:
        connection.execute(
            f"INSERT INTO {SCHEMA}.spaces (name, position, state) VALUES (%s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET position = excluded.position, state = excluded.state",
            [self._target.name, state.position, state.to_json()],
        )

    def _drop_tables(self, connection: "Connection[Any]", kept: EngineState | None) -> None:
        """Drop the tables of this space except that of `kept`, which others may be searching."""
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND starts_with(tablename, %s)",
            [SCHEMA, f"s_{self._target.name}_"],
        ).fetchall()
        from psycopg.sql import SQL, Identifier

        for (name,) in names:
            if kept is None or name != kept.storage:
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(SCHEMA, name)))

    def _copy(self, connection: "Connection[Any]", table: str, parts: Parts) -> int:
        """Add vectors to a table; return how many."""
        record, number = self._record(), 0
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} (id, vector) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.write(_BINARY_HEADER)
            for ids, vectors in parts:
                copy.write(_packed(ids, vectors, record))
                number += len(ids)
            copy.write(_BINARY_END)
        return number

    def _record(self) -> np.dtype[np.void]:
        """Return what a row is in PostgreSQL's binary format: two fields, each after its length in bytes."""
        number = ">f2" if self._target.dtype == "float16" else ">f4"
        vector = np.dtype([("dim", ">i2"), ("unused", ">i2"), ("numbers", number, (self._target.dim,))])
        return np.dtype(
            [("fields", ">i2"), ("id_bytes", ">i4"), ("id", ">i8"), ("vector_bytes", ">i4"), ("vector", vector)]
        )

    @contextmanager
    def _connected(self) -> Iterator["Connection[Any]"]:
        """Lend a connection, and translate errors of the server. It is closed after an error."""
        try:
            import psycopg
        except ImportError as exc:
            raise ExtraMissing("pgvector", "postgresql") from exc
        connection = self._idle_connection()
        try:
            if connection is None:
                connection = psycopg.connect(
                    self._address.location,
                    autocommit=True,
                    connect_timeout=CONNECT_SECONDS,
                    prepare_threshold=None,  # a pooler may give each transaction another session
                    application_name="sightline",
                    keepalives_idle=10,  # a machine that was switched off is noticed while an index is built, too
                    keepalives_interval=5,
                    keepalives_count=3,
                )
            yield connection
        except psycopg.Error as exc:
            if connection is not None:
                connection.close()
            self.close()  # the other connections may be dead, too
            raise IndexEngineUnavailable(self.shown, self._address.redacted(str(exc) or type(exc).__name__)) from exc
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        with self._taking:
            self._idle.append(connection)

    def _idle_connection(self) -> "Connection[Any] | None":
        """Return a connection that no thread uses, and that the server has not ended; None if there is none."""
        while True:
            with self._taking:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _is_ended(connection):
                return connection
            connection.close()


def _is_ended(connection: "Connection[Any]") -> bool:
    """Return whether the server has ended an idle connection, to which it sends nothing else. Nothing is sent."""
    import psycopg

    try:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            return bool(selector.select(0))
    except (OSError, ValueError, psycopg.Error):  # it is closed
        return True


@contextmanager
def _limited(connection: "Connection[Any]", seconds: float) -> Iterator[None]:
    """Cut a connection off after a time: a server that is stopped, or hangs, does not look at the time itself."""
    timer = Timer(seconds, _cut_off, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut_off(connection: "Connection[Any]") -> None:
    """End a connection that another thread waits for, so that it raises an error there."""
    from psycopg import Error

    with (
        suppress(OSError, ValueError, Error),
        socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)


def _close_all(connections: "list[Connection[Any]]") -> None:
    while connections:
        connections.pop().close()


def _in_one_trip(
    connection: "Connection[Any]", settings: dict[str, str], statement: str, parameters: list[tuple[Any, ...]]
) -> list[Any]:
    """Run a statement with each of `parameters` in one transaction with its own settings; return the first rows."""
    with connection.transaction(), connection.pipeline():
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        cursors = [connection.execute(statement, each) for each in parameters]
        return [cursor.fetchone() for cursor in cursors]


def _table(state: EngineState) -> str:
    return f"{SCHEMA}.{state.storage}"


def _text(vector: NDArray[np.float32]) -> str:
    return f"[{','.join(map(repr, vector.tolist()))}]"


def _packed(ids: Ids, vectors: NDArray[np.floating], record: np.dtype[np.void]) -> bytes:
    rows = np.zeros(len(ids), record)
    rows["fields"], rows["id_bytes"], rows["id"] = 2, 8, ids
    rows["vector_bytes"] = record["vector"].itemsize
    rows["vector"]["dim"], rows["vector"]["numbers"] = vectors.shape[1], vectors
    return rows.tobytes()


def _unpacked(content: bytes, record: np.dtype[np.void]) -> tuple[Ids, NDArray[np.floating]]:
    rows = np.frombuffer(content, record)
    numbers = rows["vector"]["numbers"]
    return rows["id"].astype(np.int64), numbers.astype(numbers.dtype.newbyteorder("="))
