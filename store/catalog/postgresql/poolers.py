"""Noticing a pooler between this process and the server, which may give each transaction another session.

Locks by name belong to a session (`store.catalog.postgresql.locks`). With such a pooler they would be taken in the
session of one client, and released, or not, in that of another.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from core.errors import LibraryUnusable
from store.catalog.transactions import reading

if TYPE_CHECKING:
    import psycopg

__all__ = ["require_own_sessions"]

OWN_PROCESS = "SELECT pg_backend_pid()"
TRIES = 3
"""Other clients of a pooler may take a session, and hide that two connections could get the same."""

REASON = (
    "a pooler gives each transaction another session of its server, so that locks do not hold. "
    "The pooler must work in session mode, or the address be that of the server itself"
)


def require_own_sessions(
    connection: Connection, process: int, connect: Callable[[], "psycopg.Connection[Any]"], place: str
) -> None:
    """Raise `LibraryUnusable` if connections share sessions of the server.

    `process` is the process of the server that executed the last transaction of `connection`. A server tells each new
    connection which process answers it, and a pooler makes that number up. Only then is another connection opened with
    `connect`, to see whether it gets the session of this one, or this one gets another.
    """
    driver: Any = connection.connection.dbapi_connection
    if driver.info.backend_pid == process:
        return
    with connect() as other:
        for _ in range(TRIES):
            with other.transaction():
                others = {_process_of_other(other)}
                processes = {_process_of(connection)}
            # A pooler gives the session that became free last, or first. With two, the same order of transactions
            # would give each connection the same one again and again, so that this one is another.
            others.add(_process_of_other(other))
            processes.add(_process_of(connection))
            if process in others or processes != {process}:
                raise LibraryUnusable(place, REASON)


def _process_of(connection: Connection) -> int:
    """Return the server's process that executes a transaction of a connection."""
    with reading(connection):
        process = int(connection.exec_driver_sql(OWN_PROCESS).scalar_one())
    driver: Any = connection.connection.dbapi_connection
    driver.settle()  # a pooler has the session again
    return process


def _process_of_other(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute(OWN_PROCESS).fetchone()
    return 0 if row is None else int(row[0])
