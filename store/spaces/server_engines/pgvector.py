"""The engine pgvector: a table in PostgreSQL with an HNSW index (`store.spaces.server_engines.pgvector_tables`).

A table is written and indexed in one transaction, and changed in one for each update, together with the state. A
search therefore never sees half of a change. PostgreSQL's planner would take the HNSW index for filtered searches,
too, and lose most hits. Filtered searches are written as a subquery with OFFSET 0, which it does not look into.

A search has a limit of time. A change has none, and ends only if the server does not answer other connections either.
"""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexEngineUnavailable
from store.catalog.id_sets import Ids
from store.spaces.server_engines.address import EngineAddress
from store.spaces.server_engines.engine import EngineState, EngineTarget, ExactProposals, Parts, VectorEngine
from store.spaces.server_engines.feed_marks import FeedMark
from store.spaces.server_engines.pgvector_connections import PgvectorConnections
from store.spaces.server_engines.pgvector_rows import row_type, rows_in
from store.spaces.server_engines.pgvector_tables import SCHEMA, PgvectorTables, has_states, names_in, table_of

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PgvectorEngine"]

APPROXIMATE_FROM = 10_000
"""Vectors from which an HNSW index is built. Comparing as many takes a few milliseconds."""
MAX_DIMENSIONS = {"float16": 4_000, "float32": 2_000}
"""Dimensions that pgvector can index."""
STATE_SECONDS = 10.0
PROPOSAL_SECONDS = 10.0
COMPARISON_SECONDS = 30.0
"""For comparing all vectors with a query."""
SECONDS_PER_QUERY = 1.0
"""So much longer may a request take for each query in it."""


class PgvectorEngine(VectorEngine):
    """The vectors of a space in the PostgreSQL database at `address`."""

    efforts = (100, 200, 400, 800)
    approximate_from = APPROXIMATE_FROM
    ranks_exactly = True

    def __init__(self, address: EngineAddress, target: EngineTarget) -> None:
        self.shown = address.shown
        self.storage_prefix = f"{SCHEMA}.s_{target.name}_"
        self._target = target
        self._tables = PgvectorTables(target)
        self._connections = PgvectorConnections(address)

    def state(self, *, fresh: bool = False) -> EngineState | None:  # noqa: ARG002 - it always is
        """Return what the table has."""
        with self._connections.lend(STATE_SECONDS) as connection:
            return self._tables.state(connection) if has_states(connection) else None

    def propose(self, state: EngineState, queries: NDArray[np.float32], number: int) -> list[Ids]:
        """Return the nearest neighbours by the HNSW index."""
        nearest = f"SELECT id FROM {table_of(state)} ORDER BY vector <#> %s::{self._tables.type} LIMIT %s"
        settings = {"hnsw.ef_search": str(min(number, 1000)), "statement_timeout": f"{PROPOSAL_SECONDS:.0f}s"}
        with self._connections.lend(PROPOSAL_SECONDS + SECONDS_PER_QUERY * len(queries)) as connection:
            parameters = [(_text(query), number) for query in queries]
            rows = _in_one_trip(connection, settings, f"SELECT ARRAY({nearest})", parameters)
        return [np.array(ids, np.int64) for (ids,) in rows]

    def best_exactly(
        self, state: EngineState, queries: NDArray[np.float32], number: int, among: Ids | None
    ) -> list[ExactProposals]:
        """Return the nearest vectors by comparing all."""
        table = table_of(state)
        condition, kept = ("", []) if among is None else ("WHERE id = ANY(%s::bigint[])", [among.tolist()])
        rows = f"SELECT id, vector FROM {table} {condition}"
        # The fence of OFFSET 0 keeps the planner from an index that does not compare all. A set of few rows is kept.
        statement = (
            f"WITH kept AS MATERIALIZED ({rows}) SELECT (SELECT count(*) FROM kept), {{}}"
            if among is not None
            else f"WITH kept AS NOT MATERIALIZED ({rows} OFFSET 0) SELECT (SELECT count(*) FROM {table}), {{}}"
        ).format(
            f"(SELECT position FROM {SCHEMA}.spaces WHERE name = %s), "
            f"ARRAY(SELECT id FROM kept ORDER BY vector <#> %s::{self._tables.type} LIMIT %s)"
        )
        settings = {"statement_timeout": f"{COMPARISON_SECONDS:.0f}s"}
        with self._connections.lend(COMPARISON_SECONDS + SECONDS_PER_QUERY * len(queries)) as connection:
            parameters = [(*kept, self._target.name, _text(query), number) for query in queries]
            found = _in_one_trip(connection, settings, statement, parameters)
        return [
            ExactProposals(np.array(ids, np.int64), -1 if position is None else position, compared)
            for compared, position, ids in found
        ]

    def build(self, parts: Parts, position: int, mark: FeedMark | None = None) -> EngineState:
        """Write a new table, index it, and make it the one of the space."""
        target, tables = self._target, self._tables
        if target.dim > MAX_DIMENSIONS[target.dtype]:
            limit = f"it indexes at most {MAX_DIMENSIONS[target.dtype]:,} dimensions, and the space has {target.dim:,}"
            raise IndexEngineUnavailable(self.shown, limit)
        new = EngineState(f"s_{target.name}_{secrets.token_hex(4)}", position, 0, mark=mark)
        with self._connections.lend() as connection:
            with connection.transaction():
                tables.prepare(connection)
            with connection.transaction():
                tables.lock(connection)
                tables.drop(connection, tables.state(connection))
                tables.create(connection, table_of(new))
                number = tables.add(connection, table_of(new), parts)
                is_large = number >= self.approximate_from
                tables.index(connection, table_of(new), approximately=is_large)
                new = replace(new, vectors=number, candidates=self.efforts[0] if is_large else 0)
                tables.save(connection, new)
        return new

    def replace(
        self, state: EngineState, contents: Ids, parts: Parts, position: int, mark: FeedMark | None = None
    ) -> EngineState:
        """Change the table in one transaction."""
        tables, table = self._tables, table_of(state)
        with self._connections.lend() as connection, connection.transaction():
            tables.lock(connection)
            present = tables.state(connection)
            if present is None or (present.storage, present.position) != (state.storage, state.position):
                return present or state
            tables.drop(connection, present)  # one that was replaced, which no search uses any more
            removed = tables.remove(connection, table, contents)
            added = tables.add(connection, table, parts)
            new = replace(present, position=position, vectors=present.vectors - removed + added, mark=mark)
            tables.save(connection, new)
        return new

    def save(self, state: EngineState) -> None:
        """Store a state of the same table and position."""
        tables = self._tables
        with self._connections.lend() as connection, connection.transaction():
            tables.lock(connection)
            present = tables.state(connection)
            if present is not None and (present.storage, present.position) == (state.storage, state.position):
                tables.save(connection, state)

    def stored_vectors(self, state: EngineState) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
        """Yield the rows of the table."""
        statement = f"COPY {table_of(state)} (id, vector) TO STDOUT (FORMAT binary)"
        with self._connections.lend() as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield from rows_in(copy, row_type(self._target.dtype, self._target.dim))

    def names(self) -> set[str]:
        """Return the names in the table of states, and those in the names of tables."""
        with self._connections.lend(STATE_SECONDS) as connection:
            return names_in(connection) if has_states(connection) else set()

    def drop(self) -> None:
        """Delete the tables of the space, and its state."""
        with self._connections.lend() as connection, connection.transaction():
            if has_states(connection):
                self._tables.lock(connection)
                self._tables.drop(connection, None)
                self._tables.forget(connection)

    def close(self) -> None:
        """Close the connections that no thread uses."""
        self._connections.close()


def _in_one_trip(
    connection: "Connection[Any]", settings: dict[str, str], statement: str, parameters: list[tuple[Any, ...]]
) -> list[Any]:
    """Run a statement with each of `parameters` in one transaction with its own settings; return the first rows."""
    with connection.transaction(), connection.pipeline():
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        cursors = [connection.execute(statement, each) for each in parameters]
        return [cursor.fetchone() for cursor in cursors]


def _text(vector: NDArray[np.float32]) -> str:
    return f"[{','.join(map(repr, vector.tolist()))}]"
