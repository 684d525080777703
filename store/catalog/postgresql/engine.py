"""The engine of a PostgreSQL catalogue, and how its transactions begin and end.

Write transactions begin with an advisory lock that they hold until they end. Two of them are therefore never active at
the same time, as in SQLite, and no statement needs to lock rows.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.connections import connect, is_lost
from store.catalog.postgresql.locks import LockConnections, lock_key
from store.catalog.postgresql.schema import CHANGE_TABLE
from store.catalog.transactions import is_writing, is_writing_temporary

if TYPE_CHECKING:
    import psycopg

__all__ = ["make_server_engine"]

MAX_CONNECTIONS = 15
"""Connections of one engine, those of locks not included."""

KEPT_CONNECTIONS = 5

_USED = "used"
"""What the pool keeps about a connection that it has lent before. It forgets that with the connection."""

COUNT_CHANGE = f"UPDATE {CHANGE_TABLE} SET number = number + 1 WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
"""Does nothing in a transaction that has changed nothing."""


def make_server_engine(address: ServerAddress, locks: LockConnections) -> Engine:
    """Return an engine whose connections begin the transactions of `store.catalog.transactions`."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=partial(connect, address),
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MAX_CONNECTIONS - KEPT_CONNECTIONS,
        use_native_hstore=False,
    )
    event.listen(engine, "checkout", _require_connected)
    event.listen(engine, "begin", partial(_begin, locks))
    event.listen(engine, "commit", _count_change)
    return engine


def _require_connected(connection: "psycopg.Connection[Any]", record: ConnectionPoolEntry, _proxy: object) -> None:
    """Have the pool open another connection instead of one that the server has ended, such as by a restart.

    If the other one has ended, too, its first statement says why. The pool would only say that it is closed.
    """
    if record.info.get(_USED) and is_lost(connection):
        raise DisconnectionError
    record.info[_USED] = True


def _begin(locks: LockConnections, connection: Connection) -> None:
    from psycopg import Error, IsolationLevel

    driver: Any = connection.connection.dbapi_connection
    writes = is_writing(connection)
    try:
        driver.settle()
        # The driver sends these with the `BEGIN` before the next statement.
        driver.read_only = not (writes or is_writing_temporary(connection))
        driver.isolation_level = IsolationLevel.REPEATABLE_READ if driver.read_only else IsolationLevel.READ_COMMITTED
    except Error:  # what keeps the connection would try it again and again
        connection.invalidate()
        raise
    if writes:
        locks.note_writing(connection)
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock_key(locks.schema, '')})")
        with driver.cursor() as cursor:
            locks.check(cursor)


def _count_change(connection: Connection) -> None:
    if is_writing(connection):
        connection.exec_driver_sql(COUNT_CHANGE)
