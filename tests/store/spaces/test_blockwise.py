"""An index that is written block by block has the same vectors, and is never half published."""

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from core.errors import LibraryUnusable
from store import Library
from store.catalog.tables import Embedding
from store.check import verify
from store.library import mark_changed
from store.spaces import approximation, blockwise, generation_files, index_cache, index_engines
from store.spaces.approximation import update_approximation
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.flat_file import write_flat_file
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.layered_index import LayeredIndex
from store.spaces.registry import StoredSpace
from tests.support.announced import index_files, only_announced
from tests.support.writers import lose, publish

Put = Callable[..., list[int]]


class Killed(BaseException):
    """Stands for the end of the process."""


def kill(*_: object, **__: object) -> None:
    raise Killed


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write every index block by block."""
    monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 1)
    monkeypatch.setattr(blockwise, "BLOCK", 3)


def assert_complete(library: Library, stored: StoredSpace) -> None:
    """The published index is current, mapped, and has exactly the vectors of the catalogue."""
    current = index_cache.load(library, stored)
    assert (current.published, current.fault) == (True, None)
    with library.read() as connection:
        expected = {
            int(frame): vector.tolist()
            for ids, vectors in iter_vectors(connection, stored, searchable_ids(connection, stored))
            for frame, vector in zip(ids, vectors.astype(np.float32), strict=True)
        }
    found = dict(zip(current.index.ids().tolist(), current.index.vectors().tolist(), strict=True))
    assert found == expected
    assert len(current.index) == len(expected)
    assert verify(library) == []


@pytest.mark.parametrize("stored", ["float16", "float32"], indirect=True)
def test_an_index_is_written_and_changed_without_adding_in_memory(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FlatIndex, "copy", kill)
    first = put(*range(1, 11))
    assert publish(library, stored).draft is None
    assert_complete(library, stored)
    put(*range(20, 28))
    lose(library, first[2:9])
    assert publish(library, stored).published
    assert_complete(library, stored)
    lose(library, first)
    assert publish(library, stored).published
    assert_complete(library, stored)
    assert publish(library, stored, rebuild=True).published
    assert_complete(library, stored)
    assert len(index_files(library)) == 1


def test_every_picture_can_be_lost(library: Library, stored: StoredSpace, put: Put) -> None:
    contents = put(1, 2, 3, 4)
    publish(library, stored)
    lose(library, contents)
    publish(library, stored)
    assert_complete(library, stored)
    put(9)
    publish(library, stored)
    assert_complete(library, stored)


def test_a_malformed_vector_is_left_out(library: Library, stored: StoredSpace, put: Put) -> None:
    contents = put(*range(1, 9))
    with library.transaction() as connection:
        bad = stored.to_bytes(np.full(stored.space.dim, np.nan, np.float32))
        connection.execute(update(Embedding).where(Embedding.content_id == contents[4]).values(vector=bad))
        connection.execute(update(Embedding).where(Embedding.content_id == contents[6]).values(vector=b"short"))
    current = publish(library, stored)
    assert sorted(current.index.ids().tolist()) == [*contents[:4], contents[5], contents[7]]


def test_nothing_is_written_without_changes(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    publish(library, stored)
    (before,) = (path.stat() for path in index_files(library))
    with library.transaction() as connection:
        mark_changed(connection)
    publish(library, stored)
    (after,) = (path.stat() for path in index_files(library))
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert_complete(library, stored)


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_damaged_file_is_written_again(library: Library, stored: StoredSpace, put: Put, damage: str) -> None:
    put(*range(1, 9))
    publish(library, stored)
    (path,) = index_files(library)
    data = bytearray(path.read_bytes())
    path.unlink()
    data[len(data) // 2] ^= 8
    if damage != "missing":
        path.write_bytes(data[:-3] if damage == "cut" else data)
    publish(library, stored)
    assert_complete(library, stored)


@pytest.mark.parametrize("step", ["write_changed", "open_index", "_finish", "sync_folder", "announce", "remove_strays"])
@pytest.mark.parametrize("changed", [False, True])
def test_a_process_that_is_killed_leaves_the_index_before(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, step: str, changed: bool
) -> None:
    contents = put(*range(1, 9))
    if changed:
        publish(library, stored)
        put(20, 21)
        lose(library, contents[:2])
    with monkeypatch.context() as patch:
        original = index_engines.open_index
        module: object = index_cache if hasattr(index_cache, step) and step != "open_index" else generation_files
        patch.setattr(module, step, kill)
        if step == "open_index":  # of the draft only
            patch.setattr(
                generation_files,
                step,
                lambda stored, path, **kwargs: kill() if path.suffix == ".draft" else original(stored, path, **kwargs),
            )
        with pytest.raises(Killed):
            publish(library, stored)
    current = index_cache.load(library, stored)
    assert current.fault is None
    assert len(current.index) == 8
    publish(library, stored)
    assert_complete(library, stored)
    assert len(index_files(library)) == 1


def test_a_full_disk_keeps_the_index_before(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(1, 2, 3)
    publish(library, stored)
    names = [path.name for path in index_files(library)]
    put(4)

    def full(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(generation_files, "write_changed", full)
        with pytest.raises(LibraryUnusable, match="No space left"):
            publish(library, stored)
    assert [path.name for path in index_files(library)] == names
    assert len(index_cache.load(library, stored).index) == 4
    publish(library, stored)
    assert_complete(library, stored)


def test_small_indexes_are_changed_in_memory(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 5)
    monkeypatch.setattr(generation_files, "write_changed", kill)
    put(1, 2, 3, 4)
    publish(library, stored)
    assert_complete(library, stored)
    put(5)
    with pytest.raises(Killed):
        publish(library, stored)


def test_a_library_that_doubles_is_not_kept_in_memory_as_an_addition(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
    monkeypatch.setattr(approximation, "MIN_RECALL", 0)
    put(*range(1, 61))
    publish(library, stored)
    assert update_approximation(library, stored)
    put(*range(100, 110))
    publish(library, stored)
    assert isinstance(index_cache.load(library, stored).index, LayeredIndex)
    put(*range(200, 250))
    publish(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert_complete(library, stored)
    assert len(index_files(library)) == 1
    assert update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, LayeredIndex)
    assert_complete(library, stored)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("number", [0, 1, 7, 300])
def test_the_file_is_that_of_an_index_in_memory(tmp_path: Path, dtype: str, number: int) -> None:
    rng = np.random.default_rng(number)
    ids, vectors = rng.permutation(1000)[:number], rng.normal(size=(number, 12)).astype(np.float16).astype(np.float32)
    index = FlatIndex(12, dtype)
    index.add(ids, vectors)
    index.write(tmp_path / "whole")
    parts = [(ids[start : start + 50], vectors[start : start + 50]) for start in range(0, number, 50)]
    assert write_flat_file(tmp_path / "parts", 12, dtype, parts) == number
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_part_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"):
        write_flat_file(tmp_path / "a", 4, "float16", [(np.arange(3), np.zeros((2, 4), np.float32))])


def test_the_draft_is_not_announced_for_another_generation(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    publish(library, stored)
    put(3)
    publish(library, stored)
    file = only_announced(library)
    assert (file.generation, file.path.name[-13:]) == (2, "-000002.faiss")
