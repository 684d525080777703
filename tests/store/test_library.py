"""Opening, creating and locking libraries."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import LibraryNotFound, LibraryTooNew, LibraryUnusable
from store import Library
from store.albums.records import AlbumRecord
from store.albums.saved import save_album
from store.change_counter import ChangeCounter
from store.library import mark_changed


@pytest.mark.sqlite
def test_open_requires_an_existing_library_unless_create_is_set(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound) as caught:
        Library.open(tmp_path / "none")
    assert caught.value.path == tmp_path / "none"
    assert not (tmp_path / "none").exists()
    Library.open(tmp_path / "none", create=True).close()
    Library.open(str(tmp_path / "none")).close()
    assert sorted(path.name for path in (tmp_path / "none").iterdir()) == ["catalog.sqlite", "indexes", "writer.lock"]


def test_open_expands_the_home_folder_and_makes_the_path_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Library.open("~/mine", create=True) as library:
        assert library.path == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    with Library.open("mine") as library:
        assert library.path == tmp_path / "mine"


def test_open_rejects_a_folder_without_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound):
        Library.open(tmp_path)


@pytest.mark.sqlite
@pytest.mark.parametrize("content", [b"this is a letter to my aunt" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_open_rejects_a_catalogue_that_is_not_a_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(content)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path)
    assert (tmp_path / "catalog.sqlite").read_bytes() == content


@pytest.mark.sqlite
def test_open_rejects_paths_where_no_library_can_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "file", create=True)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "file" / "beneath", create=True)
    (tmp_path / "odd" / "catalog.sqlite").mkdir(parents=True)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "odd")
    for place in (tmp_path / ("x" * 300), Path("~unknown-user/library")):
        with pytest.raises(LibraryUnusable):
            Library.open(place)


@pytest.mark.sqlite
def test_exclusive_raises_library_unusable_if_the_lock_file_cannot_be_opened(library: Library) -> None:
    (library.path / "writer.lock").unlink(missing_ok=True)
    (library.path / "writer.lock").mkdir()
    with pytest.raises(LibraryUnusable), library.exclusive():
        pytest.fail("a folder was locked")


def test_exclusive_waits_for_the_writer_of_another_process(library: Library) -> None:
    calls: list[str] = []
    locked, unlock = threading.Event(), threading.Event()

    def first() -> None:
        with Library.open(library.path) as own, own.exclusive():
            calls.append("first")
            locked.set()
            unlock.wait()
            calls.append("first is done")

    thread = threading.Thread(target=first)
    thread.start()
    locked.wait()
    with library.exclusive_if_free() as writer:
        assert writer is None

    def waiting() -> None:
        calls.append("waiting")
        unlock.set()

    with library.exclusive(waiting) as writer:
        calls.append("second")
    thread.join()
    assert calls == ["first", "waiting", "first is done", "second"]
    with library.exclusive_if_free() as writer:
        assert writer is not None


def test_exclusive_excludes_other_threads_of_the_same_library(library: Library) -> None:
    with library.exclusive():
        answers: list[bool] = []

        def other() -> None:
            with library.exclusive_if_free() as writer:
                answers.append(writer is not None)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert answers == [False]


def test_a_writer_cannot_be_used_after_its_block(library: Library) -> None:
    with library.exclusive() as writer, library.exclusive() as nested:
        pass
    with library.exclusive_if_free() as free:
        assert free is not None
    for released in (writer, nested, free):
        with pytest.raises(RuntimeError), released.transaction():
            pytest.fail("a transaction began without the lock")


def test_exclusive_releases_the_lock_on_an_exception(library: Library) -> None:
    with pytest.raises(KeyError), library.exclusive() as writer:
        raise KeyError
    with library.exclusive_if_free() as writer:
        assert writer is not None


@pytest.mark.sqlite
def test_change_counter_differs_after_every_commit(library: Library) -> None:
    counter = ChangeCounter(library)
    values = [counter.value()]
    with library.transaction() as connection:
        mark_changed(connection)
        assert counter.value() == values[-1], "an uncommitted change is visible"
    values.append(counter.value())
    save_album(library, AlbumRecord("mine", "a beach", None, 100, is_ranked=True))  # does not change the revision
    values.append(counter.value())
    with closing(sqlite3.connect(library.path / "catalog.sqlite")) as other, other:
        other.execute("UPDATE albums SET name = 'yours'")  # as another process does
    values.append(counter.value())
    assert len(set(values)) == 4
    with library.read() as connection:
        connection.exec_driver_sql("SELECT * FROM albums")
    assert counter.value() == counter.value() == values[-1]
    counter.close()


@pytest.mark.sqlite
def test_change_counter_holds_no_snapshot_and_can_be_reopened(library: Library) -> None:
    counter = ChangeCounter(library)
    assert isinstance(counter.value(), int)
    with library.exclusive() as writer:
        with writer.transaction() as connection:
            mark_changed(connection)
        with writer.connect() as connection:
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert busy == 0, "an old snapshot is still open"
    counter.close()
    assert isinstance(counter.value(), int)
    counter.close()


@pytest.mark.sqlite
def test_change_counter_raises_library_unusable_without_a_catalogue(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library", create=True)
    library.close()
    (tmp_path / "library" / "catalog.sqlite").unlink()
    (tmp_path / "library" / "catalog.sqlite").mkdir()
    with pytest.raises(LibraryUnusable):
        ChangeCounter(library).value()


def test_schema_of_a_later_version_is_not_written_to(library: Library) -> None:
    """A long run takes the lock again for each batch; a later version may have migrated the catalogue in between."""
    with library.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LibraryTooNew), library.exclusive():
        raise AssertionError("the library was locked for writing")
    with library._if_free(library._lock) as is_held:
        assert is_held  # it was released


def test_waiting_for_a_lock_can_be_stopped(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.library_locks.WAITING_SECONDS", 0.02)
    monkeypatch.setattr("store.library_locks.CHECK_SECONDS", 0.02)
    told: list[str] = []

    def check() -> None:
        told.append("check")
        if told.count("check") == 3:
            raise InterruptedError

    with (
        Library.open(library.path) as other,
        other.exclusive(),
        pytest.raises(InterruptedError),
        library.exclusive(lambda: told.append("waiting"), check),
    ):
        raise AssertionError("the library was locked twice")
    assert told == ["waiting", "check", "check", "check"]
