"""What an engine has of spaces that were dropped while it could not be reached."""

from pathlib import Path

import pytest

from core.errors import IndexEngineNotCleared
from store import Library
from store.check import verify
from store.spaces.drop import forget_space
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.server_engines.engine import EngineTarget
from store.spaces.server_engines.leftovers import find_leftovers, remove_leftovers
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


def test_no_engine_has_no_leftovers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    assert find_leftovers(library) == []
