"""Connections to a database with pgvector: lending them to threads, and limits for how long they wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import finalize

from core.errors import ExtraMissing, IndexEngineUnavailable
from core.root_files.waiting import require_wanted
from store.spaces.server_engines.address import EngineAddress

if TYPE_CHECKING:
    from store.catalog.postgresql.watched_connection import WatchedConnection

__all__ = ["PgvectorConnections"]

CONNECT_SECONDS = 5


class PgvectorConnections:
    """Opens connections to a database, and keeps those that no thread uses. Safe to share between threads."""

    def __init__(self, address: EngineAddress) -> None:
        self._address = address
        self._idle: list[WatchedConnection] = []
        self._taking = Lock()
        self._closing = finalize(self, _close_all, self._idle)

    @contextmanager
    def lend(self, seconds: float | None = None) -> Iterator["WatchedConnection"]:
        """Lend a connection, and translate errors of the server. It is closed after an error.

        What waits for longer than `seconds` raises an error: a server that is stopped, or hangs, does not look at the
        time itself. Without a limit, such as for building an index, the server must go on answering other connections,
        and the run that waits for it may stop (`core.root_files.waiting.checks_while_waiting`).
        Raises `IndexEngineUnavailable` and `ExtraMissing`.
        """
        try:
            import psycopg
        except ImportError as exc:
            raise ExtraMissing("pgvector", "postgresql") from exc
        connection = self._take()
        try:
            if connection is None:
                connection = self._connect()
            connection.deadline = None if seconds is None else monotonic() + seconds
            yield connection
            connection.deadline = None
        except psycopg.Error as exc:
            if connection is not None:
                connection.close()
            self.close()  # the other connections may be dead, too
            reason = self._address.redacted(str(exc) or type(exc).__name__)
            raise IndexEngineUnavailable(self._address.shown, reason) from exc
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        with self._taking:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that no thread uses."""
        with self._taking:
            _close_all(self._idle)

    def _connect(self) -> "WatchedConnection":
        from store.catalog.postgresql.connections import same_server
        from store.catalog.postgresql.watched_connection import LIVENESS, WatchedConnection, answers

        parameters: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "sightline",
            **LIVENESS,
            **_parameters(self._address.location),
        }
        # A pooler may give each transaction another session, which has not prepared the same statements.
        connection = WatchedConnection.connect(autocommit=True, prepare_threshold=None, **parameters)
        again = partial(WatchedConnection.connect, autocommit=True, **same_server(connection, parameters))
        connection.is_answering = partial(answers, again)
        connection.check = require_wanted
        return connection

    def _take(self) -> "WatchedConnection | None":
        """Return a connection that no thread uses, and that the server has not ended; None if there is none."""
        from store.catalog.postgresql.connections import is_lost

        while True:
            with self._taking:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not is_lost(connection):
                return connection
            connection.close()


def _parameters(location: str) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    return conninfo_to_dict(location)


def _close_all(connections: "list[WatchedConnection]") -> None:
    while connections:
        connections.pop().close()
