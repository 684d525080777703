"""Connections that the server ends."""

import pytest
from sqlalchemy import Engine, create_engine

from core.errors import (
    LibraryUnreachable,
    LockLost,
)
from store import Library
from store.catalog.postgresql import engine
from store.catalog.postgresql.locks import LockConnections
from store.change_counter import ChangeCounter
from store.library import mark_changed
from tests.support.statements import execute

pytestmark = pytest.mark.servers


def end_connections(url: str) -> None:
    execute(
        url,
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_lost_connections_are_replaced(library: Library, postgres_url: str) -> None:
    counter = ChangeCounter(library)
    counter.value()
    for _ in range(3):
        assert library.revision() == 0
        end_connections(postgres_url)
    assert library.revision() == 0
    with pytest.raises(LibraryUnreachable):
        counter.value()
    assert counter.value() == counter.value()
    counter.close()


def test_a_kept_connection_whose_loss_the_driver_noticed_is_replaced(library: Library) -> None:
    """No statement fails then, by which the engine would notice it, too."""
    counter = ChangeCounter(library)
    number = counter.value()
    kept = counter._connection
    assert kept is not None
    assert kept.connection.dbapi_connection is not None
    kept.connection.dbapi_connection.close()
    with pytest.raises(LibraryUnreachable):
        counter.value()
    assert counter.value() == number
    counter.close()


def test_a_connection_that_is_lost_within_a_transaction_rolls_it_back(library: Library, postgres_url: str) -> None:
    with pytest.raises(LibraryUnreachable), library.transaction() as connection:
        mark_changed(connection)
        end_connections(postgres_url)
        mark_changed(connection)
    assert library.revision() == 0


def test_connections_that_the_server_ends_at_once_are_no_error_of_the_pool(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.revision() == 0
    monkeypatch.setattr(engine, "is_lost", lambda _: True)
    assert library.revision() == 0


def test_a_connection_that_is_lost_does_not_hide_that_a_lock_was_lost(
    library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both happen when a server restarts."""

    def lose(*_: object) -> None:
        end_connections(postgres_url)
        raise LockLost(library.location, "writer.lock")

    monkeypatch.setattr(LockConnections, "check", lose)
    with pytest.raises(LockLost), library.transaction():
        raise AssertionError("a transaction began")
    assert library.revision() == 0
    assert not caplog.records, "the pool wrote a traceback"


def test_losing_the_server_after_everything_was_written_is_no_error(
    library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts that its planner needs come later by themselves."""
    library.note_many_changes()
    vacuum = library.backend._vacuum  # type: ignore[attr-defined]

    def lose(*arguments: object) -> None:
        end_connections(postgres_url)
        vacuum(*arguments)

    with pytest.MonkeyPatch.context() as lost:
        lost.setattr(library.backend, "_vacuum", lose)
        library.note_many_changes()
    monkeypatch.setattr(library.backend, "engine", gone_engine())
    library.note_many_changes()


def gone_engine() -> Engine:
    """An engine whose server cannot be reached."""
    return create_engine("postgresql+psycopg://sightline@127.0.0.1:1/nothing")
