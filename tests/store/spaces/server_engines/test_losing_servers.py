"""What happens if a server cannot be reached, ends connections, or hangs."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event, Semaphore, Thread
from urllib.parse import urlsplit

import numpy as np
import psycopg
import pytest

from core.errors import IndexEngineOutdated, IndexEngineUnavailable
from core.root_files.waiting import checks_while_waiting
from search import Searcher
from store import Library
from store.catalog.postgresql import watched_connection
from store.check import verify
from store.spaces.approximation import update_approximation
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace
from store.spaces.server_engines import pgvector, server_index
from store.spaces.server_engines.checking import report_engine
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.server_index import EngineHealth, EngineLink, ServerIndex
from tests.support.engines import (
    Clusters,
    N,
    Setup,
    only_pgvector,
    only_pgvector_with_file,
    only_servers,
    server_index_of,
    state_of,
)
from tests.support.postgres import PostgresServer
from tests.support.stalling_proxy import StallingProxy
from tests.support.writers import publish

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]


@only_servers
def test_a_lost_connection_gives_exact_answers_and_one_warning(
    setup: Setup, filled: list[int], agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = server_index_of(setup)
    now = [1000.0]
    assert index._link is not None
    monkeypatch.setattr(index._link.health, "_clock", lambda: now[0])
    agrees(index, exact=False)
    assert index.take_warning() is None

    served = index.connect()
    assert served is not None
    calls = []

    def fail(*_: object) -> None:
        calls.append(1)
        raise IndexEngineUnavailable("somewhere", "no connection")

    with pytest.MonkeyPatch.context() as lost:
        for name in ("propose", "best_exactly"):
            lost.setattr(type(served.engine), name, fail)
        for _ in range(3):
            agrees(index, exact=True)
            agrees(index, among=np.array(filled[:200]), exact=True)
        assert len(calls) == 1  # it is not asked again at once
        assert index.take_warning() == "The index engine somewhere cannot be used: no connection."
        assert index.take_warning() is None
        now[0] += server_index.RETRY_SECONDS + 1
        agrees(index, exact=True)
        assert len(calls) == 2
        assert index.take_warning() is None  # the same loss
    now[0] += server_index.RETRY_SECONDS + 1
    agrees(index, exact=False)


@only_pgvector
def test_idle_connections_that_the_server_has_ended_are_opened_again_at_once(
    setup: Setup, filled: list[int], agrees: Agrees
) -> None:
    import psycopg

    index = server_index_of(setup)
    agrees(index, exact=False)
    served = index.connect()
    assert served is not None
    assert isinstance(served.engine, PgvectorEngine)
    with served.engine._connections.lend(), served.engine._connections.lend(), served.engine._connections.lend():
        pass  # three connections stay open
    assert len(served.engine._connections._idle) == 3
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    with psycopg.connect(engine._connections._address.location, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            "WHERE application_name = 'sightline' AND datname = current_database()"
        )
    agrees(index, exact=False)
    assert index.take_warning() is None


@only_pgvector_with_file
def test_a_server_that_hangs_is_given_up_after_a_while(
    setup: Setup, filled: list[int], agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = server_index_of(setup)
    served = index.connect()
    assert served is not None
    engine = served.engine
    assert isinstance(engine, PgvectorEngine)
    with engine._connections.lend() as connection:
        pid = connection.info.backend_pid
    monkeypatch.setattr(pgvector, "PROPOSAL_SECONDS", 0.2)
    monkeypatch.setattr(pgvector, "SECONDS_PER_QUERY", 0.0)
    os.kill(pid, signal.SIGSTOP)  # the machine accepts what is sent, and the server never answers
    try:
        agrees(index, exact=True)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert index.take_warning() is not None


@only_pgvector_with_file
def test_build_is_given_up_if_the_server_does_not_answer_any_more(
    setup: Setup, clusters: Clusters, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters.add(N)
    monkeypatch.setattr(watched_connection, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(watched_connection, "MAX_UNANSWERED", 1)
    monkeypatch.setattr(watched_connection, "ANSWER_SECONDS", 2)
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    url = engine._connections._address.location
    with StallingProxy(postgres_server.port) as proxy:
        monkeypatch.setenv(ENGINE_VARIABLE, f"pgvector:{proxy.url(url)}")
        with pytest.raises(IndexEngineOutdated, match="does not answer, not even on another connection"):
            update_approximation(setup.library, setup.stored, check=proxy.stall)
    assert engine.state() is None  # nothing of the build is left
    monkeypatch.setenv(ENGINE_VARIABLE, f"pgvector:{url}")
    setup.update()
    assert state_of(setup).vectors == N


@only_pgvector_with_file
def test_stop_is_noticed_while_an_index_is_built(setup: Setup, clusters: Clusters, pgvector_url: str) -> None:
    """A job could otherwise be stopped only after minutes or hours."""
    clusters.add(N)
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    with psycopg.connect(pgvector_url) as other:
        engine._tables.lock(other)  # what is built waits, as it does for an index

        def stop() -> None:
            raise Stopped

        with checks_while_waiting(stop), pytest.raises(Stopped):
            update_approximation(setup.library, setup.stored)
    assert engine.state() is None
    setup.update()
    assert state_of(setup).vectors == N
    engine.close()


class Stopped(BaseException):
    """Raised by a check."""


@only_pgvector_with_file
def test_build_of_a_killed_process_ends_soon(setup: Setup, filled: list[int]) -> None:
    """Else the next build would wait until the server has finished the first one, for nothing."""
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    with engine._connections.lend() as connection, connection.transaction():
        engine._tables.lock(connection)
        settings = ("client_connection_check_interval", "tcp_keepalives_idle", "tcp_user_timeout")
        values = [connection.execute(f"SHOW {setting}").fetchone() for setting in settings]
    assert values == [("10s",), ("10",), ("30000",)]
    with engine._connections.lend() as connection:
        assert connection.execute("SHOW client_connection_check_interval").fetchone() == ("0",)


@pytest.mark.parametrize("setup", ["milvus"], indirect=True)
def test_milvus_that_does_not_answer_any_more_is_given_up(
    setup: Setup, filled: list[int], milvus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from milvus_lite.server_manager import server_manager_instance

    if not milvus.endswith(".db"):
        pytest.skip("The server may be on another machine.")
    port = urlsplit(server_manager_instance.start_and_get_uri(milvus)).port
    assert port is not None
    state = state_of(setup)
    monkeypatch.setattr("store.spaces.server_engines.milvus.SEARCH_SECONDS", 1.0)
    monkeypatch.setattr("store.spaces.server_engines.milvus.CHANGE_SECONDS", 2.0)
    with StallingProxy(port) as proxy:
        monkeypatch.setenv(ENGINE_VARIABLE, f"milvus:http://127.0.0.1:{proxy.port}")
        engine = setup.engine()
        assert engine.state(fresh=True) == state
        proxy.stall()
        with pytest.raises(IndexEngineUnavailable):
            engine.propose(state, np.ones((1, setup.stored.space.dim), np.float32), 5)
        with pytest.raises(IndexEngineUnavailable):
            engine.build([], state.position)
        with pytest.raises(IndexEngineUnavailable):
            engine.drop()
        proxy.resume()
        engine.close()


def test_searches_that_wait_for_a_lost_server_do_not_all_ask_it(clusters: Clusters) -> None:
    clusters.add(50)
    ids = np.array(sorted(clusters.everything()), np.int64)
    health, asked, others_wait = EngineHealth(), [], Event()

    def connect() -> None:
        asked.append(1)
        others_wait.wait(60)
        raise IndexEngineUnavailable("somewhere", "no answer")

    base = CatalogueIndex(clusters.library, clusters.stored, ids)
    index = ServerIndex(base, EngineLink(health, connect, 0))
    threads = [Thread(target=index.search, args=(clusters.query(1)[None], 5)) for _ in range(4)]
    original, waiting = index._connecting, Semaphore(0)

    class Counting:
        def __enter__(self) -> None:
            waiting.release()
            original.acquire()

        def __exit__(self, *_: object) -> None:
            original.release()

    index._connecting = Counting()  # type: ignore[assignment]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=60)
    others_wait.set()
    for thread in threads:
        thread.join(60)
    assert len(asked) == 1


def test_an_unreachable_server_is_searched_around(
    library: Library, stored: StoredSpace, clusters: Clusters, agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters.add(50)
    publish(library, stored)
    for address in ("pgvector:postgresql://me:hidden@127.0.0.1:1/db", "milvus:http://me:hidden@127.0.0.1:1"):
        monkeypatch.setenv(ENGINE_VARIABLE, address)
        index = EngineConnections(library).load(stored).index
        agrees(index, exact=True)
        warning = index.take_warning()
        assert warning is not None
        assert "127.0.0.1:1" in warning
        with pytest.raises(IndexEngineOutdated, match=r"127\.0\.0\.1:1") as caught:
            update_approximation(library, stored)
        report = report_engine(library, stored)
        assert report is not None
        assert report.fault is not None
        assert "hidden" not in f"{warning} {caught.value} {report} {verify(library)}"
        assert [fault.kind for fault in verify(library)] == ["index"]


def test_a_search_says_once_that_the_engine_is_lost(
    album: Path, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "pgvector:postgresql://me:hidden@127.0.0.1:1/db")
    searcher = Searcher(indexed)
    first, second = searcher.search("red", k=2), searcher.search("blue", k=2)
    assert [notice.name for notice in first.notices] == ["engine_unavailable"]
    assert "127.0.0.1" not in str(first.notices[0])
    assert second.notices == ()
    assert len(first) == len(second) == 2


def test_a_loss_is_reported_once_until_the_server_has_answered() -> None:
    now = [0.0]
    health = EngineHealth(lambda: now[0])
    health.failed("gone")
    assert (health.is_good, health.take_report(), health.take_report()) == (False, "gone", None)
    now[0] += server_index.RETRY_SECONDS
    assert health.is_good
    health.failed("gone")
    assert health.take_report() is None
    health.answered()
    assert health.is_good
    health.failed("again")
    assert health.take_report() == "again"
