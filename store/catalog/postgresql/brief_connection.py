"""A connection that waits less often for its server: each wait costs more than most of the statements do.

A search reads in four transactions, and each would be waited for three times or more. `BEGIN` is sent together with
the first statement. `COMMIT` is sent at the end of a transaction that only reads, but not waited for until the
connection is used again: it has no result that anything depends on.
"""

import selectors
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

from store.catalog.postgresql.watched_connection import Silence, WatchedConnection

__all__ = ["BriefConnection", "BriefCursor"]

POLL_SECONDS = 0.1
"""Time between two looks at how long a server has been silent."""


class BriefConnection(WatchedConnection):
    """A connection of `psycopg` with cursors of the kind `BriefCursor`."""

    _is_ending = False
    """A `COMMIT` has been sent, and its result has not been read."""

    def commit(self) -> None:
        """End the transaction, without waiting for that if it only reads."""
        status = self.pgconn.transaction_status
        if self._is_ending or not self.read_only or self._pipeline or status != TransactionStatus.INTRANS:
            super().commit()
            return
        self._is_ending = True
        self.pgconn.send_query(b"COMMIT")
        if self.pgconn.flush():
            self.settle()

    def rollback(self) -> None:
        """Roll back the transaction, unless it has already been ended by `commit`."""
        if not self._is_ending:
            super().rollback()

    def settle(self) -> None:
        """Wait for the end of the transaction that `commit` ended. Raises `psycopg.OperationalError`."""
        if not self._is_ending:
            return
        try:
            silence = Silence(self)
            with selectors.DefaultSelector() as selector:
                selector.register(self.pgconn.socket, selectors.EVENT_READ)
                while self.pgconn.flush() or self.pgconn.is_busy():
                    is_ready = bool(selector.select(POLL_SECONDS))
                    silence.note(is_ready=is_ready)
                    if is_ready:
                        self.pgconn.consume_input()
            while (result := self.pgconn.get_result()) is not None:
                if result.status != ExecStatus.COMMAND_OK:
                    raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
        except BaseException:  # also Ctrl-C: the next result would be taken for that of another statement
            self.close()
            raise
        finally:
            self._is_ending = False

    def wait(self, *arguments: Any, **options: Any) -> Any:
        """Do what any other method does on the connection, after the transaction before it."""
        self.settle()
        return super().wait(*arguments, **options)

    def _start_query(self) -> Generator[Any, Any, None]:
        """Begin a transaction if a statement needs one. In a pipeline, `psycopg` would wait for that."""
        if not self._pipeline or self.autocommit or self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from super()._start_query()
            return
        yield from self._exec_command(self._get_tx_start_command())


class BriefCursor(psycopg.Cursor[Any]):
    """A cursor that begins a transaction and executes its first statement with one wait."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "BriefCursor":
        """Execute a statement as `psycopg.Cursor` does."""
        connection = self.connection
        if isinstance(connection, BriefConnection):
            connection.settle()
        if connection.autocommit or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            return super().execute(query, params, **options)
        try:
            with connection.pipeline():
                return super().execute(query, params, **options)
        except psycopg.Error as exc:
            if connection.closed or connection.pgconn.pipeline_status == PipelineStatus.OFF:
                raise
            connection.close()  # Ctrl-C ended the pipeline between two results, and hides behind what that led to
            if isinstance(exc.__context__, KeyboardInterrupt):
                raise exc.__context__ from None
            raise
