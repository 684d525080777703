"""A library on disk: opened, made, refused, locked."""

import threading
from pathlib import Path

import pytest

from core.errors import LibraryNotFound, LibraryUnusable
from store import Library
from store.library import bump


def test_a_library_must_be_made_before_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound) as caught:
        Library.open(tmp_path / "none")
    assert caught.value.path == tmp_path / "none"
    assert not (tmp_path / "none").exists()
    Library.open(tmp_path / "none", create=True).close()
    Library.open(str(tmp_path / "none")).close()
    assert sorted(path.name for path in (tmp_path / "none").iterdir()) == ["catalog.sqlite", "indexes", "writer.lock"]


def test_the_path_is_absolute_and_knows_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Library.open("~/mine", create=True) as library:
        assert library.path == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    with Library.open("mine") as library:
        assert library.path == tmp_path / "mine"


def test_a_folder_without_a_catalogue_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound):
        Library.open(tmp_path)


@pytest.mark.parametrize("content", [b"this is a letter to my aunt" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_catalogue_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(content)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path)
    assert (tmp_path / "catalog.sqlite").read_bytes() == content


def test_places_where_none_can_be_made_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "file", create=True)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "file" / "beneath", create=True)
    (tmp_path / "odd" / "catalog.sqlite").mkdir(parents=True)
    with pytest.raises(LibraryUnusable):
        Library.open(tmp_path / "odd")
    for place in (tmp_path / ("x" * 300), Path("~nobody-of-that-name/library")):
        with pytest.raises(LibraryUnusable):
            Library.open(place)


def test_a_lock_that_cannot_be_had_is_said_so(library: Library) -> None:
    (library.path / "writer.lock").unlink(missing_ok=True)
    (library.path / "writer.lock").mkdir()
    with pytest.raises(LibraryUnusable), library.writer_lock():
        pytest.fail("a folder was locked")


def test_a_catalogue_in_another_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with Library.open(tmp_path / "library", url=url) as library, library.write() as connection:
        bump(connection)
    assert not (tmp_path / "library" / "catalog.sqlite").exists()
    with Library.open(tmp_path / "library", url=url) as library:
        assert library.revision() == 1


def test_one_writer_at_a_time(library: Library) -> None:
    calls: list[str] = []
    held, let_go = threading.Event(), threading.Event()

    def first() -> None:
        with Library.open(library.path) as own, own.writer_lock():
            calls.append("first")
            held.set()
            let_go.wait()
            calls.append("first is done")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with library.writer_lock_if_free() as free:
        assert not free

    def waiting() -> None:
        calls.append("waiting")
        let_go.set()

    with library.writer_lock(waiting):
        calls.append("second")
    thread.join()
    assert calls == ["first", "waiting", "first is done", "second"]
    with library.writer_lock_if_free() as free:
        assert free


def test_threads_that_share_a_library_exclude_each_other_too(library: Library) -> None:
    with library.writer_lock():
        answers: list[bool] = []

        def other() -> None:
            with library.writer_lock_if_free() as free:
                answers.append(free)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert answers == [False]


def test_the_lock_ends_with_an_error_inside_it(library: Library) -> None:
    with pytest.raises(KeyError), library.writer_lock():
        raise KeyError
    with library.writer_lock_if_free() as free:
        assert free
