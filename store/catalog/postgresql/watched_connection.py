"""A connection that notices that its server does not answer any more, also in the middle of a statement.

TCP notices a machine that is gone, because nothing confirms its packets: within half a minute, see `LIVENESS`. It does
not notice a server, or a proxy in front of it, that hangs on a machine that is there. Some statements have no limit: an
index is built, or all vectors are read. While such a statement takes long, the server is therefore asked by another
connection from time to time. One that does not answer there either, several times, is given up.
"""

import os
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, TypeVar

import psycopg

__all__ = ["LIVENESS", "Silence", "WatchedConnection", "answers"]

Result = TypeVar("Result")

LIVENESS = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""Parameters of a connection: a machine that confirms nothing for 25 s, or nothing that was sent for 30 s, is gone."""

OPTION: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""The option of a socket that `tcp_user_timeout` sets, on systems that have it."""

SILENT_SECONDS = 30.0
"""After so long without a byte of the answer, the server is asked by another connection, and again after as long."""

ANSWER_SECONDS = 10
"""How long it has to accept that connection. A machine that is very busy takes longer than usual."""

MAX_UNANSWERED = 3
"""A machine that is very busy may not accept a connection in time once or twice."""

UNANSWERED = ("server closed the connection unexpectedly", "Connection timed out")
"""Parts of messages of libpq: a proxy has no server for a connection, or no machine confirms its packets."""

CANCEL_SECONDS = 2.0
"""After Ctrl-C, the server has so long to accept that a statement is to be stopped, and so long to stop it."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection of `psycopg` that is closed, and raises `psycopg.OperationalError`, if the server does not answer.

    What must end at a certain time sets `deadline`, a value of `monotonic()`. Without one, `answers` of another
    connection decides, which `is_answering` returns. `check` is called several times a second while a statement takes
    long, and may raise to stop; it must not use this connection.
    """

    deadline: float | None = None
    is_answering: Callable[[], bool] | None = None
    check: Callable[[], None] | None = None

    def wait(self, gen: Generator[Any, Any, Result], *arguments: Any, **options: Any) -> Result:
        """Wait for the server, as `psycopg.Connection` does."""
        before = self.deadline
        try:
            return super().wait(self._watched(gen), *arguments, **options)
        finally:
            self.deadline = before

    @contextmanager
    def sends_much(self) -> Iterator[None]:
        """Within the block, do not let the system end the connection because the server does not receive yet.

        It would after the time of `LIVENESS`, also if the machine of the server confirms that it is there. A server
        whose disk is busy may receive the rows of a COPY only later.
        """
        with _without_limit(self.pgconn.socket):
            yield

    def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:
        """Ask the server to stop a statement, as the driver does after Ctrl-C. It then waits for the end of that."""
        try:
            super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))
        finally:
            self.deadline = monotonic() + CANCEL_SECONDS

    def _watched(self, generator: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
        """Do what `generator` does, which is told several times a second that there is nothing to read yet."""
        try:
            wanted = next(generator)
            silence = Silence(self)
            while True:
                is_ready = yield wanted
                silence.note(is_ready=bool(is_ready))
                wanted = generator.send(is_ready)
        except StopIteration as end:
            result: Result = end.value
            return result

    def give_up(self, reason: str) -> None:
        """Close the connection, and raise `psycopg.OperationalError`."""
        self.close()
        raise psycopg.OperationalError(reason)


@contextmanager
def _without_limit(file: int) -> Iterator[None]:
    """Switch off the limit for data that was sent, and put it back, if the socket of a descriptor has one."""
    if OPTION is None:
        yield
        return
    with socket.socket(fileno=os.dup(file)) as copy:  # the options belong to the socket
        if copy.family not in (socket.AF_INET, socket.AF_INET6):
            yield
            return
        before = copy.getsockopt(socket.IPPROTO_TCP, OPTION)
        copy.setsockopt(socket.IPPROTO_TCP, OPTION, 0)
        try:
            yield
        finally:
            with suppress(OSError):  # it was lost
                copy.setsockopt(socket.IPPROTO_TCP, OPTION, before)


class Silence:
    """The time for which a connection waits without an answer."""

    def __init__(self, connection: WatchedConnection) -> None:
        self._connection = connection
        self._since = monotonic()
        self._unanswered = 0

    def note(self, *, is_ready: bool) -> None:
        """Note whether something can be read, or sent. Raises `psycopg.OperationalError` to give the server up."""
        connection, now = self._connection, monotonic()
        if connection.deadline is not None and now >= connection.deadline:
            connection.give_up("its server does not answer in time")
        if is_ready:
            self._since, self._unanswered = now, 0
            return
        try:
            if connection.check is not None:
                connection.check()
            if connection.is_answering is not None and now - self._since >= SILENT_SECONDS:
                self._ask(connection.is_answering)
        except BaseException:  # the next result would be taken for that of another statement
            connection.close()
            raise

    def _ask(self, is_answering: Callable[[], bool]) -> None:
        self._unanswered = 0 if is_answering() else self._unanswered + 1
        self._since = monotonic()
        if self._unanswered >= MAX_UNANSWERED:
            self._connection.give_up("its server does not answer, not even on another connection")


def answers(connect: Callable[[], WatchedConnection]) -> bool:
    """Return whether a server accepts another connection, or refuses it.

    A server at its limit of connections refuses it, as does one that is about to stop when all others have ended. No
    statement is sent: a pooler without a free session lets it wait. The text of an error cannot be relied upon, because
    the server chooses its language.
    """
    try:
        connect().close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error as exc:
        return not any(text in str(exc) for text in UNANSWERED)
    return True
