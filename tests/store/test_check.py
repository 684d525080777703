"""`verify` finds each kind of fault; `repair` fixes it."""

import sqlite3
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select, text, update

from core.errors import LibraryDamaged
from store import Library, check
from store.catalog.tables import Content, Embedding, Picture
from store.check import verify
from store.kept_counts.block_counts import BlockCounts
from store.kept_counts.keeping import count_everything, keep_counts
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.flat_index import FlatIndex
from store.spaces.registry import StoredSpace
from tests.support.announced import announce_again, only_announced
from tests.support.writers import publish, run_repair

Put = Callable[..., list[int]]


def kinds(library: Library) -> list[str]:
    return [fault.kind for fault in verify(library)]


@pytest.fixture
def ids(library: Library, stored: StoredSpace, put: Put) -> list[int]:
    """A valid library of eight pictures."""
    made = put(*range(8))
    publish(library, stored)
    assert verify(library) == []
    return made


def index_file(library: Library) -> tuple[int, str]:
    file = only_announced(library)
    return file.generation, file.path.name


def test_an_empty_library_has_no_faults(library: Library) -> None:
    assert verify(library) == []
    assert run_repair(library) == []


def test_repair_of_a_valid_library_does_nothing(library: Library, ids: list[int]) -> None:
    before = index_file(library)
    assert run_repair(library) == []
    assert index_file(library) == before


def test_a_run_that_was_stopped_before_its_first_index_file_is_not_a_fault(library: Library, put: Put) -> None:
    """Nothing is lost: readers build the index in memory. `repair` writes the file, as the next run does."""
    put(1, 2)
    assert kinds(library) == []
    assert any("2 vectors" in step for step in run_repair(library))
    assert verify(library) == []


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_damaged_index_file_is_found_and_rebuilt(library: Library, ids: list[int], damage: str) -> None:
    path = library.indexes / index_file(library)[1]
    data = bytearray(path.read_bytes())
    data[-30] ^= 16
    path.unlink()
    if damage != "missing":
        path.write_bytes(data if damage == "flipped" else data[:-40])
    assert kinds(library) == ["index"]
    run_repair(library)
    assert verify(library) == []


def test_an_outdated_index_file_is_not_a_fault_and_is_updated_by_repair(
    library: Library, ids: list[int], put: Put
) -> None:
    put(50)
    assert verify(library) == []
    before = index_file(library)
    assert any("updated the index" in step for step in run_repair(library))
    assert index_file(library) != before
    assert run_repair(library) == []


@pytest.mark.sqlite("on a server, readers build such a file again")
def test_the_vectors_of_an_outdated_index_file_are_verified(library: Library, ids: list[int], put: Put) -> None:
    with library.transaction() as connection:
        connection.execute(text("UPDATE embeddings SET vector = (SELECT max(vector) FROM embeddings)"))
    put(50)
    assert kinds(library) == []  # the change is recorded, so that readers take the new vectors
    with library.transaction() as connection:
        connection.execute(text("DELETE FROM vector_changes WHERE id < (SELECT max(id) FROM vector_changes)"))
    assert kinds(library) == ["index"]


def announce(library: Library, index: FlatIndex) -> None:
    """Publish an index with a valid checksum and the current revision, regardless of its content."""
    from hashlib import sha256

    path = library.indexes / index_file(library)[1]
    index.write(path)
    announce_again(library, checksum=sha256(path.read_bytes()).digest(), count=len(index))


def test_an_index_file_with_a_wrong_vector_is_found(library: Library, stored: StoredSpace, ids: list[int]) -> None:
    sound = index_cache.load(library, stored).index
    vectors = sound.vectors()
    vectors[3] = vectors[2]
    wrong = FlatIndex(13)
    wrong.add(sound.ids(), vectors)
    announce(library, wrong)
    faults = verify(library)
    assert [fault.kind for fault in faults] == ["index"]
    assert f"in 1 vectors ({sound.ids()[3]})" in faults[0].detail
    run_repair(library)
    assert verify(library) == []


@pytest.mark.parametrize("rows", [slice(0, 7), slice(0, 0)])
def test_an_index_file_without_one_vector_is_found(
    library: Library, stored: StoredSpace, ids: list[int], rows: slice
) -> None:
    sound = index_cache.load(library, stored).index
    wrong = FlatIndex(13)
    wrong.add(sound.ids()[rows], sound.vectors()[rows])
    announce(library, wrong)
    assert kinds(library) == ["index"]
    run_repair(library)
    assert verify(library) == []


def test_the_order_of_an_index_file_does_not_matter(library: Library, stored: StoredSpace, ids: list[int]) -> None:
    sound = index_cache.load(library, stored).index
    turned = FlatIndex(13)
    turned.add(sound.ids()[::-1], sound.vectors()[::-1])
    announce(library, turned)
    assert verify(library) == []


UNIT = np.eye(1, 13, dtype=np.float32)[0]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\0" * 25,
        b"\0" * 26,
        b"\0" * 28,
        (UNIT * 2).astype("<f2").tobytes(),
        (UNIT * 0.99).astype("<f2").tobytes(),
        np.full(13, np.nan, "<f2").tobytes(),
        np.full(13, np.inf, "<f2").tobytes(),
        UNIT.astype("<f4").tobytes(),
    ],
    ids=["empty", "short", "zero", "long", "twice", "shrunk", "nan", "inf", "float32"],
)
def test_a_malformed_vector_is_found_and_deleted(library: Library, ids: list[int], blob: bytes) -> None:
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == ids[2]).values(vector=blob))
    faults = verify(library)
    assert "vectors" in [fault.kind for fault in faults]
    assert f"contents {ids[2]}" in faults[0].detail
    done = run_repair(library)
    assert "1 malformed" in done[0]
    assert kinds(library) == ["unembedded"]  # the next index run embeds it again
    with library.read() as connection:
        assert sorted(connection.execute(select(Embedding.content_id)).scalars()) == sorted({*ids} - {ids[2]})


def test_all_vectors_malformed(library: Library, ids: list[int]) -> None:
    with library.transaction() as connection:
        connection.execute(update(Embedding).values(vector=b"short"))
    assert "8 vectors" in verify(library)[0].detail
    run_repair(library)
    assert kinds(library) == ["unembedded"]


def test_a_present_picture_without_a_vector_is_found(library: Library, stored: StoredSpace, ids: list[int]) -> None:
    with library.transaction() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == ids[0]))
        mark_changed(connection)
    publish(library, stored)
    assert kinds(library) == ["unembedded"]


def test_contents_without_a_picture_are_removed(library: Library, ids: list[int]) -> None:
    with library.transaction() as connection:
        connection.execute(delete(Picture).where(Picture.content_id == ids[0]))
        mark_changed(connection)
    assert any("1 contents" in step for step in run_repair(library))
    with library.read() as connection:
        assert ids[0] not in connection.execute(select(Content.id)).scalars().all()
        assert ids[0] not in connection.execute(select(Embedding.content_id)).scalars().all()
    assert verify(library) == []


def test_stray_index_files_are_deleted(library: Library, ids: list[int]) -> None:
    (library.indexes / "left.tmp").write_bytes(b"")
    assert run_repair(library) == ["deleted the stray file left.tmp"]


@pytest.mark.sqlite
def test_a_dangling_reference_is_damage(library: Library, ids: list[int]) -> None:
    library.close()
    with sqlite3.connect(library.path / "catalog.sqlite") as connection:  # foreign keys are off here
        connection.execute("DELETE FROM roots")
    connection.close()
    assert set(kinds(library)) == {"catalogue"}
    with pytest.raises(LibraryDamaged, match="refers to a missing row of roots"):
        run_repair(library)


@pytest.mark.sqlite
def test_a_damaged_database_is_found(library: Library, ids: list[int]) -> None:
    with library.read() as connection:
        page = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
    library.close()  # closing the last connection checkpoints the write-ahead log
    path = library.path / "catalog.sqlite"
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : (page - 1) * size + 200] = b"\xa5" * 200
    path.write_bytes(data)
    assert set(kinds(library)) == {"catalogue"}
    with pytest.raises(LibraryDamaged):
        run_repair(library)


def test_wrong_columns_of_paths_and_wrong_counts_are_found_and_corrected(library: Library, ids: list[int]) -> None:
    keep_counts(library)
    assert kinds(library) == []
    with library.transaction() as connection:
        connection.execute(text("UPDATE pictures SET path_key = 'x' WHERE id = 1"))
        connection.execute(text("UPDATE pictures SET name_key = 'x' WHERE id = 2"))
        connection.execute(
            text("UPDATE kept_counts SET counts = :counts"), {"counts": BlockCounts(contents=1).to_bytes()}
        )
    assert count_everything(library).contents == 1  # which this process remembers
    assert [fault.detail for fault in verify(library)] == [
        "what is stored of the paths of 2 pictures is wrong (1, 2)",
        "the counts of 1 blocks of pictures are wrong (0)",
    ]
    assert run_repair(library) == [
        "corrected what is stored of the paths of 2 pictures",
        "discarded wrong counts of 1 blocks of pictures",
    ]
    assert kinds(library) == []
    assert count_everything(library).contents == len(ids)


def test_a_block_without_a_version_is_found_and_gets_one(library: Library, ids: list[int]) -> None:
    with library.transaction() as connection:
        connection.execute(text("DELETE FROM content_blocks"))
    assert kinds(library) == ["derived"]
    assert run_repair(library) == ["discarded wrong counts of 1 blocks of pictures"]
    assert kinds(library) == []
    assert count_everything(library).contents == len(ids)


def test_others_can_write_while_repair_looks_for_faults(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is taken for what is mended: here one vector, and the index file without it."""
    made = put(*range(8))
    publish(library, stored)
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == made[0]).values(vector=b"short"))
    free = list[bool]()

    def watched(name: str) -> None:
        original = getattr(check, name)

        def look(*args: Any) -> Any:
            free.append(is_free())
            return original(*args)

        monkeypatch.setattr(check, name, look)

    def is_free() -> bool:
        def take() -> None:
            with library.exclusive_if_free() as writer:
                taken.append(writer is not None)

        taken = list[bool]()
        other = Thread(target=take)
        other.start()
        other.join()
        return taken == [True]

    for name in ("_catalogue_faults", "_malformed", "_index_faults", "find_broken_groups", "find_wrong_paths"):
        watched(name)
    steps = check.repair(library)
    assert [step.partition(" ")[0] for step in steps] == ["deleted", "rebuilt"]
    assert free == [True, True, False, True, True]
    free.clear()
    assert check.repair(library) == []
    assert free == [True] * 5
