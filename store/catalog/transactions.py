"""Transactions of a connection, which every backend begins in its own way.

An engine begins a transaction in its `begin` event, where it asks `is_writing` what kind is wanted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

__all__ = ["is_writing", "is_writing_temporary", "reading", "writing", "writing_temporary"]

_KIND = "sightline_transaction"
_READS, _WRITES, _WRITES_TEMPORARY = "reads", "writes", "writes temporary tables"


def is_writing(connection: Connection) -> bool:
    """Return whether the transaction that begins may change the catalogue."""
    return connection.get_execution_options().get(_KIND) == _WRITES


def is_writing_temporary(connection: Connection) -> bool:
    """Return whether the transaction that begins changes temporary tables only."""
    return connection.get_execution_options().get(_KIND) == _WRITES_TEMPORARY


@contextmanager
def reading(connection: Connection) -> Iterator[Connection]:
    """Yield `connection` within a read transaction: one consistent view of the catalogue."""
    connection.execution_options(**{_KIND: _READS})
    with _transaction(connection):
        yield connection


@contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """Yield `connection` within a write transaction, which is rolled back on an exception.

    Write transactions are serialised: this waits for the end of any other one, by whichever process. What is read
    within the block is therefore still so when it is committed.
    """
    connection.execution_options(**{_KIND: _WRITES})
    with _transaction(connection):
        yield connection


@contextmanager
def writing_temporary(connection: Connection) -> Iterator[Connection]:
    """Yield `connection` within a transaction that changes only temporary tables of this connection."""
    connection.execution_options(**{_KIND: _WRITES_TEMPORARY})
    with _transaction(connection):
        yield connection


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """Begin and commit a transaction, and also end the one that a commit leaves open if it fails.

    SQLAlchemy takes that for ended. What cleans up afterwards, with the same connection, could not begin another one,
    and would hide the first error. So would an error of rolling back, such as after Ctrl-C in the middle of a COPY.
    """
    first: BaseException | None = None
    try:
        with connection.begin():
            try:
                yield
            except BaseException as exc:
                first = exc
                raise
    except BaseException as exc:
        if not (connection.closed or connection.invalidated):
            _roll_back(connection)
        if first is not None and exc is not first:
            raise first from first.__cause__
        raise


def _roll_back(connection: Connection) -> None:
    """Roll back what is open, if anything. A connection that was lost is given up: its error would hide the first."""
    try:
        connection.connection.rollback()
    except connection.dialect.loaded_dbapi.Error:
        connection.invalidate()
