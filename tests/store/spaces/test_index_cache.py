"""The index file as a cache: if it is missing, stale or damaged, results still come from the catalogue."""

import errno
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, update

from core.errors import IndexFault, LibraryUnusable, SpaceDropped
from core.space import Space
from store import Library
from store.catalog.tables import Embedding, Picture, PictureState
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.drop import drop_space
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.flat_index import FlatIndex
from store.spaces.registry import StoredSpace, activate, register
from tests.support.announced import announce_again, only_announced
from tests.support.writers import publish

Put = Callable[..., list[int]]


def catalogue_vectors(library: Library, stored: StoredSpace) -> dict[int, list[float]]:
    """The searchable vectors of the catalogue, by content."""
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
        batches = list(iter_vectors(connection, stored, ids))
    return {
        int(content_id): vector.astype(np.float32).tolist()
        for ids, vectors in batches
        for content_id, vector in zip(ids, vectors, strict=True)
    }


def index_vectors(current: index_cache.CurrentIndex) -> dict[int, list[float]]:
    """The vectors of an index, by content."""
    ids, vectors = current.index.ids(), current.index.vectors()
    assert len(set(ids.tolist())) == len(ids)
    return dict(zip(ids.tolist(), vectors.tolist(), strict=True))


def generation(library: Library) -> tuple[int, str]:
    file = only_announced(library)
    return file.generation, file.path.name


def files(library: Library) -> list[str]:
    return sorted(path.name for path in library.indexes.iterdir() if path.suffix != ".json")


def index_file(library: Library) -> Path:
    return library.indexes / generation(library)[1]


def set_state(library: Library, relpath: bytes, state: PictureState) -> None:
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.relpath == relpath).values(state=state))
        mark_changed(connection)


@pytest.mark.parametrize("stored", ["float16", "float32"], indirect=True)
def test_first_published_index_contains_all_vectors(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(1, 2, 3)
    before = index_cache.load(library, stored)
    assert (before.published, before.fault, sorted(before.index.ids())) == (False, None, ids)
    published = publish(library, stored)
    assert published.published
    assert index_vectors(published) == catalogue_vectors(library, stored)
    assert generation(library)[0] == 1
    after = index_cache.load(library, stored)
    assert (after.published, after.fault, after.revision) == (True, None, library.revision())
    assert index_vectors(after) == catalogue_vectors(library, stored)


def file_stamp(library: Library) -> tuple[int, int]:
    """Inode and modification time of the index file, which reading does not change."""
    status = index_file(library).stat()
    return status.st_ino, status.st_mtime_ns


def test_publishing_without_changes_writes_no_file(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    publish(library, stored)
    before = file_stamp(library)
    assert publish(library, stored).published
    assert file_stamp(library) == before
    assert generation(library)[0] == 1


def test_change_without_vectors_only_updates_the_revision(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    publish(library, stored)
    before = file_stamp(library)
    set_state(library, b"0001.png", PictureState.PRESENT)  # as after a rename
    assert not index_cache.load(library, stored).published
    assert publish(library, stored).published
    assert index_cache.load(library, stored).published
    assert file_stamp(library) == before
    assert generation(library)[0] == 1


def test_stale_file_is_brought_up_to_date(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2, 3, 4)
    publish(library, stored)
    old = index_file(library)
    set_state(library, b"0002.png", PictureState.MISSING)
    put(9)
    current = index_cache.load(library, stored)
    assert (current.published, current.fault, current.changed) == (False, None, True)
    assert index_vectors(current) == catalogue_vectors(library, stored)
    publish(library, stored)
    assert generation(library)[0] == 2
    assert index_vectors(index_cache.load(library, stored)) == catalogue_vectors(library, stored)
    assert not old.exists()
    assert len(files(library)) == 1


def test_index_can_become_empty(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    publish(library, stored)
    set_state(library, b"0001.png", PictureState.MISSING)
    publish(library, stored)
    current = index_cache.load(library, stored)
    assert current.published
    assert len(current.index) == 0


def test_index_excludes_missing_and_failed_pictures(library: Library, stored: StoredSpace, put: Put) -> None:
    present = put(1, 2)
    put(3, state=PictureState.MISSING)
    put(4, state=PictureState.FAILED)
    assert sorted(publish(library, stored).index.ids()) == present


def flip(seed: int) -> Callable[[bytes], bytes]:
    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        place = random.Random(seed).randrange(len(changed))
        changed[place] ^= 1 << random.Random(seed + 1000).randrange(8)
        return bytes(changed)

    return damage


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "halved": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "longer": lambda data: data + b"\0",
    "foreign": lambda data: b"\x89PNG\r\n" + data[6:],
    "zeros": lambda data: bytes(len(data)),
    **{f"bit flipped {seed}": flip(seed) for seed in range(6)},
}


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_detected_and_rebuilt(
    library: Library, stored: StoredSpace, put: Put, damage: str, behind: bool
) -> None:
    put(*range(20))
    publish(library, stored)
    path = index_file(library)
    data = DAMAGES[damage](path.read_bytes())
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    if behind:
        put(99)
    current = index_cache.load(library, stored)
    assert isinstance(current.fault, IndexFault)
    assert current.fault.path == path
    assert ("missing" if data is None else "damaged") in current.fault.fault
    assert index_vectors(current) == catalogue_vectors(library, stored)
    assert publish(library, stored).published
    mended = index_cache.load(library, stored)
    assert (mended.published, mended.fault) == (True, None)
    assert index_vectors(mended) == catalogue_vectors(library, stored)
    assert generation(library)[0] == 2
    assert len(files(library)) == 1


def test_file_of_another_library_is_detected(library: Library, stored: StoredSpace, put: Put) -> None:
    """A complete index, but not the published one."""
    put(1, 2)
    publish(library, stored)
    other = FlatIndex(13)
    other.add(np.array([1, 2], np.int64), np.eye(2, 13, dtype=np.float32))
    other.write(index_file(library))
    current = index_cache.load(library, stored)
    assert current.fault is not None
    assert index_vectors(current) == catalogue_vectors(library, stored)


def test_folder_in_place_of_the_file_is_detected(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    publish(library, stored)
    path = index_file(library)
    path.unlink()
    path.mkdir()
    current = index_cache.load(library, stored)
    assert current.fault is not None
    assert index_vectors(current) == catalogue_vectors(library, stored)
    assert publish(library, stored).published
    assert index_cache.load(library, stored).published


def test_rebuild_ignores_the_file_on_disk(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    publish(library, stored)
    publish(library, stored, rebuild=True)
    assert generation(library)[0] == 2
    assert index_vectors(index_cache.load(library, stored)) == catalogue_vectors(library, stored)


def test_stray_files_are_removed(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    (library.indexes / "0123456789ab-000007.tmp").write_bytes(b"killed while writing")
    (library.indexes / "0123456789ab-000006.faiss").write_bytes(b"killed before announcing")
    publish(library, stored)
    assert files(library) == [generation(library)[1]]
    (library.indexes / "0123456789ab-000008.tmp").write_bytes(b"killed again")
    publish(library, stored)  # also without changes
    assert files(library) == [generation(library)[1]]


def test_reader_keeps_its_mapped_file_after_a_publication(
    library: Library, stored: StoredSpace, put: Put, unit: Callable[[int], NDArray[np.float32]]
) -> None:
    ids = put(*range(50))
    publish(library, stored)
    reader = index_cache.load(library, stored)
    for number in range(50, 60):
        put(number)
        publish(library, stored)
    assert generation(library)[0] == 11
    queries = np.stack([unit(number) for number in range(50)])
    np.testing.assert_array_equal(reader.index.search(queries, 1).ids[:, 0], ids)
    assert len(reader.index) == 50
    assert len(index_cache.load(library, stored).index) == 60


def test_reader_retries_if_its_file_is_replaced_while_loading(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(1)
    publish(library, stored)
    check, calls = index_cache.check_file, []

    def replaced_while_checking(path: Path, count: int, checksum: bytes) -> None:
        calls.append(path)
        if len(calls) == 1:
            publish(library, stored, rebuild=True)  # removes `path` and announces another
        check(path, count, checksum)

    monkeypatch.setattr(index_cache, "check_file", replaced_while_checking)
    current = index_cache.load(library, stored)
    assert (current.published, current.fault) == (True, None)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("write error")])
def test_full_disk_keeps_the_catalogue_and_the_old_file(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    put(1, 2)
    publish(library, stored)
    before = generation(library)
    put(3)

    def half_written(self: FlatIndex, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise error

    monkeypatch.setattr(FlatIndex, "write", half_written)
    with pytest.raises(LibraryUnusable, match="cannot be written"):
        index_cache.publish(library, stored)
    assert not index_cache.heal(library, stored)
    assert generation(library) == before
    assert index_vectors(index_cache.load(library, stored)) == catalogue_vectors(library, stored)
    assert len(catalogue_vectors(library, stored)) == 3
    monkeypatch.undo()
    publish(library, stored)
    assert index_vectors(index_cache.load(library, stored)) == catalogue_vectors(library, stored)
    assert len(files(library)) == 1


@pytest.mark.sqlite
def test_heal_does_nothing_while_the_library_is_locked(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    with Library.open(library.path) as other, other.exclusive():
        assert not index_cache.heal(library, stored)
        assert files(library) == []
    assert index_cache.heal(library, stored)
    assert index_cache.load(library, stored).published


def test_index_excludes_deleted_vectors(library: Library, stored: StoredSpace, put: Put) -> None:
    first, second = put(1, 2)
    publish(library, stored)
    with library.transaction() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == first))
        mark_changed(connection)
    assert publish(library, stored).index.ids().tolist() == [second]


def test_each_space_has_its_own_file(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    publish(library, stored)
    with library.transaction() as connection:
        other = register(connection, Space("other", "w", 4))
    publish(library, other)
    assert len(files(library)) == 2
    assert index_cache.load(library, stored).published
    assert len(index_cache.load(library, other).index) == 0


def test_change_in_one_space_keeps_the_files_of_others_current(library: Library, stored: StoredSpace, put: Put) -> None:
    """Filling one space must not make searches in another one read its index again."""
    put(1, 2)
    publish(library, stored)
    with library.transaction() as connection:
        other = register(connection, Space("other", "w", 4))
        activate(connection, other)
        mark_changed(connection, other.id)
    assert index_cache.load(library, stored).published
    assert not index_cache.load(library, other).published


def test_dropped_space_has_no_index(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    publish(library, stored)
    with library.transaction() as connection:
        drop_space(connection, stored)
    with pytest.raises(SpaceDropped, match=r"fake .* was dropped"):
        index_cache.load(library, stored)
    index_cache.remove_strays(library)
    assert files(library) == []


def test_file_of_another_dimension_is_detected(library: Library, stored: StoredSpace, put: Put) -> None:
    """Its checksum is right: two rows of the catalogue were mixed up."""
    put(1, 2)
    publish(library, stored)
    other = FlatIndex(4)
    other.add(np.array([1]), np.eye(4)[:1])
    other.write(index_file(library))
    announce_again(library, checksum=hashlib.sha256(index_file(library).read_bytes()).digest())
    current = index_cache.load(library, stored)
    assert current.fault is not None
    assert index_vectors(current) == catalogue_vectors(library, stored)


@pytest.mark.parametrize("published", [True, False])
def test_loaded_index_is_updated_without_reading_the_file(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, *, published: bool
) -> None:
    put(1, 2, 3)
    if published:
        publish(library, stored)
    first = index_cache.load(library, stored)
    held_first = index_vectors(first)
    monkeypatch.setattr(index_cache, "check_file", lambda *_: pytest.fail("the file was read again"))
    put(4)
    with library.transaction() as connection:
        mark_changed(connection)
    second = index_cache.load(library, stored, first)
    assert len(index_vectors(second)) == 4
    set_state(library, b"0002.png", PictureState.MISSING)
    third = index_cache.load(library, stored, second)
    assert [index_vectors(first), len(index_vectors(second)), len(index_vectors(third))] == [held_first, 4, 3]
    assert index_vectors(third) == catalogue_vectors(library, stored)
    assert (third.changed, third.published) == (True, False)


def test_loaded_index_is_replaced_by_a_newer_file(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2)
    before = publish(library, stored)
    put(3)
    with library.transaction() as connection:
        mark_changed(connection)
    behind = index_cache.load(library, stored, before)
    newer = publish(library, stored)
    after = index_cache.load(library, stored, behind)
    assert (before.published, behind.published, newer.published, after.published) == (True, False, True, True)
    assert index_vectors(after) == catalogue_vectors(library, stored)


def test_file_with_only_a_new_revision_is_not_read_again(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(1, 2)
    publish(library, stored)
    before = index_cache.load(library, stored)
    with library.transaction() as connection:
        mark_changed(connection)
    publish(library, stored)
    monkeypatch.setattr(index_cache, "check_file", lambda *_: pytest.fail("the file was read again"))
    after = index_cache.load(library, stored, before)
    assert (after.index, after.published, after.revision) == (before.index, True, before.revision + 1)
