"""What an engine has of spaces that were dropped while it could not be reached."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from core.errors import IndexEngineNotCleared
from store import Library
from store.catalog.tables import LibraryState, VectorChange
from store.check import verify
from store.exchange import ImportHooks, ImportSettings, import_vectors, open_vectors
from store.spaces.drop import forget_space
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.server_engines.engine import EngineTarget, library_name
from store.spaces.server_engines.feed_marks import FeedMark
from store.spaces.server_engines.leftovers import find_leftovers, remove_leftovers
from store.spaces.server_engines.opening import chosen_address, open_engine
from store.spaces.server_engines.updating import update_engine
from tests.support.engines import Clusters, Setup, only_servers

pytestmark = pytest.mark.servers

AWAY = "pgvector:postgresql://me:hidden@127.0.0.1:1/photos"


@only_servers
def test_a_space_that_was_dropped_without_its_engine_is_found_and_removed(
    setup: Setup, filled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_leftovers(setup.library) == []
    engine = setup.engine()
    left: list[IndexEngineNotCleared] = []
    with monkeypatch.context() as lost:
        lost.setenv(ENGINE_VARIABLE, AWAY)
        assert forget_space(setup.library, setup.stored, left=left.append) > 0
    (error,) = left
    assert "may still have the vectors of fake" in str(error)
    assert EngineTarget.of(setup.library, setup.stored).name in str(error)
    assert "hidden" not in str(error)
    assert find_leftovers(setup.library) == [engine.storage_prefix]
    assert [fault.detail for fault in verify(setup.library)] == [
        f"the engine has vectors of a space that was dropped, in {engine.storage_prefix}*"
    ]
    assert remove_leftovers(setup.library) == [engine.storage_prefix]
    assert find_leftovers(setup.library) == []
    assert engine.state(fresh=True) is None
    assert verify(setup.library) == []
    engine.close()


@only_servers
def test_the_vectors_of_another_library_are_left_alone(
    setup: Setup, filled: list[int], clusters: Clusters, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "other", create=True) as other:
        assert find_leftovers(other) == remove_leftovers(other) == []
    engine = setup.engine()
    assert engine.state(fresh=True) is not None
    engine.close()


@only_servers
def test_a_copy_from_before_a_space_was_added_leaves_its_vectors_alone(
    setup: Setup, filled: list[int], tmp_path: Path
) -> None:
    with Library.open(tmp_path / "copy", create=True) as copy:
        with setup.library.read() as read, copy.transaction() as written:
            created = read.scalar(select(LibraryState.created_at))
            written.execute(update(LibraryState).values(created_at=created))
            assert library_name(copy, written) == library_name(setup.library, read)
        assert find_leftovers(copy) == remove_leftovers(copy) == []
    engine = setup.engine()
    assert engine.state(fresh=True) is not None
    engine.close()


@only_servers
def test_a_dropped_space_that_its_original_has_filled_again_is_left_alone(
    setup: Setup, filled: list[int], clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lost:
        lost.setenv(ENGINE_VARIABLE, AWAY)
        forget_space(setup.library, setup.stored)
    engine = setup.engine()
    assert find_leftovers(setup.library) == [engine.storage_prefix]
    state = engine.state(fresh=True)
    assert state is not None
    assert state.mark is not None
    engine.save(replace(state, mark=FeedMark(state.mark.row + 1_000_000, 1)))
    assert find_leftovers(setup.library) == remove_leftovers(setup.library) == []
    engine.close()


@only_servers
def test_a_dropped_space_is_found_although_its_mark_was_cut_off(
    setup: Setup, filled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lost:
        lost.setenv(ENGINE_VARIABLE, AWAY)
        forget_space(setup.library, setup.stored)
    engine = setup.engine()
    state = engine.state(fresh=True)
    assert state is not None
    assert state.mark is not None
    with setup.library.transaction() as connection:
        connection.execute(delete(VectorChange).where(VectorChange.id <= state.mark.row))
    assert remove_leftovers(setup.library) == [engine.storage_prefix]
    engine.close()


def test_no_engine_has_no_leftovers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    assert find_leftovers(library) == []


@only_servers
@pytest.mark.parametrize("is_away", [False, True])
def test_import_that_replaces_a_space_clears_the_engine_or_names_what_is_left(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_away: bool
) -> None:
    library = setup.library
    np.save(tmp_path / "vectors.npy", np.eye(8, dtype=np.float32))
    first = import_vectors(library, open_vectors(tmp_path / "vectors.npy"), "elsewhere").stored
    assert update_engine(library, first)
    address = chosen_address()
    assert address is not None
    engine = open_engine(library, first, address)
    assert engine.state(fresh=True) is not None
    left: list[IndexEngineNotCleared] = []
    np.save(tmp_path / "vectors.npy", np.eye(8, dtype=np.float32)[::-1])
    with monkeypatch.context() as lost:
        if is_away:
            lost.setenv(ENGINE_VARIABLE, AWAY)
        source = open_vectors(tmp_path / "vectors.npy")
        import_vectors(library, source, "elsewhere", ImportSettings(replace=True), ImportHooks(left=left.append))
    assert len(left) == is_away
    if is_away:
        assert f"may still have the vectors of {first.space}" in str(left[0])
        assert engine.state(fresh=True) is not None
    assert find_leftovers(library) == remove_leftovers(library) == [engine.storage_prefix] * is_away
    assert engine.state(fresh=True) is None
    engine.close()
