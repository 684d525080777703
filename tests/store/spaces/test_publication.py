"""Index files are written without the writer lock, so that the library can be changed at that moment."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert

import store.library_locks
from core.errors import SpaceDropped
from encoders.fake import FakeEncoder
from indexer import index
from indexer.filling import fill, switch
from store import Library
from store.catalog.tables import Embedding, VectorChange
from store.check import repair, verify
from store.exchange import import_vectors, open_vectors
from store.forget import forget
from store.library import mark_changed
from store.merge.merging import merge
from store.migrate.migrating import publish_indexes
from store.spaces import approximation, generation_files, index_cache
from store.spaces.announced_files import announced_file
from store.spaces.approximation import update_approximation
from store.spaces.drop import drop_space, forget_space
from store.spaces.embeddings import delete_vectors, iter_vectors, searchable_ids
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace, activate, list_spaces, named_space, register
from store.tags import Tagging, add_tags, list_tags
from tests.support.announced import index_files

Put = Callable[..., list[int]]
Act = Callable[[Library, Path], object]
During = Callable[[Callable[[], object]], None]


@pytest.fixture
def while_written(monkeypatch: pytest.MonkeyPatch) -> During:
    """Return a function that sets what happens after the vectors of a file have been read, before it has its name."""

    def during(act: Callable[[], object]) -> None:
        write = generation_files._write_generation

        def act_then_write(*arguments: object) -> object:
            act()
            return write(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(generation_files, "_write_generation", act_then_write)

    return during


@pytest.fixture
def other(library: Library) -> Iterator[Library]:
    """The same library, as another process has it: its locks are others."""
    with Library.open(library.path) as opened:
        yield opened


def once(act: Callable[[], object]) -> Callable[[], object]:
    left = iter([act])
    return lambda: next(left, lambda: None)()


def vectors(library: Library, stored: StoredSpace) -> dict[int, list[float]]:
    with library.read() as connection:
        batches = list(iter_vectors(connection, stored, searchable_ids(connection, stored)))
    return {
        int(frame): vector.tolist()
        for ids, found in batches
        for frame, vector in zip(ids, found.astype(np.float32), strict=True)
    }


def loaded(library: Library, stored: StoredSpace) -> dict[int, list[float]]:
    current = index_cache.load(library, stored)
    assert current.fault is None
    return dict(zip(current.index.ids().tolist(), current.index.vectors().tolist(), strict=True))


def import_some(library: Library, folder: Path) -> None:
    np.save(folder / "vectors.npy", np.eye(5, dtype=np.float32))
    import_vectors(library, open_vectors(folder / "vectors.npy"), "elsewhere")


def merge_some(library: Library, folder: Path) -> None:
    with Library.open(folder / "another", create=True) as another:
        (folder / "b").mkdir()
        (folder / "b" / "copy.png").write_bytes((folder / "album" / "red.png").read_bytes())
        index(another, folder / "b", FakeEncoder())
        merge(library, another)


def drop_one(library: Library, folder: Path) -> None:
    import_some(library, folder)
    for path in library.indexes.glob("*.faiss"):
        path.unlink()
    forget_space(library, named_space(library, "elsewhere"))


ACTS: dict[str, Act] = {
    "publish": lambda library, _: index_cache.publish(library, named_space(library, "fake")),
    "rebuild": lambda library, _: index_cache.publish(library, named_space(library, "fake"), rebuild=True),
    "heal": lambda library, _: index_cache.heal(library, named_space(library, "fake")),
    "index": lambda library, folder: index(library, folder, FakeEncoder()),
    "fill": lambda library, _: fill(library, FakeEncoder()),
    "switch": lambda library, _: switch(library, named_space(library, "fake")),
    "import": import_some,
    "merge": merge_some,
    "migrate": lambda library, _: publish_indexes(library),
    "forget": lambda library, folder: forget(library, folder / "album" / "red.png"),
    "drop": drop_one,
    "repair": lambda library, _: repair(library),
}


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("is_large", [False, True])
def test_others_change_the_library_while_a_file_is_written(
    indexed: Library,
    tmp_path: Path,
    album: Path,
    while_written: During,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    is_large: bool,
) -> None:
    if is_large:
        monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 1)
    if name != "import":  # which writes that of its own space only
        for path in indexed.indexes.glob("*.faiss"):
            path.unlink()
    tagged = list[str]()

    def tag() -> None:
        with Library.open(indexed.path) as other:
            with other.exclusive_if_free() as writer:
                assert writer is not None, "the library was locked"
            (one, *_) = sorted(vectors(other, named_space(other, "fake")))
            tagged.append(f"tag {len(tagged)}")
            add_tags(other, [Tagging(one, tagged[-1])])

    while_written(tag)
    ACTS[name](indexed, tmp_path)
    assert tagged
    assert {each.name for each in list_tags(indexed)} == set(tagged)
    assert verify(indexed) == []
    for summary in list_spaces(indexed):
        assert loaded(indexed, summary.stored) == vectors(indexed, summary.stored)
        # On a server, a file that is behind stays announced, and what has changed since is read from the change feed.
        assert index_cache.load(indexed, summary.stored).published or not indexed.backend.shares_files


@pytest.mark.parametrize("merging", [False, True])
def test_others_change_the_library_while_lists_are_put_into_place(
    library: Library,
    other: Library,
    stored: StoredSpace,
    put: Put,
    while_written: During,
    monkeypatch: pytest.MonkeyPatch,
    merging: bool,
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
    monkeypatch.setattr(approximation, "MIN_RECALL", 0)
    put(*range(1, 61))
    index_cache.publish(library, stored)
    if merging:
        assert update_approximation(library, stored)
        put(*range(100, 110))
        index_cache.publish(library, stored)

    def change() -> None:
        with other.exclusive_if_free() as writer:
            assert writer is not None
        put(500)

    while_written(once(change))
    before = library.revision()
    assert update_approximation(library, stored)
    assert library.revision() > before + 1, "searchers do not load the new files"
    assert index_cache.published_manifest(library, stored) is not None
    assert not index_cache.load(library, stored).published
    assert loaded(library, stored) == vectors(library, stored)
    assert verify(library) == []


def test_an_unfinished_import_is_not_seen_while_its_file_is_written(
    indexed: Library, tmp_path: Path, while_written: During
) -> None:
    seen = list[list[str]]()
    while_written(lambda: seen.append([each.stored.space.model for each in list_spaces(indexed)]))
    import_some(indexed, tmp_path)
    assert seen[0] == ["fake"]


@pytest.mark.parametrize("is_large", [False, True])
def test_a_file_that_is_stale_when_it_is_announced_is_updated_by_readers(
    library: Library,
    stored: StoredSpace,
    put: Put,
    while_written: During,
    monkeypatch: pytest.MonkeyPatch,
    is_large: bool,
) -> None:
    if is_large:
        monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 1)
    put(1, 2)
    while_written(once(lambda: put(3)))
    published = index_cache.publish(library, stored)
    assert (published.published, len(published.index)) == (False, 2)
    assert index_cache.published_count(library, stored) == 2
    assert len(loaded(library, stored)) == 3
    assert verify(library) == []
    assert index_cache.publish(library, stored).published
    assert index_cache.published_count(library, stored) == 3


def test_a_space_that_is_dropped_while_its_file_is_written_is_not_announced(
    library: Library, stored: StoredSpace, put: Put, while_written: During
) -> None:
    put(1, 2)

    def drop() -> None:
        with library.transaction() as connection:
            drop_space(connection, stored)

    while_written(drop)
    with pytest.raises(SpaceDropped):
        index_cache.publish(library, stored)
    assert list(library.indexes.iterdir()) == []


@pytest.mark.sqlite("it gives the ID of a space again")
def test_the_file_of_a_dropped_space_is_not_that_of_the_next_one_with_its_id(
    library: Library, stored: StoredSpace, put: Put, while_written: During
) -> None:
    """It has the same model, too, and one of the same contents."""
    first, second = put(1, 2)

    def replace_space() -> None:
        with library.transaction() as connection:
            kept = connection.scalar(Embedding.__table__.select().with_only_columns(Embedding.vector).limit(1))
            drop_space(connection, stored)
            again = register(connection, stored.space)
            assert again == stored
            activate(connection, again)
            connection.execute(insert(Embedding).values(space_id=again.id, content_id=second, vector=kept))
            mark_changed(connection, again.id)

    while_written(once(replace_space))
    with pytest.raises(SpaceDropped):
        index_cache.publish(library, stored)
    assert announced_file(library, stored) is None
    assert first not in loaded(library, stored)
    assert loaded(library, stored) == vectors(library, stored)
    assert index_cache.publish(library, stored).published
    assert [fault.kind for fault in verify(library)] == ["unembedded"]


@pytest.mark.sqlite("its catalogue announces no file any more whose vectors were replaced")
@pytest.mark.parametrize("is_cut_off", ["before", "after"])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_vector_that_is_replaced_while_a_file_is_written_is_not_found_as_it_was(
    library: Library, stored: StoredSpace, put: Put, while_written: During, is_cut_off: str, is_first: bool
) -> None:
    """The change feed does not have that any more when the file is updated."""
    (replaced, *_) = put(*range(1, 11))
    if not is_first:
        index_cache.publish(library, stored)
        put(20)
    blob = stored.to_bytes(np.eye(13, dtype=np.float32)[0])

    def replace_vector() -> None:
        with library.transaction() as connection:
            delete_vectors(connection, stored, np.array([replaced], np.int64))
            connection.execute(insert(Embedding).values(space_id=stored.id, content_id=replaced, vector=blob))
            mark_changed(connection, stored.id)
            if is_cut_off == "before":
                connection.execute(delete(VectorChange))

    while_written(once(replace_vector))
    assert index_cache.publish(library, stored).published
    if is_cut_off == "after":
        with library.transaction() as connection:
            connection.execute(delete(VectorChange))
            mark_changed(connection, stored.id)
    assert loaded(library, stored)[replaced][0] == 1
    assert loaded(library, stored) == vectors(library, stored)
    assert verify(library) == []


def test_an_older_file_does_not_replace_a_newer_one(
    library: Library, other: Library, stored: StoredSpace, put: Put, while_written: During
) -> None:
    """A process of an older version holds only the writer lock while it writes a file."""
    put(1, 2)

    def publish_newer() -> None:
        put(3)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(index_cache, "remove_strays", lambda _: [])  # which it does with the writer lock
            index_cache._publish(other, stored, other.exclusive, rebuild=False)

    while_written(once(publish_newer))
    assert index_cache.publish(library, stored).published
    entry = announced_file(library, stored)
    assert entry is not None
    assert (entry.count, entry.revision) == (3, library.revision())
    assert loaded(library, stored) == vectors(library, stored)
    assert verify(library) == []


def test_two_processes_that_add_and_publish_at_once_lose_nothing(
    library: Library, other: Library, stored: StoredSpace, put: Put
) -> None:
    def add(process: Library, numbers: range) -> None:
        for number in numbers:
            put(number)
            index_cache.publish(process, stored)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(add, library, range(1, 16)), pool.submit(add, other, range(101, 116))]:
            done.result()
    assert index_cache.publish(library, stored).published
    assert index_cache.published_count(library, stored) == 30
    assert len(index_files(library)) == 1
    assert verify(library) == []


def test_files_are_not_written_by_a_thread_that_holds_the_writer_lock(
    library: Library, stored: StoredSpace, put: Put
) -> None:
    """Two processes would wait for each other, each with the lock that the other one wants."""
    put(1)
    refused = pytest.raises(RuntimeError, match="holds the writer lock")
    for lock in (library.exclusive, library.exclusive_if_free, library.locked):
        with lock():
            with refused:
                index_cache.publish(library, stored)
            with refused:
                index_cache.heal(library, stored)
            with refused:
                index_cache.remove_strays(library)
            with library.exclusive():
                pass
            with refused, library.publication_if_free():
                raise AssertionError("the lock was acquired")
    with library.publication():  # the other order is right
        with library.exclusive():
            pass
        assert index_cache.publish(library, stored).published


def test_another_thread_writes_files_while_the_writer_lock_is_held(
    library: Library, stored: StoredSpace, put: Put
) -> None:
    put(1)
    written = threading.Event()

    def write() -> None:
        with library.publication():
            written.set()

    thread = threading.Thread(target=write)
    with library.exclusive():
        thread.start()
        assert written.wait(60)
        thread.join()


def test_waiting_for_the_files_can_be_stopped(
    library: Library, other: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.library_locks, "WAITING_SECONDS", 0.01)
    monkeypatch.setattr(store.library_locks, "CHECK_SECONDS", 0.01)
    put(1)
    called = list[str]()

    def stop() -> None:
        called.append("check")
        if len(called) > 3:
            raise KeyboardInterrupt

    with other.publication():
        with pytest.raises(KeyboardInterrupt):
            index_cache.publish(library, stored, lambda: called.append("waiting"), stop)
        assert not index_cache.heal(library, stored)
    assert called == ["waiting", "check", "check", "check"]
    assert index_cache.publish(library, stored).published


@pytest.mark.sqlite("a server needs no writer lock to announce a file")
def test_a_reader_does_not_wait_long_to_announce_a_file(
    library: Library,
    other: Library,
    stored: StoredSpace,
    put: Put,
    while_written: During,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_cache, "HEAL_PATIENCE_SECONDS", 0)
    put(1)
    with ExitStack() as held:
        while_written(once(lambda: held.enter_context(other.exclusive())))
        assert not index_cache.heal(library, stored)
    assert list(library.indexes.iterdir()) == []
    assert index_cache.heal(library, stored)
