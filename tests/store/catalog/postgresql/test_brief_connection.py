"""A connection that waits less often for its server ends transactions and reports errors as any other does."""

import selectors
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.brief_connection import BriefConnection
from store.catalog.postgresql.connections import connect, is_lost

pytestmark = pytest.mark.servers


@pytest.fixture
def connection(postgres_url: str) -> Iterator[BriefConnection]:
    opened = connect(ServerAddress(postgres_url))
    assert isinstance(opened, BriefConnection)
    opened.execute("CREATE TABLE numbers (n int)")
    opened.commit()
    yield opened
    opened.close()


def test_each_transaction_sees_what_was_committed_before_it(connection: BriefConnection, postgres_url: str) -> None:
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with psycopg.connect(postgres_url, autocommit=True) as other:
        for number in range(20):  # from the sixth time on, the statement is a prepared one
            assert connection.execute("SELECT count(*) FROM numbers").fetchall() == [(number,)]
            other.execute("INSERT INTO numbers VALUES (1)")
            assert connection.execute("SELECT count(*) FROM numbers").fetchall() == [(number,)]
            connection.commit()
            connection.rollback()  # as the pool does


def test_begin_is_sent_with_the_first_statement(connection: BriefConnection, tmp_path: Path) -> None:
    with (tmp_path / "messages").open("w") as log:
        connection.read_only = True
        connection.pgconn.trace(log.fileno())
        connection.execute("SELECT count(*) FROM numbers WHERE n > %s", [1])
        connection.execute("SELECT 1")
        connection.commit()
        connection.settle()
        connection.pgconn.untrace()
    messages = (line.split("\t")[1] for line in (tmp_path / "messages").read_text().splitlines())
    exchanges = [direction for direction, _ in groupby(messages)]
    assert exchanges == ["F", "B"] * 3  # both statements and the end: sent, answered


def test_a_transaction_that_reads_ends_without_another_statement(
    connection: BriefConnection, postgres_url: str
) -> None:
    connection.read_only = True
    connection.execute("SELECT * FROM numbers")
    connection.commit()
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SET lock_timeout = '60s'; DROP TABLE numbers")  # waits for its lock
    connection.settle()
    assert connection.pgconn.transaction_status == TransactionStatus.IDLE


def test_the_kind_of_the_next_transaction_can_be_chosen(connection: BriefConnection) -> None:
    connection.read_only = True
    connection.execute("SELECT 1")
    connection.commit()
    connection.settle()
    connection.read_only = False
    connection.execute("INSERT INTO numbers VALUES (7)")
    connection.rollback()
    assert connection.execute("SELECT n FROM numbers").fetchall() == []


def test_a_statement_that_failed_several_times_works_later(connection: BriefConnection) -> None:
    """The driver prepares a statement that is executed for the sixth time."""
    for _ in range(10):
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM later WHERE n = %s", [1])
        connection.rollback()
    connection.execute("CREATE TABLE later (n int)")
    connection.commit()
    for _ in range(10):
        assert connection.execute("SELECT * FROM later WHERE n = %s", [1]).fetchall() == []
        connection.commit()


@pytest.mark.parametrize("statement", ["SELECT nothing FROM numbers", "INSERT INTO numbers VALUES (1)"])
def test_an_error_of_the_first_statement_is_reported(connection: BriefConnection, statement: str) -> None:
    connection.read_only = True
    with pytest.raises((psycopg.errors.UndefinedColumn, psycopg.errors.ReadOnlySqlTransaction)):
        connection.execute(statement)
    assert connection.pgconn.transaction_status == TransactionStatus.INERROR
    connection.rollback()
    assert connection.execute("SELECT 5").fetchall() == [(5,)]


def test_a_connection_that_ends_with_its_transaction_is_lost(connection: BriefConnection, postgres_url: str) -> None:
    connection.read_only = True
    connection.execute("SELECT 1")
    connection.commit()
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])
    assert is_lost(connection)


def test_a_connection_that_was_lost_is_only_reported_by_an_exception(
    connection: BriefConnection, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    assert not caplog.records  # they would be printed


def test_a_connection_that_is_interrupted_between_transactions_is_not_used_again(
    connection: BriefConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.read_only = True
    connection.execute("SELECT 1")
    connection.commit()
    monkeypatch.setattr(selectors, "DefaultSelector", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT 2")
    monkeypatch.undo()
    assert is_lost(connection)


def test_an_interrupt_in_the_middle_of_results_is_no_error_of_the_driver(
    connection: BriefConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.Pipeline, "_process_results", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT 1")
    monkeypatch.undo()
    if not is_lost(connection):  # all results had arrived already
        connection.rollback()
        assert connection.execute("SELECT 2").fetchall() == [(2,)]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt
