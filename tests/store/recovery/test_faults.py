"""Faults of the catalogue and of the files beside it: each ends in the right rows, or in a statement of what is gone.

docs/recovery.md has this table for people.
"""

import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import LibraryDamaged, LibraryInUse, LibraryNotFound
from store import Library
from store.check import repair, verify
from store.database_file.pages import Pages
from store.database_file.records import INDEX_INTERIOR, INDEX_LEAF, TABLE_INTERIOR, TABLE_LEAF
from store.database_file.salvage import Salvage, read_shapes, stored_schema
from store.recovery import Recovery, describe, recover
from tests.store.recovery.conftest import COUNT, SAID, TABLES, rows_of

pytestmark = pytest.mark.sqlite("recovers the pages of its file")

PAGE = 8192
CATALOG = "catalog.sqlite"


def repaired(path: Path) -> Recovery:
    """Recover and repair a library as the command does; it must have no faults then, except pictures to index again."""
    recovery = recover(path)
    assert recovery is not None
    with Library.open(path) as library:
        repair(library, keep_contents=True)
        assert {fault.kind for fault in verify(library)} <= {"unembedded"}
    return recovery


def page_numbers(path: Path, table: str, kind: int) -> list[int]:
    """Return the numbers of the pages of one kind that belong to a table, or to its indexes."""
    with Pages(path / CATALOG) as pages:
        shape = read_shapes(stored_schema(pages))[table]
        is_index = kind in (INDEX_INTERIOR, INDEX_LEAF)
        roots = [root for _, root in shape.indexes] if is_index else [shape.root or 0]
        both = (INDEX_INTERIOR, INDEX_LEAF) if is_index else (TABLE_INTERIOR, TABLE_LEAF)
        found = (page for root in roots for page in Salvage(pages, {}).walk(root, *both, Counter(), table))
        return [page.number for page in found if page.kind == kind]


def overwrite(path: Path, number: int, content: bytes = bytes(PAGE)) -> None:
    """Overwrite the beginning of a page."""
    with (path / CATALOG).open("rb+") as file:
        file.seek((number - 1) * PAGE)
        file.write(content)


def assert_damage_is_reported(path: Path) -> None:
    """Opening or verifying the library must say that it is damaged."""
    try:
        with Library.open(path) as library:
            assert {fault.kind for fault in verify(library)} == {"catalogue"}
    except LibraryDamaged:
        pass


@pytest.mark.parametrize("table", ["contents", "pictures", "album_contents", "distinct_pairs"])
def test_a_lost_interior_page_costs_nothing(whole: Path, damaged: Path, table: str) -> None:
    (number,) = page_numbers(whole, table, TABLE_INTERIOR)
    overwrite(damaged, number)
    assert_damage_is_reported(damaged)
    repaired(damaged)
    assert rows_of(damaged) == rows_of(whole)


@pytest.mark.parametrize("table", ["contents", "album_contents"])
@pytest.mark.parametrize("kind", [INDEX_INTERIOR, INDEX_LEAF])
def test_a_lost_index_page_costs_nothing(whole: Path, damaged: Path, table: str, kind: int) -> None:
    overwrite(damaged, page_numbers(whole, table, kind)[-1])
    assert_damage_is_reported(damaged)
    repaired(damaged)
    assert rows_of(damaged) == rows_of(whole)


def test_a_lost_first_page_costs_nothing(whole: Path, damaged: Path) -> None:
    overwrite(damaged, 1)
    assert_damage_is_reported(damaged)
    repaired(damaged)
    assert rows_of(damaged) == rows_of(whole)


@pytest.mark.parametrize("table", ["embeddings", "content_tags", "album_contents"])
def test_a_lost_leaf_page_costs_nothing_if_its_rows_are_elsewhere(whole: Path, damaged: Path, table: str) -> None:
    overwrite(damaged, page_numbers(whole, table, TABLE_LEAF)[-1])
    assert_damage_is_reported(damaged)
    repaired(damaged)
    assert rows_of(damaged) == rows_of(whole)


@pytest.mark.parametrize("table", ["contents", "pictures", "albums"])
def test_what_identifies_a_row_is_restored_from_indexes(whole: Path, damaged: Path, table: str) -> None:
    overwrite(damaged, page_numbers(whole, table, TABLE_LEAF)[-1])
    recovery = repaired(damaged)
    before, after = rows_of(whole), rows_of(damaged)
    assert {row[0] for row in after[table]} == {row[0] for row in before[table]}
    assert {name: after[name] for name in TABLES if name != table} == {
        name: before[name] for name in TABLES if name != table
    }
    assert any("restored in part" in line for line in describe(recovery))


@pytest.mark.parametrize(("table", "statement"), [("likenesses", "gone: "), ("text_readings", "is not known")])
def test_rows_that_are_gone_are_reported(whole: Path, damaged: Path, table: str, statement: str) -> None:
    overwrite(damaged, page_numbers(whole, table, TABLE_LEAF)[0])
    recovery = repaired(damaged)
    assert rows_of(damaged)[table] < rows_of(whole)[table]
    assert any(statement in line for line in describe(recovery))


@pytest.mark.parametrize("table", ["vector_changes", "content_blocks", "kept_counts"])
def test_lost_records_that_follow_from_others_are_no_loss(whole: Path, damaged: Path, table: str) -> None:
    with closing(sqlite3.connect(f"file:{whole / CATALOG}?mode=ro", uri=True)) as connection:
        find = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (number,) = connection.execute(find, (table,)).fetchone()
    overwrite(damaged, number)
    assert_damage_is_reported(damaged)
    lines = describe(repaired(damaged))
    assert rows_of(damaged) == rows_of(whole)
    assert not any(table in line or "gone" in line or "not known" in line for line in lines)


def test_texts_that_are_gone_are_read_again(whole: Path, damaged: Path) -> None:
    overwrite(damaged, page_numbers(whole, "text_lines", TABLE_LEAF)[0])
    repaired(damaged)
    rows = rows_of(damaged)
    assert 0 < len(rows["text_frames"]) < COUNT
    assert {content for content, *_ in rows["text_readings"]} == {content for _, content, *_ in rows["text_frames"]}


def test_tags_with_restored_names_can_be_searched(whole: Path, damaged: Path) -> None:
    overwrite(damaged, page_numbers(whole, "tags", TABLE_LEAF)[0])
    repaired(damaged)
    before, after = rows_of(whole), rows_of(damaged)
    assert {(number, key) for number, key, _ in after["tags"]} == {(number, key) for number, key, _ in before["tags"]}


def test_any_flipped_bit_is_harmless_or_reported(whole: Path, damaged: Path) -> None:
    """One bit of the header and of the first cell of a page of each kind of page."""
    before = rows_of(whole)
    intact = (whole / CATALOG).read_bytes()
    kinds = {
        "contents": TABLE_LEAF,
        "pictures": TABLE_INTERIOR,
        "content_tags": INDEX_LEAF,
        "embeddings": INDEX_INTERIOR,
    }
    for table, kind in kinds.items():
        start = (page_numbers(whole, table, kind)[0] - 1) * PAGE
        for offset in (0, 4, 12):
            content = bytearray(intact)
            content[start + offset] ^= 0x10
            shutil.rmtree(damaged)
            shutil.copytree(whole, damaged)
            (damaged / CATALOG).write_bytes(content)
            recovery = recover(damaged)
            after = rows_of(damaged)
            if after != before:
                assert recovery is not None
                assert any("restored in part" in line or "gone" in line for line in describe(recovery))
            for table_of_people in SAID:
                assert after[table_of_people] == before[table_of_people]


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_truncated_file_keeps_what_is_left(whole: Path, damaged: Path, share: float) -> None:
    os.truncate(damaged / CATALOG, int((whole / CATALOG).stat().st_size * share))
    assert_damage_is_reported(damaged)
    recovery = repaired(damaged)
    before, after = rows_of(whole), rows_of(damaged)
    assert any("gone: at least" in line for line in describe(recovery))
    for table in SAID:
        assert after[table] <= before[table]


@pytest.mark.parametrize("content", [b"", bytes(40 * PAGE), b"no database" * 1000], ids=["empty", "zeros", "foreign"])
def test_a_file_without_a_database_is_reported_and_replaced(damaged: Path, content: bytes) -> None:
    (damaged / CATALOG).write_bytes(content)
    assert_damage_is_reported(damaged)
    recovery = repaired(damaged)
    assert (recovery.damaged_files / CATALOG).read_bytes() == content
    assert not any(rows_of(damaged).values())
    assert "saved in a new catalogue: nothing" in describe(recovery)


def test_an_empty_file_without_anything_else_is_a_new_library(tmp_path: Path) -> None:
    """Another process may be creating it."""
    (tmp_path / CATALOG).touch()
    with Library.open(tmp_path) as library:
        assert verify(library) == []


def test_pages_that_the_disk_does_not_return_are_left_out(
    whole: Path, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading is replaced: a failing disk cannot be simulated otherwise without a device of its own."""
    number = page_numbers(whole, "distinct_pairs", TABLE_LEAF)[0]
    read = os.pread

    def failing(descriptor: int, length: int, offset: int) -> bytes:
        if offset == (number - 1) * PAGE:
            raise OSError(5, "Input/output error")
        return read(descriptor, length, offset)

    overwrite(damaged, number)  # so that SQLite finds damage, too
    monkeypatch.setattr(os, "pread", failing)
    recovery = repaired(damaged)
    monkeypatch.undo()
    assert recovery.unreadable_pages == 1
    assert any("did not return 1 pages" in line for line in describe(recovery))
    assert rows_of(damaged) == rows_of(whole)


def test_an_intact_library_is_left_alone(whole: Path) -> None:
    before = (whole / CATALOG).read_bytes()
    assert recover(whole) is None
    assert (whole / CATALOG).read_bytes() == before


def test_a_missing_library_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound):
        recover(tmp_path)


# The write-ahead log.


def with_log(path: Path, *statements: str) -> None:
    """Run statements and leave their changes in the log, as a crash does."""
    kept = path / "kept"
    kept.mkdir()
    with closing(sqlite3.connect(path / CATALOG, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        for suffix in ("", "-wal"):
            shutil.copy(path / (CATALOG + suffix), kept)
    for suffix in ("", "-wal"):
        shutil.copy(kept / (CATALOG + suffix), path)
    shutil.rmtree(kept)


RENAME = [f"UPDATE tags SET name = 'New {i}' WHERE id = {i}" for i in range(1, 41)]


def names(path: Path) -> set[str]:
    return {name for _, _, name in rows_of(path)["tags"]}


def test_changes_in_the_log_are_saved_too(whole: Path, damaged: Path) -> None:
    with_log(damaged, *RENAME)
    overwrite(damaged, page_numbers(whole, "embeddings", TABLE_LEAF)[0])
    repaired(damaged)
    assert "New 40" in names(damaged)
    assert rows_of(damaged)["embeddings"] == rows_of(whole)["embeddings"]


def test_a_truncated_log_ends_with_its_last_whole_transaction(damaged: Path) -> None:
    with_log(damaged, *RENAME)
    log = damaged / f"{CATALOG}-wal"
    os.truncate(log, log.stat().st_size - 100)
    assert recover(damaged) is None
    assert "New 39" in names(damaged)
    assert "New 40" not in names(damaged)


def test_a_missing_log_leaves_the_last_checkpoint(whole: Path, damaged: Path) -> None:
    with_log(damaged, *RENAME)
    (damaged / f"{CATALOG}-wal").unlink()
    assert recover(damaged) is None
    assert rows_of(damaged) == rows_of(whole)


def test_a_foreign_index_of_the_log_is_ignored(whole: Path, damaged: Path) -> None:
    (damaged / f"{CATALOG}-shm").write_bytes(os.urandom(32_768))
    assert recover(damaged) is None
    assert rows_of(damaged) == rows_of(whole)


def test_the_log_of_another_library_is_found_before_it_is_applied(whole: Path, damaged: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "other", create=True):
        pass
    with_log(tmp_path / "other", "UPDATE library SET revision = 77", "INSERT INTO tags VALUES (1, 'x', 'X')")
    shutil.copy(tmp_path / "other" / f"{CATALOG}-wal", damaged)
    with pytest.raises(LibraryDamaged, match="log belongs to another catalogue"):
        Library.open(damaged)
    recovery = repaired(damaged)
    assert recovery.ignored_log
    assert rows_of(damaged) == rows_of(whole)


def test_a_catalogue_from_a_backup_beside_a_newer_log_is_found(whole: Path, damaged: Path) -> None:
    """Only the database was restored, and the log of the newer state was left beside it."""
    with closing(sqlite3.connect(damaged / CATALOG)) as connection:
        connection.execute("DELETE FROM content_tags WHERE content_id % 2")
        connection.execute("DELETE FROM pictures WHERE id > 500")
        connection.commit()
        connection.execute("VACUUM")  # the pages of the newer state are elsewhere
    with_log(damaged, *RENAME)
    shutil.copy(whole / CATALOG, damaged / CATALOG)
    os.utime(damaged / CATALOG, (1, 1))  # the times of files say nothing
    with pytest.raises(LibraryDamaged, match="log belongs to another catalogue"):
        Library.open(damaged)
    assert repaired(damaged).ignored_log
    assert rows_of(damaged) == rows_of(whole)


def test_a_log_that_was_being_moved_into_the_catalogue_is_none_of_these(damaged: Path) -> None:
    """A process was killed during a checkpoint: the catalogue is newer than the log, and both are needed."""
    with_log(damaged, *RENAME)
    log = damaged / f"{CATALOG}-wal"
    log.touch()
    (damaged / CATALOG).touch()
    with Library.open(damaged) as library:
        assert verify(library) == []
    assert "New 40" in names(damaged)


# Index files.


def test_swapped_index_files_are_built_again(whole: Path, damaged: Path) -> None:
    (file,) = (damaged / "indexes").iterdir()
    file.write_bytes(b"the index of another space")
    with Library.open(damaged) as library:
        assert [fault.kind for fault in verify(library)] == ["index"]
        assert any("rebuilt the index" in step for step in repair(library))
        assert verify(library) == []
    assert rows_of(damaged) == rows_of(whole)


def test_newer_index_files_beside_a_catalogue_from_a_backup_are_not_used(whole: Path, damaged: Path) -> None:
    with Library.open(damaged) as library:
        with library.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM embeddings WHERE content_id > 10")
            connection.exec_driver_sql("UPDATE library SET revision = revision + 1")
            connection.exec_driver_sql("UPDATE spaces SET revision = (SELECT revision FROM library)")
        repair(library)
    shutil.copy(whole / CATALOG, damaged / CATALOG)
    with Library.open(damaged) as library:
        assert [fault.kind for fault in verify(library)] == ["index"]  # the file of the backup is gone
        repair(library)
        assert verify(library) == []
    assert rows_of(damaged) == rows_of(whole)


# Replacing the files.


def test_the_damaged_files_are_kept(whole: Path, damaged: Path) -> None:
    with_log(damaged, *RENAME)
    overwrite(damaged, page_numbers(whole, "embeddings", TABLE_LEAF)[0])
    files = {name: (damaged / name).read_bytes() for name in (CATALOG, f"{CATALOG}-wal")}
    folder = repaired(damaged).damaged_files
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".sqlite-shm"} == files


@pytest.mark.parametrize("fails_at", ["folder", "log", "catalogue"])
def test_a_recovery_that_is_stopped_can_be_repeated(
    whole: Path, damaged: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with_log(damaged, *RENAME)
    overwrite(damaged, page_numbers(whole, "embeddings", TABLE_LEAF)[0])
    with monkeypatch.context() as patch:
        if fails_at == "folder":
            patch.setattr(os, "link", killed)
        else:
            patch.setattr(Path, "rename" if fails_at == "log" else "replace", killed)
        with pytest.raises(Killed):
            recover(damaged)
    for folder in damaged.glob("damaged-*"):
        folder.rename(damaged / "damaged-20200101-000000")
    repaired(damaged)
    assert "New 40" in names(damaged)
    assert rows_of(damaged)["embeddings"] == rows_of(whole)["embeddings"]


def test_a_catalogue_in_use_is_not_replaced(whole: Path, damaged: Path, open_elsewhere: Callable[[Path], None]) -> None:
    overwrite(damaged, page_numbers(whole, "embeddings", INDEX_LEAF)[0])
    open_elsewhere(damaged / CATALOG)
    with pytest.raises(LibraryInUse):
        recover(damaged)
    assert not list(damaged.glob("damaged-*"))


def test_a_catalogue_open_in_this_process_is_not_replaced(whole: Path, damaged: Path) -> None:
    overwrite(damaged, page_numbers(whole, "embeddings", INDEX_LEAF)[0])
    with Library.open(damaged), pytest.raises(LibraryInUse):
        recover(damaged)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs the program sqlite3")
@pytest.mark.parametrize("number", range(2))
def test_no_row_is_lost_that_the_program_of_sqlite_recovers(
    whole: Path, damaged: Path, tmp_path: Path, number: int
) -> None:
    for page in range(2 + number, (whole / CATALOG).stat().st_size // PAGE, 11):
        overwrite(damaged, page)
    done = subprocess.run(["sqlite3", damaged / CATALOG, ".recover"], capture_output=True, text=True, check=False)
    with closing(sqlite3.connect(tmp_path / "theirs")) as theirs:
        theirs.executescript(done.stdout.replace("PRAGMA writable_schema = on;", ""))
        known = {name for (name,) in theirs.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        recovered = {name: set(theirs.execute(f"SELECT * FROM {name}")) for name in TABLES if name in known}
    repaired(damaged)
    before, after = rows_of(whole), rows_of(damaged)
    for table, rows in recovered.items():
        if table in ("contents", "albums", "tags", "roots"):
            assert rows & before[table] <= after[table], table


def test_what_was_written_into_sidecars_is_forgotten(damaged: Path) -> None:
    """Tags may be lost with the catalogue. They must not be taken for tags that people have removed."""
    with closing(sqlite3.connect(damaged / CATALOG)) as catalog, catalog:
        catalog.execute("INSERT INTO written_sidecars VALUES (1, x'61', x'00', '{}')")
    (number,) = page_numbers(damaged, "contents", TABLE_INTERIOR)
    overwrite(damaged, number)
    repaired(damaged)
    with closing(sqlite3.connect(damaged / CATALOG)) as catalog:
        assert catalog.execute("SELECT count(*) FROM written_sidecars").fetchone() == (0,)
        assert catalog.execute("SELECT count(*) FROM content_tags").fetchone() != (0,)
