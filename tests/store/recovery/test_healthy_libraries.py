"""Libraries without a fault, in states that resemble one: they are neither refused nor recovered."""

import importlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import LibraryInUse, LibraryUnusable
from store import Library
from store.catalog.engine import is_damage
from store.catalog.sqlite_backend import SqliteBackend
from store.check import verify
from store.database_file import foreign_log
from store.database_file.foreign_log import has_foreign_log, is_in_use
from store.database_file.pages import Pages
from store.database_file.records import INDEX_LEAF
from store.recovery import recover
from tests.store.recovery.test_faults import CATALOG, RENAME, names, overwrite, page_numbers, with_log

pytestmark = pytest.mark.sqlite("recovers the pages of its file")

LOG = f"{CATALOG}-wal"


@pytest.fixture
def half_moved(damaged: Path) -> Path:
    """A library whose last process was killed while it moved the log into the catalogue."""
    with_log(damaged, *RENAME)
    with Pages(damaged / CATALOG, log=damaged / LOG) as pages:
        changed = sorted(pages.changed.items())
    for number, page in changed[: len(changed) // 2 + 1]:
        overwrite(damaged, number, page)
    return damaged


def test_a_log_that_was_moved_into_the_catalogue_in_part(half_moved: Path) -> None:
    with Library.open(half_moved) as library:
        assert verify(library) == []
    assert recover(half_moved) is None
    assert "New 40" in names(half_moved)


@pytest.mark.parametrize("order", [(CATALOG, LOG), (LOG, CATALOG)])
def test_a_copy_of_a_library_that_was_open(damaged: Path, tmp_path: Path, order: tuple[str, str]) -> None:
    with_log(damaged, *RENAME)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in order:
        shutil.copyfile(damaged / name, copy / name)
    with Library.open(copy):
        pass
    assert "New 40" in names(copy)


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_IOERR_READ, True),
        (sqlite3.SQLITE_IOERR_SHMSIZE, False),  # a full disk
        (sqlite3.SQLITE_IOERR_LOCK, False),  # a file system without locks
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_CANTOPEN, False),
    ],
)
def test_a_full_disk_and_refused_locks_are_no_damage(
    half_moved: Path, monkeypatch: pytest.MonkeyPatch, code: int, damage: bool
) -> None:
    """Otherwise a good log would be set aside: without it, SQLite needs neither space nor locks."""
    error = sqlite3.OperationalError("simulated")
    error.sqlite_errorcode = code
    assert is_damage(error) is damage
    connect = sqlite3.connect

    def failing(uri: str, **options: bool) -> sqlite3.Connection:
        if "immutable" not in uri:
            raise error
        return connect(":memory:")

    monkeypatch.setattr(sqlite3, "connect", failing)
    if not damage:
        assert not has_foreign_log(half_moved / CATALOG)


def test_a_catalogue_that_changes_while_its_log_is_judged(half_moved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has opened it in the meantime, so that the pages that were read belong to different states."""

    def judge(file: Path, _log: Path) -> bool:
        file.touch()
        return True

    monkeypatch.setattr(foreign_log, "_is_foreign", judge)
    assert not has_foreign_log(half_moved / CATALOG)


def test_a_library_that_is_opened_through_a_symbolic_link_too_keeps_its_locks(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing a file releases all locks of the process on it."""
    link = tmp_path / "link"
    link.symlink_to(damaged)
    judged = list[Path]()
    monkeypatch.setattr(foreign_log, "has_foreign_log", judged.append)
    with Library.open(damaged) as library:
        with library.transaction() as connection:
            connection.exec_driver_sql("UPDATE tags SET name = 'New' WHERE id = 1")
        assert (damaged / LOG).stat().st_size
        with closing(SqliteBackend(link)) as other, other.alone() as is_alone:
            assert not is_alone
        Library.open(link).close()
    assert judged == []


def test_no_library_is_opened_while_a_log_is_judged(damaged: Path) -> None:
    opened = threading.Event()

    def open_it() -> None:
        with Library.open(damaged):
            opened.set()

    thread = threading.Thread(target=open_it)
    with closing(SqliteBackend(damaged)) as backend:
        with backend.alone() as is_alone:
            assert is_alone
            thread.start()
            assert not opened.wait(0.2)
        assert opened.wait(60)
        thread.join()


def test_a_catalogue_that_another_process_opens_during_a_repair_is_not_replaced(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, open_elsewhere: Callable[[Path], None]
) -> None:
    """What that process writes would be lost."""
    overwrite(damaged, page_numbers(damaged, "embeddings", INDEX_LEAF)[0])
    module = importlib.import_module("store.recovery.recover")  # not the function of this name
    fill = module._fill

    def fill_while_opened(*args: object) -> None:
        fill(*args)
        open_elsewhere(damaged / CATALOG)

    monkeypatch.setattr(module, "_fill", fill_while_opened)
    with pytest.raises(LibraryInUse):
        recover(damaged)
    assert is_in_use(damaged / CATALOG)
    assert not list(damaged.glob("damaged-*"))
    assert not list(damaged.glob("*recovered*"))


@pytest.mark.parametrize("has_hard_links", [True, False])
@pytest.mark.parametrize("is_killed", [True, False])
def test_no_log_is_lost_if_the_catalogue_is_not_replaced(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool, is_killed: bool
) -> None:
    class Killed(BaseException):
        pass

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def kill(*_: object) -> None:
        raise Killed

    with_log(damaged, *RENAME)
    overwrite(damaged, page_numbers(damaged, "embeddings", INDEX_LEAF)[0])
    log = (damaged / LOG).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", kill if is_killed else refuse)
        if not has_hard_links:
            patch.setattr(os, "link", refuse)
        with pytest.raises(Killed if is_killed else LibraryUnusable, match=None if is_killed else "No space left"):
            recover(damaged)
    if not is_killed:
        assert (damaged / LOG).read_bytes() == log
    for folder in damaged.glob("damaged-*"):
        folder.rename(damaged / "damaged-20200101-000000")
    assert recover(damaged) is not None
    assert "New 40" in names(damaged)
