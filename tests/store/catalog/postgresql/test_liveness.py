"""Servers that do not answer any more, although their machine, or a proxy, confirms all packets."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from threading import Thread, Timer
from time import monotonic

import psycopg
import pytest

from core.errors import LibraryUnreachable
from store import Library
from store.catalog.postgresql import watched_connection
from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.connections import connect, same_server
from store.catalog.postgresql.watched_connection import answers
from tests.support.postgres import PostgresServer
from tests.support.stalling_proxy import StallingProxy
from tests.support.statements import execute

pytestmark = pytest.mark.servers

LOGGED_IN = b"R" + (8).to_bytes(4) + bytes(4) + b"Z" + (5).to_bytes(4) + b"I"
"""What a server answers to a user who needs no password: the login succeeds, and it is ready."""


def refusal(severity: str, message: str) -> bytes:
    """Return what a server answers that refuses a connection, in any language."""
    fields = "".join(f"{kind}{text}\0" for kind, text in (("S", severity), ("C", "53300"), ("M", message))).encode()
    return b"E" + (len(fields) + 5).to_bytes(4) + fields + b"\0"


@pytest.fixture
def proxy(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StallingProxy]:
    monkeypatch.setattr(watched_connection, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(watched_connection, "MAX_UNANSWERED", 1)
    monkeypatch.setattr(watched_connection, "ANSWER_SECONDS", 2)  # the least that libpq takes
    with StallingProxy(postgres_server.port) as proxy:
        yield proxy


def test_statement_without_an_answer_is_given_up(proxy: StallingProxy, postgres_url: str) -> None:
    with Library.open(proxy.url(postgres_url), create=True) as library:
        proxy.stall()
        with pytest.raises(LibraryUnreachable, match="its server does not answer, not even on another connection"):
            library.revision()
        proxy.resume()
        assert library.revision() == 0


def test_end_of_a_transaction_without_an_answer_is_given_up(proxy: StallingProxy, postgres_url: str) -> None:
    connection = connect(ServerAddress(proxy.url(postgres_url)))
    connection.read_only = True
    connection.execute("SELECT 1")
    proxy.stall()
    connection.commit()
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        connection.settle()
    assert connection.closed


def test_rows_that_are_copied_without_an_answer_are_given_up(proxy: StallingProxy, postgres_url: str) -> None:
    connection = connect(ServerAddress(proxy.url(postgres_url)))
    connection.execute("CREATE TEMP TABLE numbers (n int)")
    with pytest.raises(psycopg.OperationalError, match="does not answer"), connection.cursor() as cursor:  # noqa: SIM117
        with cursor.copy("COPY numbers FROM STDIN") as copy:
            proxy.stall()
            while True:  # until the buffers of both machines are full
                copy.write(b"7\n" * 100_000)


def test_rows_that_a_server_receives_late_are_copied(postgres_server: PostgresServer, postgres_url: str) -> None:
    """The system would end the connection: it confirms packets, but its buffer is full, as while its disk is busy."""
    with StallingProxy(postgres_server.port) as proxy:
        connection = connect(ServerAddress(f"{proxy.url(postgres_url)}?tcp_user_timeout=1000"), autocommit=True)
        before = user_timeout(connection)
        connection.execute("CREATE TEMP TABLE texts (t text)")
        with connection.cursor() as cursor, connection.sends_much(), cursor.copy("COPY texts FROM STDIN") as copy:
            proxy.stall()
            Timer(3, proxy.resume).start()
            for _ in range(50):  # more than the buffers of both machines take
                copy.write((b"x" * 39_999 + b"\n") * 10)
        assert connection.execute("SELECT count(*) FROM texts").fetchall() == [(500,)]
        assert user_timeout(connection) == before
        connection.close()


def user_timeout(connection: psycopg.Connection[object]) -> int:
    with socket.socket(fileno=os.dup(connection.fileno())) as copy:
        return copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_rows_are_copied_through_a_socket_without_such_limits(postgres_server: PostgresServer) -> None:
    url = f"postgresql://sightline@/postgres?host={postgres_server.folder}&port={postgres_server.port}"
    connection = connect(ServerAddress(url), autocommit=True)
    connection.execute("CREATE TEMP TABLE numbers (n int)")
    with connection.cursor() as cursor, connection.sends_much(), cursor.copy("COPY numbers FROM STDIN") as copy:
        copy.write(b"7\n")
    assert connection.execute("SELECT n FROM numbers").fetchall() == [(7,)]
    connection.close()


def test_statement_that_takes_long_is_not_given_up(
    proxy: StallingProxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(ServerAddress(proxy.url(postgres_url)))
    asked, is_answering = list[bool](), connection.is_answering
    assert is_answering is not None

    def ask() -> bool:
        asked.append(is_answering())
        return asked[-1]

    monkeypatch.setattr(connection, "is_answering", ask)
    assert connection.execute("SELECT 5 FROM pg_sleep(1)").fetchall() == [(5,)]
    assert len(asked) >= 2
    assert all(asked)
    connection.close()


def test_server_that_is_slow_once_is_not_given_up(
    proxy: StallingProxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_connection, "MAX_UNANSWERED", 3)
    connection = connect(ServerAddress(proxy.url(postgres_url)))
    answered = iter([False, False, True, False, False])
    monkeypatch.setattr(connection, "is_answering", lambda: next(answered, True))
    assert connection.execute("SELECT 5 FROM pg_sleep(2)").fetchall() == [(5,)]
    connection.close()


def test_stop_while_the_server_is_asked_closes_the_connection(
    proxy: StallingProxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result of the statement would be taken for that of the next one."""

    def stop() -> bool:
        raise KeyboardInterrupt

    connection = connect(ServerAddress(postgres_url))
    monkeypatch.setattr(connection, "is_answering", stop)
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT pg_sleep(60)")
    assert connection.closed


def test_ctrl_c_does_not_wait_for_a_server_that_does_not_answer(
    proxy: StallingProxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_connection, "SILENT_SECONDS", 600.0)
    monkeypatch.setattr(watched_connection, "CANCEL_SECONDS", 0.2)
    connection = connect(ServerAddress(proxy.url(postgres_url)))
    proxy.stall()
    Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = monotonic()
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT 1")
    assert monotonic() - began < 5  # the driver by itself takes 10 s more
    assert connection.closed


def test_connection_can_be_used_after_ctrl_c(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(ServerAddress(postgres_url), autocommit=True)
    Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        connection.execute("SELECT pg_sleep(60)")
    monkeypatch.setattr(watched_connection, "monotonic", lambda: monotonic() + 100)  # after any limit
    assert connection.execute("SELECT 5").fetchall() == [(5,)]
    connection.close()


def test_server_with_too_many_connections_answers(postgres_url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    execute(postgres_url, f'ALTER DATABASE "{name}" CONNECTION LIMIT 0', "CREATE ROLE visitor LOGIN")
    assert answers(partial(psycopg_connect, postgres_url.replace("sightline@", "visitor@")))
    assert answers(partial(psycopg_connect, postgres_url))
    execute(postgres_url, "DROP ROLE visitor")


@pytest.mark.parametrize(
    ("replies", "is_answer"),
    [
        pytest.param([LOGGED_IN], True, id="a pooler without a free session, where a statement waits"),
        pytest.param([refusal("致命错误", "对不起, 已经有太多的客户")], True, id="a server at its limit, in Chinese"),
        pytest.param([refusal("ВАЖНО", "извините, уже слишком много клиентов")], True, id="the same in Russian"),
        pytest.param([b"Ecould not fork new process: no memory\n\0"], True, id="a server without memory"),
        pytest.param([], False, id="a proxy without a server"),
    ],
)
def test_refusal_is_an_answer_and_silence_is_none(replies: list[bytes], is_answer: bool) -> None:
    """A server that is slow or full would be given up, and hours of work be lost."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=reply, args=(listener, replies), daemon=True).start()
        url = f"postgresql://visitor@127.0.0.1:{listener.getsockname()[1]}/any?sslmode=disable&gssencmode=disable"
        assert answers(partial(psycopg_connect, url)) is is_answer


def test_closed_port_is_an_answer() -> None:
    """Poolers and services that drain accept no connection any more, and keep those that they have."""
    assert answers(partial(psycopg_connect, "postgresql://visitor@127.0.0.1:1/nothing"))


def reply(listener: socket.socket, replies: list[bytes]) -> None:
    """Read how a client begins, send it `replies`, and wait for its end if there are any."""
    client, _ = listener.accept()
    with client:
        client.recv(10_000)
        for each in replies:
            client.sendall(each)
        while replies and client.recv(10_000):
            pass


def test_other_connection_needs_no_role_of_the_server_and_has_its_own_limit(postgres_url: str) -> None:
    """A server that was a standby may have become the primary, and a short time to connect be too short under load."""
    connection = connect(ServerAddress(f"{postgres_url}?target_session_attrs=primary&connect_timeout=2"))
    parameters = same_server(connection, {"target_session_attrs": "primary", "connect_timeout": 2})
    assert (parameters["target_session_attrs"], parameters["connect_timeout"]) == ("any", 10)
    connection.close()


def psycopg_connect(url: str) -> watched_connection.WatchedConnection:
    return watched_connection.WatchedConnection.connect(url, autocommit=True)


def test_wait_for_a_lock_is_no_silence_of_the_server(proxy: StallingProxy, postgres_url: str) -> None:
    url = proxy.url(postgres_url)
    with Library.open(url, create=True) as library, Library.open(url) as other:
        with library.exclusive(), other.exclusive_if_free(patience=1) as writer:
            assert writer is None
        with other.exclusive_if_free() as writer:
            assert writer is not None


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://sightline@/postgres?host={folder}&port={port}",
        "postgresql://sightline@127.0.0.1:1,localhost:{port}/postgres",
        "postgresql://sightline@unknown:{port}/postgres?hostaddr=127.0.0.1",
        "postgresql://sightline@one:1,two:{port}/postgres?hostaddr=127.0.0.1,127.0.0.1",
        "postgresql://sightline@localhost:{port}/postgres?target_session_attrs=read-write&tcp_user_timeout=5000",
    ],
)
def test_server_that_has_answered_is_asked_again(postgres_server: PostgresServer, form: str) -> None:
    """An address can name several servers."""
    url = form.format(folder=postgres_server.folder, port=postgres_server.port)
    connection = connect(ServerAddress(url))
    assert connection.is_answering is not None
    assert connection.is_answering()
    connection.close()
