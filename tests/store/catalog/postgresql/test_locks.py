"""Locks by name on a server: they exclude others, end with their process, and are noticed when they are lost."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from core.errors import LibraryUnusable, LockLost
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.catalog.postgresql import locks
from store.catalog.postgresql.backend import PostgresBackend
from store.catalog.transactions import writing
from store.library import mark_changed

pytestmark = pytest.mark.servers

HOLDER = """
import sys, time
from pathlib import Path
from store import Library
with Library.open(sys.argv[1]) as library:
    with library.root_lock(Path("/pictures")), library.exclusive() as writer:
        with writer.transaction() as connection:
            connection.exec_driver_sql("UPDATE library SET revision = 77")
            print("held", flush=True)
            time.sleep(600)
"""


@pytest.fixture
def other(library: Library, postgres_url: str) -> Iterator[Library]:
    """The same library, as another process has it."""
    with Library.open(postgres_url) as opened:
        yield opened


def terminate(url: str, condition: str) -> int:
    """End the connections of the server to a database that meet a condition; return their number."""
    statement = (
        f"SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity AS each WHERE datname = %s AND {condition}"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        rows = connection.execute(f"{statement} AND pid <> pg_backend_pid()".encode(), (name,)).fetchall()
    return len(rows)


HOLDS_LOCK = (
    "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pg_locks.pid = each.pid) AND xact_start IS NULL"
)


def test_locks_exclude_other_libraries_and_threads(library: Library, other: Library) -> None:
    with library.exclusive() as writer, library.exclusive():  # again by the same thread
        with other.exclusive_if_free() as refused:
            assert refused is None
        answers: list[bool] = []

        def work() -> None:
            with library.exclusive_if_free() as found:
                answers.append(found is not None)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert answers == [False]
        with writer.transaction() as connection:
            mark_changed(connection)
    with other.exclusive_if_free() as free:
        assert free is not None


def test_a_lock_tells_whether_it_is_free_and_writes_no_token(library: Library, other: Library) -> None:
    mine, theirs = (each.backend.lock("indexing-a.lock") for each in (library, other))
    assert mine.is_free()
    assert theirs.is_free()
    assert mine.acquire(0)
    token = "SELECT token FROM catalogue_locks WHERE name = 'indexing-a.lock'"
    with library.read() as connection:
        before = connection.exec_driver_sql(token).scalar_one()
    assert not mine.is_free()
    assert not theirs.is_free()
    with library.read() as connection:
        assert connection.exec_driver_sql(token).scalar_one() == before
    mine.release()
    assert mine.is_free()
    assert theirs.acquire(0)
    theirs.release()


def test_locks_of_different_names_are_independent(library: Library, other: Library) -> None:
    with (
        library.exclusive(),
        other.root_lock(Path("/a")),
        library.root_lock(Path("/b")),
        other.job_lock_if_free() as jobs,
        library.job_lock_if_free() as no_jobs,
        other.space_fill_lock_if_free("0" * 64) as filling,
    ):
        assert jobs
        assert not no_jobs
        assert filling


def test_libraries_in_other_schemas_have_other_locks(library: Library, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA second")
    with (
        Library.open(f"{postgres_url}?options=-csearch_path%3Dsecond", create=True) as second,
        library.exclusive(),
        second.exclusive_if_free() as writer,
    ):
        assert writer is not None
        with writer.transaction() as connection:
            mark_changed(connection)
        assert (library.revision(), second.revision()) == (0, 1)


def test_waiting_for_a_lock_ends_when_it_is_released(library: Library, other: Library) -> None:
    held, told = threading.Event(), threading.Event()

    def hold() -> None:
        with other.exclusive():
            held.set()
            told.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with library.exclusive(waiting=told.set):
        thread.join()
    assert told.is_set()


def test_waiting_for_a_lock_can_be_stopped(library: Library, other: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.library_locks.WAITING_SECONDS", 0.02)
    monkeypatch.setattr("store.library_locks.CHECK_SECONDS", 0.02)
    checks: list[None] = []

    def check() -> None:
        checks.append(None)
        if len(checks) == 3:
            raise InterruptedError

    with other.exclusive(), pytest.raises(InterruptedError), library.exclusive(check=check):
        raise AssertionError("the library was locked twice")
    with library.exclusive_if_free() as writer:
        assert writer is not None


@contextmanager
def holding_process(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the writer lock and a root lock, in the middle of a transaction."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.processes
def test_locks_of_a_killed_process_are_free_within_a_second(library: Library, postgres_url: str) -> None:
    with holding_process(postgres_url) as process:
        with library.exclusive_if_free() as writer:
            assert writer is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = monotonic()
        with library.root_lock(Path("/pictures")), library.exclusive() as writer:
            seconds = monotonic() - killed
            with writer.transaction() as connection:
                mark_changed(connection)
    assert seconds < 1
    assert library.revision() == 1, "the transaction of the killed process was committed"


def test_a_writer_that_lost_its_lock_changes_nothing(library: Library, postgres_url: str) -> None:
    with library.exclusive() as writer:
        with writer.transaction() as connection:
            mark_changed(connection)
        assert terminate(postgres_url, HOLDS_LOCK) == 1
        with pytest.raises(LockLost) as caught, writer.transaction() as connection:
            mark_changed(connection)
    assert caught.value.lock == "writer.lock"
    assert "Try again" in str(caught.value)
    assert library.revision() == 1
    with library.exclusive() as writer, writer.transaction() as connection:  # it can be had again
        mark_changed(connection)
    assert library.revision() == 2


def test_a_writer_that_was_taken_over_changes_nothing(
    library: Library, other: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if this machine has not been told that the connection has ended."""
    monkeypatch.setattr(locks, "is_lost", lambda _: False)
    with library.exclusive() as writer:
        assert terminate(postgres_url, HOLDS_LOCK) == 1
        with other.exclusive() as next_writer, next_writer.transaction() as connection:
            mark_changed(connection)
        with pytest.raises(LockLost), writer.transaction() as connection:
            mark_changed(connection)
    assert library.revision() == 1


def test_nothing_of_an_earlier_holder_is_committed_after_the_next_one_has_the_lock(
    library: Library, other: Library, postgres_url: str
) -> None:
    order: list[str] = []
    begun, taken = threading.Event(), threading.Event()

    def take_over() -> None:
        begun.wait()
        terminate(postgres_url, HOLDS_LOCK)
        with other.exclusive():
            order.append(f"taken over at {other.revision()}")
        taken.set()

    thread = threading.Thread(target=take_over)
    thread.start()
    with library.exclusive() as writer:
        with writer.transaction() as connection:
            mark_changed(connection)
            begun.set()
            assert not taken.wait(0.5)
            order.append("commits")
        thread.join()
    assert order == ["commits", "taken over at 1"]


def test_a_lock_that_another_thread_holds_is_not_asked_for(library: Library, postgres_url: str) -> None:
    """A tag is a change of its own: it does not depend on the run of another thread that lost its lock."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with library.root_lock(Path("/pictures")):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    terminate(postgres_url, HOLDS_LOCK)
    with library.transaction() as connection:
        mark_changed(connection)
    done.set()
    thread.join()
    assert library.revision() == 1


class Interrupting(FakeEncoder):
    """Does something before it embeds the first batch."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self._has_acted = False

    def forward_images(self, pixels: Any) -> Any:
        if not self._has_acted:
            self._has_acted = True
            self._act()
        return super().forward_images(pixels)


def test_a_run_that_lost_its_root_changes_nothing_more(library: Library, album: Path, postgres_url: str) -> None:
    with pytest.raises(LockLost):
        index(library, album, Interrupting(lambda: terminate(postgres_url, HOLDS_LOCK)))
    with library.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM contents")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM embeddings")).scalar_one() == 0
    assert index(library, album, FakeEncoder()).new == 4


def test_connections_of_locks_are_used_again(library: Library) -> None:
    backend = library.backend
    assert isinstance(backend, PostgresBackend)
    for _ in range(20):
        with library.root_lock(Path("/a")), library.exclusive():
            pass
    with library.read() as connection:
        statement = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert connection.scalar(statement) <= 3


def test_a_lock_cannot_be_had_without_the_server(library: Library, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.rpartition("/")[0] + "/postgres", autocommit=True) as connection:
        name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    with pytest.raises(LibraryUnusable), library.exclusive():
        raise AssertionError("there is nothing to lock")


def test_a_lock_within_a_write_transaction_is_refused_at_once(library: Library) -> None:
    """It would wait for the end of that transaction, which waits for it."""
    with library.exclusive() as writer, writer.transaction(), library.exclusive():
        pass  # it is held already
    with (
        library.transaction(),
        pytest.raises(RuntimeError, match=r"The lock writer\.lock must be acquired before the write transaction"),
        library.exclusive(),
    ):
        pass
    with library.transaction(), pytest.raises(RuntimeError), library.exclusive_if_free():
        pass
    with library.read(), library.exclusive() as writer, writer.transaction():
        pass
    with library.connect() as connection:
        with writing(connection):
            pass
        with library.exclusive():
            pass
