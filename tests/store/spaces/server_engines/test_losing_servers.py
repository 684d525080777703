"""What happens if a server cannot be reached, or has something else than it should."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore, Thread

import numpy as np
import pytest
from sqlalchemy import delete

from core.errors import IndexEngineOutdated, IndexEngineUnavailable
from search import Searcher
from store import Library
from store.catalog import change_feed
from store.catalog.tables import VectorChange
from store.check import verify
from store.spaces.approximation import update_approximation
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.recall import MeasuredRecall
from store.spaces.registry import StoredSpace
from store.spaces.server_engines import connections, pgvector, server_index, updating
from store.spaces.server_engines.checking import find_differences, report_engine
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.engine import EngineState, EngineTarget
from store.spaces.server_engines.milvus import MilvusEngine
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.server_index import EngineHealth, EngineLink, ServerIndex
from store.spaces.server_engines.updating import repair_engine, update_engine
from tests.support.engines import SERVERS, Clusters, N, Setup
from tests.support.writers import publish

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]
only_servers = pytest.mark.parametrize("setup", SERVERS, indirect=True)
only_pgvector_with_file = pytest.mark.parametrize("setup", ["pgvector"], indirect=True)
only_pgvector = pytest.mark.parametrize("setup", ["pgvector", "pgvector-without-file"], indirect=True)


@pytest.fixture
def filled(setup: Setup, clusters: Clusters) -> list[int]:
    ids = clusters.add(N)
    setup.update()
    return ids


def server_index_of(setup: Setup) -> ServerIndex:
    index = setup.load().index
    assert isinstance(index, ServerIndex)
    return index


def state_of(setup: Setup) -> EngineState:
    engine = setup.engine()
    try:
        state = engine.state(fresh=True)
        assert state is not None
        return state
    finally:
        engine.close()


def save(setup: Setup, state: EngineState) -> None:
    engine = setup.engine()
    try:
        engine.save(state)
    finally:
        engine.close()


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
@pytest.mark.parametrize("change", [{"later": 1}, {"recall": {}}, {"storage": "x; DROP SCHEMA sightline_vectors"}])
def test_a_state_of_another_version_is_not_used_and_replaced(
    setup: Setup, filled: list[int], agrees: Agrees, change: dict[str, object]
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    content = json.dumps({**json.loads(state.to_json()), **change})
    with engine._connected() as connection:
        connection.execute("UPDATE sightline_vectors.spaces SET state = %s", [content])
    assert engine.state() is None
    engine.close()
    agrees(setup.load().index, exact=True)
    assert verify(setup.library) == []
    assert update_approximation(setup.library, setup.stored)
    assert state_of(setup).vectors == N
    agrees(setup.load().index, exact=False)


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
    with served.engine._connected(), served.engine._connected(), served.engine._connected():
        pass  # three connections stay open
    assert len(served.engine._idle) == 3
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    with psycopg.connect(engine._address.location, autocommit=True) as connection:
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
    with engine._connected() as connection:
        pid = connection.info.backend_pid
    monkeypatch.setattr(pgvector, "PROPOSAL_SECONDS", 0.2)
    monkeypatch.setattr(pgvector, "SECONDS_PER_QUERY", 0.0)
    os.kill(pid, signal.SIGSTOP)  # the machine accepts what is sent, and the server never answers
    try:
        agrees(index, exact=True)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert index.take_warning() is not None


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


@only_servers
def test_an_engine_that_was_filled_from_another_history_is_not_used(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    ahead = engine.replace(state, np.array([], np.int64), [], state.position + 1_000)
    engine.close()
    assert ahead.position == state.position + 1_000
    agrees(setup.load().index, exact=True)
    assert update_approximation(setup.library, setup.stored)  # builds it from the catalogue
    assert state_of(setup).storage != state.storage
    agrees(setup.load().index, exact=False)


@only_servers
def test_an_engine_with_another_number_of_vectors_is_not_used(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    save(setup, replace(state_of(setup), vectors=N - 1))
    agrees(setup.load().index, exact=True)


@only_servers
@pytest.mark.parametrize("later", [0, 10])
def test_an_engine_with_changes_of_another_history_is_built_again(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees, later: int
) -> None:
    before = state_of(setup)
    clusters.add(20)
    with setup.library.read() as connection:
        position = change_feed.position(connection)
    engine = setup.engine()  # the library was restored from a backup, and goes on from there
    other = engine.replace(before, np.array(filled[:3]), [], position)
    engine.close()
    assert other.position == position
    if later:
        clusters.add(later)
    setup.update()
    state = state_of(setup)
    assert state.vectors == N + 20 + later
    assert state.storage != before.storage
    assert verify(setup.library) == []
    agrees(setup.load().index, exact=False)


@only_servers
def test_vectors_of_unknown_pictures_are_never_shown(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    foreign = [(np.arange(10**6, 10**6 + 50), np.stack([clusters.query(0)] * 50))]
    engine.replace(state, np.array([10**6]), foreign, state.position)
    engine.close()
    save(setup, replace(state_of(setup), vectors=N))
    index = server_index_of(setup)
    assert index.connect() is not None
    agrees(index, exact=False)
    assert [str(difference.detail) for difference in find_differences(setup.library, setup.stored)] == [
        f"{setup.engine().shown} has what the catalogue does not have: 50 vectors"
    ]


@only_servers
def test_verify_finds_every_wrong_vector_and_repair_copies_them_again(
    setup: Setup, filled: list[int], clusters: Clusters
) -> None:
    assert verify(setup.library) == []
    state = state_of(setup)
    engine = setup.engine()
    wrong = clusters.everything()[filled[5]].astype(setup.stored.dtype)
    wrong[3] += np.float16(0.001)
    engine.replace(state, np.array(filled[5:7]), [(np.array([filled[5]]), wrong[None])], state.position)
    engine.close()
    details = [fault.detail for fault in verify(setup.library)]
    assert len(details) == 2
    assert f"differs from the catalogue in 1 vector ({filled[5]})" in details[0]
    assert f"lacks 1 vector ({filled[6]})" in details[1]
    assert repair_engine(setup.library, setup.stored)
    assert not repair_engine(setup.library, setup.stored)
    assert verify(setup.library) == []


@only_servers
def test_a_cut_off_feed_makes_the_engine_be_built_again(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    before = state_of(setup)
    clusters.lose(filled[:5])
    clusters.add(5)
    with setup.library.transaction() as connection:
        last = connection.scalar(
            VectorChange.__table__.select().with_only_columns(VectorChange.id).order_by(VectorChange.id.desc()).limit(1)
        )
        connection.execute(delete(VectorChange).where(VectorChange.id < last))
    publish(setup.library, setup.stored) if setup.has_file else None
    agrees(setup.load().index, exact=True)
    report = report_engine(setup.library, setup.stored)
    assert report is not None
    assert report.behind is None
    assert update_approximation(setup.library, setup.stored)
    assert state_of(setup).storage != before.storage
    agrees(setup.load().index, exact=False)
    assert verify(setup.library) == []


@only_servers
def test_an_engine_with_a_low_recall_is_not_used(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    save(setup, replace(state_of(setup), recall=MeasuredRecall(0.94, 1.0, 100, True)))
    agrees(setup.load().index, exact=True)


@only_servers
def test_nothing_is_measured_as_good_that_is_not(
    setup: Setup, clusters: Clusters, agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters.add(N)
    engine = setup.engine()
    monkeypatch.setattr(type(engine), "propose", lambda _self, _state, queries, _number: [np.arange(3)] * len(queries))
    setup.update()
    recall = state_of(setup).recall
    assert recall is not None
    assert recall.lowest < 0.2
    agrees(setup.load().index, exact=True)


@only_servers
def test_an_engine_far_behind_is_searched_around(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_PENDING", 20)
    clusters.add(21)
    agrees(setup.load().index, exact=True)
    setup.update()
    agrees(setup.load().index, exact=False)


@only_servers
def test_a_stopped_update_leaves_what_was_there(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    before = state_of(setup)
    clusters.replace(filled[:20])
    clusters.lose(filled[20:30])
    for rebuild in (False, True):
        with pytest.raises(Stopped):
            update_engine(setup.library, setup.stored, stop, rebuild=rebuild)
        assert state_of(setup) == before
        index = setup.load().index
        agrees(index, exact=False)
        agrees(index, among=np.array(filled[:200]), exact=True)
    setup.update()
    assert verify(setup.library) == []
    agrees(setup.load().index, exact=False)


@only_servers
def test_nothing_is_left_of_what_was_replaced_or_stopped(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    first = state_of(setup)
    assert update_engine(setup.library, setup.stored, rebuild=True)
    second = state_of(setup)
    assert {first.storage, second.storage} <= stored_names(setup)  # a search may still use the first
    left = second.storage[:-8] + "00000000"
    engine = setup.engine()
    if isinstance(engine, MilvusEngine):
        with engine._connected() as client:
            engine._create(client, left)  # as a build that was killed
        assert left in stored_names(setup)
    engine.close()
    clusters.add(5)
    setup.update()
    assert {name for name in stored_names(setup) if name.startswith(second.storage[:-8])} == {second.storage}
    agrees(setup.load().index, exact=False)


def stored_names(setup: Setup) -> set[str]:
    engine = setup.engine()
    try:
        if isinstance(engine, MilvusEngine):
            with engine._connected() as client:
                return set(client.list_collections())
        assert isinstance(engine, PgvectorEngine)
        with engine._connected() as connection:
            statement = "SELECT tablename FROM pg_tables WHERE schemaname = 'sightline_vectors'"
            return {name for (name,) in connection.execute(statement)}
    finally:
        engine.close()


@only_servers
def test_one_process_at_a_time_writes(setup: Setup, filled: list[int], clusters: Clusters) -> None:
    clusters.add(5)
    before = state_of(setup)
    with setup.library.engine_lock_if_free(setup.stored.space.fingerprint) as is_free:
        assert is_free
        done = []
        thread = Thread(target=lambda: done.append(update_engine(setup.library, setup.stored)))
        thread.start()
        thread.join()
        assert done == [False]
    assert state_of(setup) == before


@only_servers
def test_a_change_of_another_state_is_not_made(setup: Setup, filled: list[int], clusters: Clusters) -> None:
    old = state_of(setup)
    clusters.add(5)
    setup.update()
    now = state_of(setup)
    assert now.position > old.position
    engine = setup.engine()
    assert engine.replace(old, np.array(filled), [], old.position + 1) == now
    engine.save(old)
    assert state_of(setup) == now
    engine.drop()
    assert engine.state(fresh=True) is None
    engine.close()


@only_servers
def test_two_libraries_share_an_engine(
    setup: Setup, filled: list[int], clusters: Clusters, tmp_path: Path, agrees: Agrees
) -> None:
    with Library.open(tmp_path / "other", create=True) as other:
        assert EngineTarget.of(other, setup.stored) != EngineTarget.of(setup.library, setup.stored)


def in_memory(index: CatalogueIndex) -> bool:
    return index.is_in_memory


def test_a_machine_without_a_file_reads_few_vectors(
    library: Library, stored: StoredSpace, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters.add(60)
    monkeypatch.setattr("store.spaces.catalogue_index.MAX_READ", 30)
    everything = clusters.everything()
    index = CatalogueIndex(library, stored, np.array(sorted(everything)))
    found = index.search(clusters.query(0)[None], 5, np.array(sorted(everything)[:30]))
    assert found.ids[0].tolist() == [
        frame for frame, _ in clusters.best(clusters.query(0), 5, np.array(sorted(everything)[:30]))
    ]
    assert not in_memory(index)
    assert index.search(clusters.query(0)[None], 5).ids[0].tolist() == [
        frame for frame, _ in clusters.best(clusters.query(0), 5)
    ]
    assert in_memory(index)
    copy = index.copy()
    assert copy.remove(np.array(sorted(everything)[:10])) == 10
    assert len(copy.search(clusters.query(0)[None], 60).ids[0]) == 50
    assert len(index.search(clusters.query(0)[None], 60).ids[0]) == 60


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


def test_update_without_an_engine_does_nothing(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flat", "auto", ""):
        monkeypatch.setenv(ENGINE_VARIABLE, name)
        assert not updating.update_engine(library, stored)
        assert report_engine(library, stored) is None
        assert list(find_differences(library, stored)) == []
