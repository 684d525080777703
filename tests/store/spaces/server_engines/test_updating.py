"""Bringing engines up to date: what is written, measured and left, and by which process."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep

import numpy as np
import pytest

from store import Library, library_locks
from store.check import verify
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace
from store.spaces.server_engines import updating
from store.spaces.server_engines.checking import find_differences, report_engine
from store.spaces.server_engines.engine import EngineTarget
from store.spaces.server_engines.milvus import MilvusEngine
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.updating import update_engine
from tests.support.engines import Clusters, N, Setup, only_servers, state_of

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]


def test_update_without_an_engine_does_nothing(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flat", "auto", ""):
        monkeypatch.setenv(ENGINE_VARIABLE, name)
        assert not updating.update_engine(library, stored)
        assert report_engine(library, stored) is None
        assert list(find_differences(library, stored)) == []


def test_stop_loses_no_announcement_of_an_engine(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has its state by then. The next run would see nothing new, and searches would not use the engine."""
    monkeypatch.setattr(library_locks, "WAITING_SECONDS", 0.01)
    monkeypatch.setattr(library_locks, "CHECK_SECONDS", 0.01)
    before, is_held = library.revision(), Event()

    def write() -> None:
        with library.exclusive():
            is_held.set()
            sleep(0.3)

    writer = Thread(target=write)
    writer.start()
    assert is_held.wait(60)

    def stop() -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        updating._announce(library, stored, stop)
    writer.join(60)
    assert library.revision() > before


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
        with engine._connections.lend() as connection:
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
