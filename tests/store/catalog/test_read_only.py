"""Libraries that may not be written to. `os.access` is replaced, because root may write everywhere."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import LibraryBusy, LibraryReadOnly, LibraryUnusable
from store import Library
from store.catalog.engine import make_engine
from store.catalog.schema import upgrade
from store.change_counter import ChangeCounter

pytestmark = pytest.mark.sqlite("permissions of its file and its folder")

CATALOG = "catalog.sqlite"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The folder of a library with one tag."""
    with Library.open(tmp_path / "library", create=True) as library, library.transaction() as connection:
        connection.execute(text("INSERT INTO tags (key, name) VALUES ('a', 'A')"))
    return tmp_path / "library"


def refuse_writing(patch: pytest.MonkeyPatch, *refused: Path) -> None:
    may_write = os.access

    def access(path: Path, mode: int) -> bool:
        return not (mode == os.W_OK and Path(path) in refused) and may_write(path, mode)

    patch.setattr(os, "access", access)


def tags(library: Library) -> list[str]:
    with library.read() as connection:
        return [name for (name,) in connection.execute(text("SELECT name FROM tags ORDER BY id"))]


def add_tag_as_owner(path: Path, name: str, *, stays_open: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path / CATALOG)
    connection.execute("INSERT INTO tags (key, name) VALUES (?, ?)", (name, name))
    connection.commit()
    if not stays_open:
        connection.close()
    return connection


@pytest.mark.parametrize("name", ["folder", "catalogue"])
def test_the_library_is_read_without_writing_anything(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    refuse_writing(monkeypatch, path if name == "folder" else path / CATALOG)
    before = sorted(path.rglob("*"))
    with Library.open(path) as library:
        assert tags(library) == ["A"]
        assert library.read_only == f"you may not write to its {name}"
        with pytest.raises(LibraryReadOnly, match=f"cannot be changed: you may not write to its {name}"):
            library.exclusive().__enter__()
        with pytest.raises(LibraryReadOnly), library.transaction():
            pass
    assert sorted(path.rglob("*")) == before


def test_a_read_only_disk_is_named(path: Path) -> None:
    """With a real read-only mount, where the system allows one."""
    if os.geteuid() != 0 or subprocess.run(["mount", "--bind", path, path], check=False).returncode:
        pytest.skip("this system does not let us mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
        with Library.open(path) as library:
            assert library.read_only == "its disk is read-only"
            assert tags(library) == ["A"]
            with pytest.raises(LibraryReadOnly), library.transaction():
                pass
    finally:
        subprocess.run(["umount", path], check=True)


def test_changes_of_the_owner_are_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_writing(monkeypatch, path)
    with Library.open(path) as library, closing(ChangeCounter(library)) as counter:
        first = counter.value()
        assert counter.value() == first
        add_tag_as_owner(path, "B")
        assert tags(library) == ["A", "B"]
        second = counter.value()
        assert second != first
        with closing(add_tag_as_owner(path, "C", stays_open=True)):  # in the log only
            assert tags(library) == ["A", "B", "C"]
            assert counter.value() not in (first, second)


def test_a_catalogue_that_changes_while_it_is_read_is_not_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the files that readers and writers share, a reader cannot hold the owner back."""
    refuse_writing(monkeypatch, path)
    with Library.open(path) as library, pytest.raises(LibraryBusy), library.read():
        add_tag_as_owner(path, "B")


def test_a_log_that_cannot_be_read_is_not_left_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_writing(monkeypatch, path)
    (path / f"{CATALOG}-wal").write_bytes(b"changes")
    with pytest.raises(LibraryUnusable, match="write-ahead log that cannot be read"):
        Library.open(path)


def test_an_empty_log_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a library that was open may have one, without the file that is needed to read it."""
    refuse_writing(monkeypatch, path)
    (path / f"{CATALOG}-wal").touch()
    with Library.open(path) as library:
        assert tags(library) == ["A"]
        with pytest.raises(LibraryBusy), library.read():
            add_tag_as_owner(path, "B")


def test_an_older_schema_is_not_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old"
    path.mkdir()
    engine = make_engine(path / CATALOG)
    upgrade(engine, path, "0009")
    engine.dispose()
    refuse_writing(monkeypatch, path)
    with pytest.raises(LibraryReadOnly, match="has to be upgraded for this version"):
        Library.open(path)
