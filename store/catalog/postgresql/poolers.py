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
                row = other.execute(OWN_PROCESS).fetchone()
                if row == (process,) or _process_of(connection) != process:
                    raise LibraryUnusable(place, REASON)


def _process_of(connection: Connection) -> int:
    """Return the server's process that executes a transaction of a connection."""
    with reading(connection):
        return int(connection.exec_driver_sql(OWN_PROCESS).scalar_one())
