"""Index files that are not announced, or whose announcement fails: nothing of them stays, and answers are right."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from core.errors import SpaceDropped
from store import Library
from store.catalog import change_feed
from store.check import verify
from store.spaces import approximation, generation_files, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.drop import drop_space
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace
from tests.support.announced import index_files

Put = Callable[..., list[int]]


class StoppedError(Exception):
    """Raised in place of waiting on."""


@pytest.fixture
def other(library: Library) -> Iterator[Library]:
    """The same library, as another process has it: its locks are others."""
    with Library.open(library.path) as opened:
        yield opened


@pytest.fixture
def when_written(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that sets what happens once, after a file has its name and before it is announced."""

    def once(act: Callable[[], object]) -> None:
        write, left = generation_files._write_generation, iter([act])

        def write_then_act(*arguments: object) -> object:
            written = write(*arguments)  # type: ignore[arg-type]
            next(left, lambda: None)()
            return written

        monkeypatch.setattr(generation_files, "_write_generation", write_then_act)

    return once


@pytest.mark.sqlite("a server needs no writer lock to announce a file")
def test_a_file_is_deleted_when_waiting_to_announce_it_is_stopped(
    library: Library,
    other: Library,
    stored: StoredSpace,
    put: Put,
    when_written: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As that of a large library would otherwise stay until another one is written."""
    monkeypatch.setattr("store.library_locks.WAITING_SECONDS", 0.01)
    put(1)

    def stop() -> None:
        raise StoppedError

    with ExitStack() as held:
        when_written(lambda: held.enter_context(other.exclusive()))
        with pytest.raises(StoppedError):
            index_cache.publish(library, stored, stop)
        assert list(library.indexes.iterdir()) == []
    assert index_cache.publish(library, stored).published


def test_the_files_of_lists_are_deleted_when_they_cannot_be_announced(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
    monkeypatch.setattr(approximation, "MIN_RECALL", 0)
    put(*range(1, 61))
    index_cache.publish(library, stored)
    before = set(library.indexes.iterdir())

    def stop(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(index_cache, "announce", stop)
        with pytest.raises(StoppedError):
            update_approximation(library, stored)
    assert set(library.indexes.iterdir()) == before
    assert update_approximation(library, stored)
    assert verify(library) == []


def test_a_reader_does_not_fail_when_the_space_whose_file_it_writes_is_dropped(
    library: Library, stored: StoredSpace, put: Put, when_written: Callable[[Callable[[], object]], None]
) -> None:
    """It has its answer already."""
    put(1)

    def drop() -> None:
        with library.transaction() as connection:
            drop_space(connection, stored)

    when_written(drop)
    assert not index_cache.heal(library, stored)
    assert list(library.indexes.iterdir()) == []
    with pytest.raises(SpaceDropped):
        index_cache.publish(library, stored)


@pytest.mark.parametrize("suffix", [".faiss", ".json", ".added"])
def test_a_file_that_an_older_version_has_deleted_is_not_announced(
    library: Library,
    stored: StoredSpace,
    put: Put,
    when_written: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
) -> None:
    """It takes a file that is not announced yet for one that was left behind."""
    put(*range(1, 61))
    if suffix != ".faiss":
        monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
        monkeypatch.setattr(approximation, "MIN_RECALL", 0)
        index_cache.publish(library, stored)
        assert update_approximation(library, stored)
        put(100)
    before = set(library.indexes.iterdir())
    deleted = list[Path]()

    def delete_new() -> None:
        deleted.extend(path for path in library.indexes.iterdir() if path.suffix == suffix and path not in before)
        for path in deleted:
            path.unlink()

    when_written(delete_new)
    assert index_cache.publish(library, stored).published
    assert len(deleted) == 1
    assert verify(library) == []
    assert index_cache.load(library, stored).published


@pytest.mark.parametrize("is_sole_record", [False, True])
def test_lists_are_not_announced_if_replaced_vectors_may_have_been_missed(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, is_sole_record: bool
) -> None:
    """On a server, nothing but the change feed says that a vector was replaced while the lists were built."""
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
    monkeypatch.setattr(approximation, "MIN_RECALL", 0)
    put(*range(1, 61))
    index_cache.publish(library, stored)
    monkeypatch.setattr(change_feed, "changes_after", lambda *_: None)
    monkeypatch.setattr(change_feed, "is_sole_record", lambda _: is_sole_record)
    assert update_approximation(library, stored) is not is_sole_record
    assert (index_cache.published_manifest(library, stored) is None) is is_sole_record
    assert np.array_equal(np.sort(index_cache.load(library, stored).index.ids()), np.arange(1, 61))


@pytest.mark.parametrize("is_damaged", [False, True])
def test_verify_looks_at_the_newer_file_if_the_one_that_it_reads_is_replaced(
    library: Library, other: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, is_damaged: bool
) -> None:
    put(*range(1, 5))
    index_cache.publish(library, stored)
    check, left = index_cache.check_every_file, iter([True])

    def replace_then_check(path: Path, count: int, checksum: bytes) -> None:
        if next(left, False):
            put(5)
            index_cache.publish(other, stored)
            assert not path.exists()
            if is_damaged:
                for newer in index_files(library):
                    newer.write_bytes(b"damaged")
        check(path, count, checksum)

    monkeypatch.setattr(index_cache, "check_every_file", replace_then_check)
    assert [fault.kind for fault in verify(library)] == ["index"] * is_damaged
