"""A library that was copied into another database is the same library, or there is none."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update

from core.errors import LibraryDamaged, MigrationFailed, TargetNotEmpty
from search import Searcher
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from store import Library
from store.backup.records import Judgement
from store.backup.restore_context import RestoreSettings
from store.backup.taking import take_snapshots
from store.catalog.bulk_copy import triggers_off
from store.catalog.tables import Content, Embedding, LibraryState, Tag, TextFrame
from store.check import verify
from store.jobs import add_job
from store.library_key import library_key
from store.migrate import copying, migrating
from store.migrate.carried_tables import carried_tables
from store.migrate.local_files import LocalFiles
from store.migrate.migrating import MigrationHooks, migrate, plan_migration, publish_indexes
from store.spaces.registry import active_space
from store.tags import Tagging, add_tags, tags_of
from tests.support.random_rows import fill_tables
from tests.support.writers import run_forget

pytestmark = pytest.mark.sqlite("copies its files, and looks into them")

MakeLibrary = Callable[[str], Library]


@pytest.fixture
def target(tmp_path: Path, empty_library: Path) -> Iterator[Library]:
    """An empty library."""
    shutil.copytree(empty_library, tmp_path / "target")
    with Library.open(tmp_path / "target") as opened:
        yield opened


def raw_rows(folder: Path) -> dict[str, list[Any]]:
    """Return all rows of a catalogue as SQLite has them, without any of Sightline's code."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        left_out = {"index_generations", "alembic_version"}
        kept = [name for name in names if name not in left_out and not name.startswith("text_index_")]
        return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for name in kept}


def triggers(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()


def test_copy_is_the_same_library(indexed: Library, target: Library, album: Path) -> None:
    ids = [hit.id for hit in Searcher(indexed).search("red")]
    add_tags(indexed, [Tagging(content, "people/Anna") for content in ids[:2]])
    with indexed.transaction() as connection:
        connection.execute(insert(TextFrame).values(content_id=ids[0], number=0, comparable="exit only"))
    expected = raw_rows(indexed.path)
    report = migrate(indexed, target)
    publish_indexes(target)
    assert raw_rows(target.path) == expected == raw_rows(indexed.path)
    assert triggers(target.path) == triggers(indexed.path)
    assert {table.name: table.rows for table in report.tables} == plan_migration(indexed)
    assert not report.source_was_changed
    assert verify(target) == []
    assert [hit.id for hit in Searcher(target).search("red")] == ids
    assert [tag.name for tag in tags_of(target, ids[:1])[ids[0]]] == ["people/Anna"]
    with target.read() as connection:
        found = connection.scalar(text("SELECT rowid FROM text_index WHERE text_index MATCH '\"xit\"'"))
        assert found is not None


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_random_libraries_are_equal_there_and_back(
    seed: int, tmp_path_factory: pytest.TempPathFactory, empty_library: Path
) -> None:
    folder = tmp_path_factory.mktemp("random")
    opened = []
    for name in ("first", "second", "third"):
        shutil.copytree(empty_library, folder / name)
        opened.append(Library.open(folder / name))
    first, second, third = opened
    fill(first, seed)
    migrate(first, second)
    migrate(second, third)
    expected = raw_rows(first.path)
    assert raw_rows(second.path) == expected
    assert raw_rows(third.path) == expected
    for library in opened:
        library.close()
    shutil.rmtree(folder)


def fill(library: Library, seed: int) -> None:
    """Write random rows into every table of an empty library, without what triggers would add."""
    with library.transaction() as connection, triggers_off(connection):
        connection.execute(delete(LibraryState))
        fill_tables(connection, carried_tables(), random.Random(seed), 12)
        connection.execute(delete(LibraryState))
        created = datetime(2026, 2, 3, 4, 5, 6, 789)  # noqa: DTZ001 (as the catalogue has it)
        connection.execute(insert(LibraryState).values(id=1, revision=7, created_at=created))


def test_ids_that_were_given_out_are_not_given_again(indexed: Library, target: Library, album: Path) -> None:
    """An old index file must not find a new picture under the ID of one that was forgotten."""
    with indexed.read() as connection:
        highest = max(connection.execute(select(Content.id)).scalars())
    run_forget(indexed, album)
    migrate(indexed, target)
    values = {"digest": bytes(32), "size": 1, "format": "PNG", "width": 1, "height": 1}
    with target.transaction() as connection:
        assert connection.execute(insert(Content).values(values).returning(Content.id)).scalar_one() == highest + 1


def test_triggers_work_in_the_copy(indexed: Library, target: Library) -> None:
    migrate(indexed, target)
    count = text("SELECT count(*), max(id) FROM vector_changes")
    with target.transaction() as connection:
        before = connection.execute(count).one()
        connection.execute(
            delete(Embedding).where(Embedding.content_id == select(Content.id).limit(1).scalar_subquery())
        )
        assert connection.execute(count).one() == (before[0] + 1, before[1] + 1)


def test_library_that_is_not_empty_is_refused_and_stays_as_it_is(indexed: Library, target: Library) -> None:
    with target.transaction() as connection:
        connection.execute(insert(Tag).values(key="rome", name="Rome"))
    before = raw_rows(target.path)
    with pytest.raises(TargetNotEmpty, match="is not an empty library"):
        migrate(indexed, target)
    assert raw_rows(target.path) == before


def test_library_is_not_copied_onto_itself(indexed: Library) -> None:
    before = raw_rows(indexed.path)
    with pytest.raises(TargetNotEmpty):
        migrate(indexed, indexed)
    assert raw_rows(indexed.path) == before


def test_value_that_changes_on_the_way_undoes_everything(
    indexed: Library, target: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit of one vector is enough."""
    empty = raw_rows(target.path)

    def damage(connection: Connection, ids: object) -> None:
        with triggers_off(connection):
            vector = connection.scalar(select(Embedding.vector).limit(1))
            assert vector is not None
            changed = bytes([vector[0] ^ 1]) + vector[1:]
            connection.execute(update(Embedding).where(Embedding.vector == vector).values(vector=changed))

    monkeypatch.setattr(migrating, "set_last_ids", damage)
    with pytest.raises(MigrationFailed, match=r"In the table embeddings, the row \(1, \d\) is not the same"):
        migrate(indexed, target)
    assert raw_rows(target.path) == empty
    assert triggers(target.path) == triggers(indexed.path)


@pytest.mark.parametrize("change", ["DELETE FROM tags WHERE id = 2", "INSERT INTO tags VALUES (9, 'z', 'z')"])
def test_missing_and_additional_rows_are_found(
    indexed: Library, target: Library, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with indexed.transaction() as connection:
        connection.execute(insert(Tag), [{"id": number, "key": str(number), "name": "x"} for number in (1, 2, 3)])
    monkeypatch.setattr(migrating, "set_last_ids", lambda connection, _ids: connection.execute(text(change)))
    with pytest.raises(MigrationFailed, match="In the table tags"):
        migrate(indexed, target)


def test_rows_that_refer_to_nothing_are_reported(indexed: Library, target: Library) -> None:
    """Such as those of a catalogue that another program edited."""
    with closing(sqlite3.connect(indexed.path / "catalog.sqlite")) as connection, connection:
        connection.execute("INSERT INTO embeddings VALUES (1, 999, x'00')")
    with pytest.raises(MigrationFailed, match="In the table embeddings, the rows cannot be written"):
        migrate(indexed, target)


def test_damage_is_reported_of_the_library_that_has_it(indexed: Library, target: Library) -> None:
    file = indexed.path / "catalog.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as damaged:
        damaged.seek((page - 1) * size)
        damaged.write(b"\xff" * size)
    with pytest.raises(LibraryDamaged) as caught:
        migrate(indexed, target)
    assert str(indexed.path) in str(caught.value)


def test_blocks_of_rows_are_put_together(indexed: Library, target: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BLOCK", 3)
    with indexed.transaction() as connection:
        connection.execute(insert(Tag), [{"key": str(number), "name": "x"} for number in range(10)])
    advanced: list[int] = []
    begun: list[int] = []
    report = migrate(indexed, target, MigrationHooks(begun.append, advanced.append))
    assert raw_rows(target.path) == raw_rows(indexed.path)
    assert begun == [sum(advanced)] == [2 * sum(table.rows for table in report.tables)]
    assert max(advanced) == 3


def test_changes_during_the_migration_are_left_out_and_reported(indexed: Library, target: Library) -> None:
    expected = raw_rows(indexed.path)

    def tag_once(_rows: int) -> None:
        with indexed.transaction() as connection:
            connection.execute(insert(Tag).values(key="late", name="Late"))

    report = migrate(indexed, target, MigrationHooks(begin=tag_once))
    assert report.source_was_changed
    assert raw_rows(target.path) == expected


def test_judgements_and_snapshots_come_along(indexed: Library, target: Library, album: Path) -> None:
    judged = Judgement("red", "red", str(album / "red.png").encode(), 1, None)
    merge_judgements(indexed, [judged], RestoreSettings())
    add_tags(indexed, [Tagging(1, "Rome")])
    take_snapshots(indexed, lambda: read_judgements(indexed))
    key = library_key(indexed)
    report = migrate(indexed, target)
    assert read_judgements(target) == read_judgements(indexed)
    assert library_key(target) == key
    for folder in ("judged", "snapshots"):
        names = [path.relative_to(indexed.path) for path in (indexed.path / folder).rglob("*") if path.is_file()]
        assert names
        assert all((target.path / name).read_bytes() == (indexed.path / name).read_bytes() for name in names)
    assert report.files > 2


def test_other_judgements_are_not_overwritten(indexed: Library, target: Library, album: Path) -> None:
    for library, grade in ((indexed, 1), (target, 2)):
        judged = Judgement("red", "red", str(album / "red.png").encode(), grade, None)
        merge_judgements(library, [judged], RestoreSettings())
    before = read_judgements(target)
    with pytest.raises(TargetNotEmpty, match="would be overwritten"):
        migrate(indexed, target)
    assert read_judgements(target) == before


def test_migration_killed_while_it_copied_files_can_be_repeated(
    indexed: Library, target: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judgement("red", "red", str(album / "red.png").encode(), 1, None)
    merge_judgements(indexed, [judged], RestoreSettings())
    original = migrating._copy_files

    def die(library: Library, files: LocalFiles) -> None:
        original(library, files)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(migrating, "_copy_files", die)
        with pytest.raises(KeyboardInterrupt):
            migrate(indexed, target)
    assert active_space(target) is None
    merge_judgements(indexed, [Judgement("red", "red", str(album / "blue.png").encode(), 0, None)], RestoreSettings())
    migrate(indexed, target)
    assert read_judgements(target) == read_judgements(indexed)
    assert not (target.path / "migrating").exists()


def test_jobs_are_carried_with_their_parameters(indexed: Library, target: Library) -> None:
    add_job(indexed, "index", {"folder": "/ä b", "n": [1, None]})
    migrate(indexed, target)
    with closing(sqlite3.connect(target.path / "catalog.sqlite")) as connection:
        parameters, summary = connection.execute("SELECT parameters, summary FROM jobs").fetchone()
    assert json.loads(parameters) == {"folder": "/ä b", "n": [1, None]}
    assert summary is None
