"""Index files of a library on a server: each machine has its own, and brings them up to date by the change feed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import delete, func, insert, select, text, update

from core.errors import SpaceDropped
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import Content, Embedding, IndexGeneration, Picture, VectorChange
from store.check import repair, verify
from store.library import mark_changed
from store.roots import ensure_root
from store.spaces import generation_files, index_cache
from store.spaces.announced_files import announced_file
from store.spaces.drop import drop_space
from store.spaces.registry import StoredSpace, activate, register

pytestmark = pytest.mark.servers

Machine = Callable[..., Library]


@pytest.fixture
def machine(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Return a function that opens the library as the machine with a name does."""
    opened = list[Library]()

    def open_there(name: str, url: str = postgres_url) -> Library:
        monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / name))
        opened.append(Library.open(url, create=True))
        return opened[-1]

    yield open_there
    for library in opened:
        library.close()


@pytest.fixture
def one(machine: Machine) -> Library:
    return machine("one")


@pytest.fixture
def two(one: Library, machine: Machine) -> Library:
    library = machine("two")
    assert library.path != one.path
    return library


@pytest.fixture
def stored(one: Library) -> StoredSpace:
    with one.transaction() as connection:
        made = register(connection, FakeEncoder().space)
        activate(connection, made)
    return made


def vector(stored: StoredSpace, number: int) -> bytes:
    raw = np.random.default_rng(number).normal(size=stored.space.dim)
    return stored.to_bytes((raw / np.linalg.norm(raw)).astype(np.float32))


def put(library: Library, stored: StoredSpace, *numbers: int) -> None:
    """Insert pictures with vectors. The IDs of contents are the numbers."""
    with library.exclusive() as writer:
        place = ensure_root(writer, Path("/pictures"))
        with writer.transaction() as connection:
            for number in numbers:
                values = {"id": number, "digest": number.to_bytes(32), "size": 1, "format": "PNG"}
                connection.execute(insert(Content).values(**values, width=8, height=8))
                content = {"space_id": stored.id, "content_id": number}
                connection.execute(insert(Embedding).values(**content, vector=vector(stored, number)))
                path = {"root_id": place.root_id, "relpath": b"%d" % number, "size": 1, "mtime_ns": 1}
                connection.execute(insert(Picture).values(**path, content_id=number, state="present"))
            mark_changed(connection, stored.id)


def publish(library: Library, stored: StoredSpace) -> None:
    index_cache.publish(library, stored)


def held(library: Library, stored: StoredSpace) -> dict[int, NDArray[np.float32]]:
    """Return the vectors of the current index as a machine sees it."""
    index = index_cache.load(library, stored).index
    return dict(zip(index.ids().tolist(), index.vectors(0, len(index)), strict=True))


def test_each_machine_keeps_a_file_of_its_own(one: Library, two: Library, stored: StoredSpace) -> None:
    put(one, stored, 1, 2, 3)
    publish(one, stored)
    assert index_cache.load(one, stored).published
    there = index_cache.load(two, stored)
    assert (there.published, there.fault, len(there.index)) == (False, None, 3)
    assert index_cache.heal(two, stored)
    assert index_cache.load(two, stored).published
    put(one, stored, 4)
    publish(one, stored)
    publish(one, stored)
    assert set(held(two, stored)) == {1, 2, 3, 4}
    assert not index_cache.load(two, stored).published, "the file of the other machine was announced here"
    assert index_cache.heal(two, stored)
    put(two, stored, 5)
    publish(two, stored)
    assert set(held(one, stored)) == set(held(two, stored)) == {1, 2, 3, 4, 5}
    with one.read() as connection:
        assert connection.execute(IndexGeneration.__table__.select()).all() == []
    for library in (one, two):
        assert verify(library) == []
        assert len(list(library.indexes.glob("*.faiss"))) == 1


def test_a_machine_that_only_reads_keeps_a_file(
    one: Library, stored: StoredSpace, machine: Machine, postgres_url: str
) -> None:
    put(one, stored, 1, 2)
    role = f"reader {conninfo_to_dict(postgres_url)['dbname']}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}" LOGIN'.encode())
        connection.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"'.encode())
    reader = machine("reader", postgres_url.replace("sightline@", f"{role.replace(' ', '%20')}@"))
    assert reader.read_only is not None
    assert index_cache.heal(reader, stored)
    assert index_cache.load(reader, stored).published
    put(one, stored, 3)
    assert set(held(reader, stored)) == {1, 2, 3}


def test_only_one_process_of_a_machine_writes_its_files(one: Library, stored: StoredSpace, machine: Machine) -> None:
    put(one, stored, 1)
    same = machine("one")
    assert same.path == one.path
    with one.publication():
        assert not index_cache.heal(same, stored)
    with one.exclusive():  # a run elsewhere is no obstacle
        assert index_cache.heal(same, stored)


def test_others_change_the_library_while_a_machine_writes_its_file(
    one: Library, two: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(one, stored, 1, 2)
    write = generation_files._write_generation

    def change_then_write(*arguments: Any) -> object:
        put(two, stored, 3)
        return write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(generation_files, "_write_generation", change_then_write)
        current = index_cache.publish(one, stored)
    assert (current.published, len(current.index)) == (False, 2)
    assert set(held(one, stored)) == {1, 2, 3}
    assert index_cache.publish(one, stored).published
    assert verify(one) == []


def test_a_space_that_is_dropped_while_a_machine_writes_its_file_is_not_announced(
    one: Library, two: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(one, stored, 1, 2)
    write = generation_files._write_generation

    def drop_then_write(*arguments: Any) -> object:
        with two.transaction() as connection:
            drop_space(connection, stored)
        return write(*arguments)

    monkeypatch.setattr(generation_files, "_write_generation", drop_then_write)
    with pytest.raises(SpaceDropped):
        index_cache.publish(one, stored)
    assert list(one.indexes.iterdir()) == []


def test_replaced_vectors_are_seen_with_and_without_the_change_feed(
    one: Library, two: Library, stored: StoredSpace
) -> None:
    put(one, stored, *range(1, 40))
    assert index_cache.heal(two, stored)
    for new, cut in ((101, False), (102, True)):
        with one.transaction() as connection:
            connection.execute(update(Embedding).where(Embedding.content_id == 7).values(vector=vector(stored, new)))
            mark_changed(connection, stored.id)
            if cut:
                connection.execute(delete(VectorChange))
        expected = np.frombuffer(vector(stored, new), stored.dtype).astype(np.float32)
        for library in (one, two):
            np.testing.assert_array_equal(held(library, stored)[7], expected)
            assert len(held(library, stored)) == 39
    assert index_cache.heal(two, stored)
    assert verify(two) == []


def test_verify_reports_no_file_that_is_built_again_because_the_change_feed_was_cut_off(
    one: Library, stored: StoredSpace
) -> None:
    put(one, stored, *range(1, 40))
    publish(one, stored)
    with one.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == 7).values(vector=vector(stored, 101)))
        mark_changed(connection, stored.id)
        connection.execute(delete(VectorChange))
    assert verify(one) == []
    publish(one, stored)
    assert index_cache.load(one, stored).published
    assert verify(one) == []


def test_a_file_is_not_announced_as_one_of_another_history_of_the_database(
    one: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby without the last transactions took over while the file was written. It uses their numbers again."""
    put(one, stored, 1, 2)
    write, is_first = generation_files._write_generation, iter([True])

    def take_over_then_write(*arguments: Any) -> object:
        if next(is_first, False):
            with one.transaction() as connection:
                position = connection.scalar(select(func.max(VectorChange.id)))
                connection.execute(update(Embedding).where(Embedding.content_id == 1).values(vector=vector(stored, 9)))
                connection.execute(delete(VectorChange).where(VectorChange.id > position))
                connection.execute(text("UPDATE library SET created_at = created_at + interval '1 second'"))
        return write(*arguments)

    monkeypatch.setattr(generation_files, "_write_generation", take_over_then_write)
    assert index_cache.publish(one, stored).published
    expected = np.frombuffer(vector(stored, 9), stored.dtype).astype(np.float32)
    np.testing.assert_array_equal(held(one, stored)[1], expected)
    assert verify(one) == []


def test_a_file_of_an_earlier_library_at_the_same_url_is_not_used(
    one: Library, stored: StoredSpace, machine: Machine, postgres_url: str
) -> None:
    put(one, stored, 1, 2)
    publish(one, stored)
    one.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    again = machine("one")
    with again.transaction() as connection:
        made = register(connection, FakeEncoder().space)
        activate(connection, made)
    assert made.id == stored.id
    put(again, made, 5, 6, 7)
    assert announced_file(again, made) is None
    assert set(held(again, made)) == {5, 6, 7}
    publish(again, made)
    assert verify(again) == []


def test_a_file_of_a_dropped_space_is_not_used(one: Library, two: Library, stored: StoredSpace) -> None:
    put(one, stored, 1, 2)
    assert index_cache.heal(two, stored)
    with one.transaction() as connection:
        drop_space(connection, stored)
        made = register(connection, FakeEncoder().space)
        activate(connection, made)
        connection.execute(insert(Embedding).values(space_id=made.id, content_id=2, vector=vector(made, 9)))
        mark_changed(connection, made.id)
    assert announced_file(two, made) is None
    assert set(held(two, made)) == {2}
    assert {path.suffix for path in index_cache.remove_strays(two)} == {".faiss", ".json"}


@pytest.mark.parametrize("damage", ["index", "announcement", "missing"])
def test_damage_on_a_machine_is_found_and_repaired(one: Library, stored: StoredSpace, damage: str) -> None:
    put(one, stored, 1, 2)
    publish(one, stored)
    (file,) = one.indexes.glob("*.faiss")
    (announcement,) = one.indexes.glob("*.json")
    if damage == "index":
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif damage == "missing":
        file.unlink()
    else:
        announcement.write_text('{"catalogue": 5')
    assert set(held(one, stored)) == {1, 2}
    assert bool(verify(one)) == (damage != "announcement")  # which is the same as no file
    assert repair(one) != []
    assert verify(one) == []
    assert index_cache.load(one, stored).published


def test_a_restored_database_has_another_identity(one: Library) -> None:
    with one.transaction() as connection:
        before = one.backend.identity(connection)
        connection.execute(text("UPDATE library SET created_at = created_at + interval '1 second'"))
        assert one.backend.identity(connection) != before
