"""Locks by name on a PostgreSQL server: session advisory locks, each on a connection of its own.

The server releases such a lock when the connection ends, however the process ends. The connection can also end while
the process goes on: an administrator terminates it, the server restarts, a network fails. Each holder therefore writes
a random token into the row of the lock when it acquires it, and each write transaction of its thread first looks
whether that token is still there. Both happen in a write transaction, so that no transaction of an earlier holder is
committed after the next one has begun its work.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

from sqlalchemy import Connection

from core.errors import LockLost
from store.catalog.postgresql.connections import WAIT_SECONDS, is_lost
from store.catalog.postgresql.driver_errors import server_errors
from store.catalog.transactions import is_writing

if TYPE_CHECKING:
    import psycopg

__all__ = ["LOCK_TABLE", "AdvisoryLock", "LockConnections", "lock_key"]

LOCK_TABLE = "catalogue_locks"
"""Has the name of each lock that was ever held, and the token of its last holder."""

MAX_IDLE = 2
"""Connections that are kept for the next lock."""

NEVER_ENDS = "0"


def lock_key(schema: str, name: str) -> int:
    """Return the number of a lock for the catalogue in a schema of the database, as PostgreSQL wants it."""
    digest = hashlib.sha256(f"sightline\0{schema}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@dataclass
class _Held:
    """A lock that a thread holds."""

    connection: "psycopg.Connection[Any]"
    token: str
    depth: int = 1


@dataclass
class LockConnections:
    """The connections that hold locks of one catalogue, and those that wait for the next lock.

    `connect` opens a connection in autocommit mode. `place` is what messages call the library.
    """

    connect: Callable[[], "psycopg.Connection[Any]"]
    place: str
    schema: str
    _idle: list["psycopg.Connection[Any]"] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _of_thread: threading.local = field(default_factory=threading.local)

    @property
    def held(self) -> dict["AdvisoryLock", _Held]:
        """The locks that the calling thread holds."""
        try:
            found: dict[AdvisoryLock, _Held] = self._of_thread.held
        except AttributeError:
            found = self._of_thread.held = {}
        return found

    def note_writing(self, connection: Connection) -> None:
        """Note that the calling thread begins a write transaction, in which it can acquire no lock."""
        self._of_thread.writing = ref(connection)

    def require_no_writing(self, name: str) -> None:
        """Raise `RuntimeError` if the calling thread is within a write transaction, which a new lock waits for."""
        reference: ref[Connection] | None = getattr(self._of_thread, "writing", None)
        connection = None if reference is None else reference()
        if connection is not None and not connection.closed and connection.in_transaction() and is_writing(connection):
            raise RuntimeError(f"The lock {name} must be acquired before the write transaction that needs it.")

    def take(self) -> "psycopg.Connection[Any]":
        """Return a connection without a lock."""
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self.connect()
            if not is_lost(connection):
                return connection
            connection.close()

    def give_back(self, connection: "psycopg.Connection[Any]") -> None:
        """Keep a connection that holds no lock any more for the next one, or close it."""
        with self._guard:
            if len(self._idle) < MAX_IDLE and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that are idle. Those with a lock are closed when it is released."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def check(self, cursor: Any) -> None:
        """Raise `LockLost` if a lock of the calling thread is not held any more. `cursor` is in a write transaction."""
        held = self.held
        if not held:
            return
        for lock, mine in held.items():
            if is_lost(mine.connection):
                raise LockLost(self.place, lock.name)
        cursor.execute(f"SELECT name, token FROM {LOCK_TABLE} WHERE name = ANY(%s)", ([lock.name for lock in held],))
        tokens = dict(cursor.fetchall())
        for lock, mine in held.items():
            if tokens.get(lock.name) != mine.token:
                raise LockLost(self.place, lock.name)


class AdvisoryLock:
    """A `store.catalog.named_locks.NamedLock` on a server."""

    def __init__(self, connections: LockConnections, name: str) -> None:
        self.name = name
        self._connections = connections
        self._key = lock_key(connections.schema, name)
        self._begin_key = lock_key(connections.schema, "")

    def acquire(self, timeout: float) -> bool:
        """Try for `timeout` seconds to acquire the lock; return whether that succeeded.

        Raises `LibraryUnusable`. Once acquired, it waits for the write transaction that is active at this moment.
        Raises `RuntimeError` if that is one of this thread.
        """
        held = self._connections.held.get(self)
        if held is not None:
            held.depth += 1
            return True
        self._connections.require_no_writing(self.name)
        with server_errors(self._connections.place):
            connection = self._connections.take()
            try:
                if not self._lock(connection, timeout):
                    self._connections.give_back(connection)
                    return False
                token = self._write_token(connection)
            except BaseException:
                connection.close()  # which releases the lock
                raise
        self._connections.held[self] = _Held(connection, token)
        return True

    def _lock(self, connection: "psycopg.Connection[Any]", timeout: float) -> bool:
        from psycopg.errors import LockNotAvailable

        row = connection.execute(f"SELECT pg_try_advisory_lock({self._key})").fetchone()
        if row is not None and row[0]:
            return True
        if timeout == 0:
            return False
        wait = NEVER_ENDS if timeout < 0 else f"{max(1, round(timeout * 1000))}ms"
        try:
            connection.execute(f"SET lock_timeout = '{wait}'; SELECT pg_advisory_lock({self._key})")
        except LockNotAvailable:
            return False
        finally:
            if not connection.closed:
                connection.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'")
        return True

    def _write_token(self, connection: "psycopg.Connection[Any]") -> str:
        """Announce this holder, between two write transactions.

        This does not wait until the log of the server is on the disk. All that the holder commits is later in the log,
        so that a server which has lost the token in a crash has lost that, too.
        """
        token = secrets.token_hex(16)
        connection.execute(
            f"INSERT INTO {LOCK_TABLE} (name, token, acquired_at) SELECT %s, %s, now() "
            f"FROM (SELECT pg_advisory_xact_lock({self._begin_key}), set_config('synchronous_commit', 'off', true)) "
            "AS other_transactions_have_ended "
            "ON CONFLICT (name) DO UPDATE SET token = excluded.token, acquired_at = excluded.acquired_at",
            (self.name, token),
        )
        return token

    def is_free(self) -> bool:
        """Return whether nothing holds the lock at this moment. Raises `LibraryUnusable`."""
        if self in self._connections.held:
            return False
        taken_and_released = (
            f"SELECT CASE WHEN pg_try_advisory_lock({self._key}) THEN pg_advisory_unlock({self._key}) ELSE false END"
        )
        with server_errors(self._connections.place):
            connection = self._connections.take()
            try:
                row = connection.execute(taken_and_released).fetchone()
            except BaseException:
                connection.close()
                raise
            self._connections.give_back(connection)
        return row is not None and bool(row[0])

    def release(self) -> None:
        """Release the lock, unless it was lost."""
        held = self._connections.held.get(self)
        if held is None:
            return
        held.depth -= 1
        if held.depth:
            return
        del self._connections.held[self]
        import psycopg

        try:
            released = held.connection.execute(f"SELECT pg_advisory_unlock({self._key})").fetchone()
        except psycopg.Error:  # the server has released it
            released = None
        if released is not None and released[0]:
            self._connections.give_back(held.connection)
            return
        with suppress(psycopg.Error):
            held.connection.close()
