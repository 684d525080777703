"""The schema, its migrations, and databases that cannot be opened."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from core.errors import LibraryTooNew, LibraryUnusable
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.catalog import schema
from store.catalog.engine import make_engine
from store.catalog.path_keys import path_columns
from store.catalog.tables import Base, LibraryState, Picture
from store.catalog.transactions import reading
from store.check import verify
from store.spaces import index_cache
from store.spaces.registry import named_space

pytestmark = pytest.mark.sqlite("its migrations")

NEXT = '''"""A migration of this test."""

import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    {then}
'''


def is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the full-text index, a virtual table, which SQLite stores in tables of its own."""
    return kind != "table" or not str(name).startswith("text_index")


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Connection]:
    """A catalogue made by all migrations."""
    engine = make_engine(tmp_path / "migrated.sqlite")
    schema.upgrade(engine, tmp_path)
    with engine.connect() as connection, reading(connection):
        yield connection
    engine.dispose()


def test_migrations_create_the_declared_tables(migrated: Connection) -> None:
    opts = {"compare_type": True, "compare_server_default": True, "include_name": is_declared}
    context = MigrationContext.configure(migrated, opts=opts)
    assert compare_metadata(context, Base.metadata) == []


def test_migrations_create_the_declared_constraints_and_indexes(migrated: Connection, library: Library) -> None:
    """What `compare_metadata` does not compare: names of keys, cascades, and SQLite's AUTOINCREMENT."""
    with library.read() as connection:
        direct, upgraded = inspect(connection), inspect(migrated)
        for table in Base.metadata.tables:
            assert upgraded.get_pk_constraint(table) == direct.get_pk_constraint(table)
            assert _comparable(upgraded.get_indexes(table)) == _comparable(direct.get_indexes(table))
            by_name = [
                sorted(found.get_foreign_keys(table), key=lambda key: str(key["name"])) for found in (upgraded, direct)
            ]
            assert by_name[0] == by_name[1]
            assert upgraded.get_unique_constraints(table) == direct.get_unique_constraints(table)
        sql = migrated.execute(text("SELECT sql FROM sqlite_master WHERE name = 'contents'")).scalar_one()
    assert "AUTOINCREMENT" in sql


def _comparable(indexes: list[ReflectedIndex]) -> list[dict[str, object]]:
    """With the conditions of partial indexes as texts."""
    texts = {"sqlite_where": str}
    return [
        {
            **index,
            "dialect_options": {name: texts.get(name, repr)(each) for name, each in index["dialect_options"].items()},
        }
        for index in indexes
    ]


def test_a_new_library_is_as_migrations_would_make_it(migrated: Connection, library: Library) -> None:
    """The same tables, indexes and triggers; those that are not declared word by word."""
    names = text("SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")
    statements = text(
        "SELECT name, replace(replace(replace(sql, char(10), ''), char(9), ''), ' ', '') FROM sqlite_master "
        "WHERE name LIKE 'text_index%' OR name = 'alembic_version' OR type = 'trigger' ORDER BY name"
    )
    version = text("SELECT version_num FROM alembic_version")
    with library.read() as connection:
        for query in (names, statements, version):
            assert connection.execute(query).all() == migrated.execute(query).all()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def downgrade(library: Library, revision: str) -> list[str]:
    """Make a library one of an older version, close it, and return its tables."""
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with library.transaction() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        tables = inspect(connection).get_table_names()
    library.close()
    return tables


def test_downgrade_and_upgrade(library: Library) -> None:
    assert downgrade(library, "base") == ["alembic_version"]
    with Library.open(library.path) as reopened:
        assert reopened.revision() == 0


def stamp(library: Library, revision: str) -> None:
    with library.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    library.close()


@pytest.mark.parametrize("revision", ["9999", "0000beef"])
def test_an_unknown_schema_is_rejected(library: Library, revision: str) -> None:
    """Even one that sorts before the current one: revisions need not be numbered in order."""
    stamp(library, revision)
    with pytest.raises(LibraryTooNew) as caught:
        Library.open(library.path)
    assert caught.value.revision == revision


def test_a_foreign_database_is_rejected_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = tmp_path / "other" / "catalog.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER)")
    connection.close()
    with pytest.raises(LibraryUnusable, match="other tables"):
        Library.open(tmp_path / "other")
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert tables == [("recipes",)]


def later_version(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "") -> None:
    """Add a migration to the current ones."""
    shutil.copytree(schema.MIGRATIONS, folder / "migrations")
    (folder / "migrations" / "versions" / "9000_next.py").write_text(NEXT.format(head=schema.HEAD, then=then))
    monkeypatch.setattr(schema, "MIGRATIONS", folder / "migrations")
    monkeypatch.setattr(schema, "HEAD", "9000")


def test_an_older_library_is_upgraded(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with library.transaction() as connection:
        connection.execute(text("UPDATE library SET revision = 41"))
    library.close()
    later_version(tmp_path / "100% new", monkeypatch)  # `%` is special in Alembic's configuration
    with Library.open(library.path) as opened, opened.read() as connection:
        assert "later" in inspect(connection).get_table_names()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9000"
        assert opened.revision() == 41


def test_a_failing_migration_is_rolled_back(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.close()
    later_version(tmp_path / "new", monkeypatch, then="raise RuntimeError('out of luck')")
    with pytest.raises(RuntimeError, match="out of luck"):
        Library.open(library.path)
    monkeypatch.undo()
    with Library.open(library.path) as opened, opened.read() as connection:
        assert "later" not in inspect(connection).get_table_names()


def test_a_library_without_its_state_row_is_completed(library: Library) -> None:
    with library.transaction() as connection:
        connection.execute(LibraryState.__table__.delete())  # type: ignore[attr-defined]
    library.close()
    with Library.open(library.path) as opened, opened.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM library")).scalar_one() == 1


def catalogue_0002(path: Path) -> None:
    """Create a catalogue with two spaces, the first with a current index file, and a picture with a bad vector."""
    path.parent.mkdir()
    engine = make_engine(path)
    schema.upgrade(engine, path, "0002")
    space = "INSERT INTO spaces (id, fingerprint, model, weights, dim, preprocessing, dtype, created_at) VALUES "
    file = "INSERT INTO index_generations VALUES "
    with engine.begin() as connection:
        for statement in (
            space + "(1, 'aa', 'mini', 'w', 4, '{}', 'float16', '2026-01-01')",
            space + "(2, 'bb', 'other', 'w', 4, '{}', 'float16', '2026-01-01')",
            "INSERT INTO library VALUES (1, 41, 1, '2026-01-01')",
            file + "(1, 3, 41, 'aa.faiss', 0, x'00', '2026-01-01')",
            file + "(2, 1, 40, 'bb.faiss', 0, x'00', '2026-01-01')",
            "INSERT INTO roots VALUES (1, x'2f70', '2026-01-01', 'folder')",
            "INSERT INTO pictures VALUES (1, 1, x'61', 1, 1, NULL, 'failed'), (2, 1, x'62', 1, 1, NULL, 'failed')",
            "INSERT INTO failures VALUES (1, 'bad-vector', 'NaN', 0, 1, '2026-01-01')",
            "INSERT INTO failures VALUES (2, 'undecodable', 'no picture', 0, 1, '2026-01-01')",
        ):
            connection.execute(text(statement))
    engine.dispose()


def require_0003(folder: Path) -> None:
    """Check the upgraded catalogue of `catalogue_0002`."""
    with Library.open(folder) as opened, opened.read() as connection:
        assert opened.revision() == 41
        spaces = connection.execute(text("SELECT id, revision, filling_since FROM spaces ORDER BY id")).all()
        assert spaces == [(1, 41, None), (2, 41, None)]
        files = connection.execute(text("SELECT space_id, revision FROM index_generations ORDER BY space_id")).all()
        assert files == [(1, 41), (2, 40)]  # the first file is current, the second is outdated, as before
        again = connection.execute(text("SELECT reason FROM failures WHERE transient")).scalars().all()
        assert again == ["bad-vector", "undecodable"]  # the next run reads them again; 0007 adds the second
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_upgrading_to_0003_keeps_index_files_current(tmp_path: Path) -> None:
    catalogue_0002(tmp_path / "old" / "catalog.sqlite")
    require_0003(tmp_path / "old")


@pytest.mark.parametrize("step", ["add_column", "create_table", "create_index", "execute"])
def test_a_killed_migration_is_run_again(tmp_path: Path, step: str) -> None:
    catalogue_0002(tmp_path / "old" / "catalog.sqlite")
    child = f"""
import os, sys
from alembic import op
run = op.{step}
def killed(*args, **kwargs):
    run(*args, **kwargs)
    os.kill(os.getpid(), {signal.SIGKILL:d})
op.{step} = killed
from store import Library
Library.open(sys.argv[1])
"""
    done = subprocess.run([sys.executable, "-c", child, str(tmp_path / "old")], check=False)
    assert done.returncode == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "old" / "catalog.sqlite") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
    connection.close()
    require_0003(tmp_path / "old")


def test_upgrading_to_0002_makes_roots_folders(tmp_path: Path) -> None:
    path = tmp_path / "old" / "catalog.sqlite"
    path.parent.mkdir()
    engine = make_engine(path)
    schema.upgrade(engine, path, "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO roots (path, added_at) VALUES (x'2f70', '2026-01-01')"))
    engine.dispose()
    with Library.open(path.parent) as opened, opened.read() as connection:
        assert connection.execute(text("SELECT path, kind FROM roots")).all() == [(b"/p", "folder")]


def test_upgrading_to_0004_keeps_metadata_and_marks_it_outdated(tmp_path: Path) -> None:
    path = tmp_path / "old" / "catalog.sqlite"
    path.parent.mkdir()
    engine = make_engine(path)
    schema.upgrade(engine, path, "0003")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO contents (digest, size, format, width, height, camera)"
                " VALUES (x'01', 1, 'PNG', 8, 8, 'Leica Q')"
            )
        )
    engine.dispose()
    with Library.open(path.parent) as opened, opened.read() as connection:
        statement = text("SELECT camera, iso, rating, facts_version FROM contents")
        assert connection.execute(statement).all() == [("Leica Q", None, None, 0)]


def test_upgrading_to_0006_keeps_vectors_and_index_files(library: Library, album: Path, encoder: FakeEncoder) -> None:
    index(library, [album], encoder)
    stored = named_space(library, "fake")
    with library.read() as connection:
        vectors = connection.execute(text("SELECT * FROM embeddings ORDER BY content_id")).all()
    revision, found = library.revision(), answer(library, encoder)
    downgrade(library, "0005")
    with Library.open(library.path) as opened:
        with opened.read() as connection:
            assert connection.execute(text("SELECT * FROM embeddings ORDER BY content_id")).all() == vectors
            for table in ("frames", "frame_embeddings", "unread_frames"):
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        assert opened.revision() == revision
        current = index_cache.load(opened, stored)
        assert (current.published, len(current.index)) == (True, 4)
        assert answer(opened, encoder) == found
        assert verify(opened) == []


def answer(library: Library, encoder: FakeEncoder) -> list[tuple[int, float]]:
    """Return IDs and scores of a search. Colours, which a downgrade drops, are not part of it."""
    return [(hit.id, hit.score) for hit in Searcher(library, encoder).search("red", k=9).hits]


def test_upgrading_to_0006_lists_files_that_may_have_further_frames(tmp_path: Path) -> None:
    """Only those that a model of the library has embedded: imported vectors are not made again."""
    path = tmp_path / "old" / "catalog.sqlite"
    path.parent.mkdir()
    engine = make_engine(path)
    schema.upgrade(engine, path, "0005")
    space = "INSERT INTO spaces (id, fingerprint, model, weights, dim, preprocessing, dtype, created_at) VALUES "
    content = "INSERT INTO contents (id, digest, size, format, width, height) VALUES "
    with engine.begin() as connection:
        for statement in (
            space + "(1, 'aa', 'mini', 'w', 4, '{}', 'float16', '2026-01-01')",
            space + "(2, 'bb', 'theirs', 'imported:1', 4, '{}', 'float16', '2026-01-01')",
            *(
                content + f"({number}, x'0{number}', 1, '{kind}', 8, 8)"
                for number, kind in enumerate(("JPEG", "TIFF", "GIF", "PNG", "WEBP", "TIFF"), start=1)
            ),
            "INSERT INTO embeddings SELECT 1, id, x'00' FROM contents WHERE id < 6",
            "INSERT INTO embeddings SELECT 2, id, x'00' FROM contents",
        ):
            connection.execute(text(statement))
    engine.dispose()
    with Library.open(path.parent) as opened, opened.read() as connection:
        unread = connection.execute(text("SELECT space_id, content_id FROM unread_frames ORDER BY content_id")).all()
        assert unread == [(1, 2), (1, 3)]
        assert connection.execute(text("SELECT count(*) FROM embeddings")).scalar_one() == 11


def test_upgrading_to_0007_tries_failed_files_once_more(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    """Later versions read files that earlier ones refused, and a file that has not changed is not tried otherwise."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "broken.jpg").write_bytes(b"no picture")
    index(library, tmp_path / "pictures", encoder)
    downgrade(library, "0006")
    with Library.open(library.path) as opened:
        for _ in range(2):
            assert index(opened, tmp_path / "pictures", encoder).failed == 1
            with opened.read() as connection:
                assert connection.execute(text("SELECT tries FROM failures")).scalars().all() == [2]


def test_upgrading_to_0012_stores_comparable_paths(tmp_path: Path) -> None:
    """Of every file, page by page, also of names that are not UTF-8; and every block of contents counts as changed."""
    path = tmp_path / "old" / "catalog.sqlite"
    path.parent.mkdir()
    engine = make_engine(path)
    schema.upgrade(engine, path, "0011")
    names = [b"a.JPG", b"Sea/2024/B.jpg", b"n\xfcl/x", b"caf\xc3\xa9", b"", b"a/"]
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO roots VALUES (1, x'2f70', '2026-01-01', 'folder')"))
        for number, name in enumerate([*names, *(b"many/%d" % number for number in range(20_000))]):
            statement = (
                "INSERT INTO pictures (id, root_id, relpath, size, mtime_ns, state) VALUES (?, 1, ?, 1, 1, 'failed')"
            )
            connection.exec_driver_sql(statement, (number - 3, name))
        for content in (1, 16_383, 16_384, 50_000):
            statement = "INSERT INTO contents (id, digest, size, format, width, height) VALUES (?, ?, 1, '', 0, 0)"
            connection.exec_driver_sql(statement, (content, b"%032d" % content))
    engine.dispose()
    with Library.open(path.parent) as library, library.read() as connection:
        rows = connection.execute(select(Picture.__table__)).all()
        assert len(rows) == len(names) + 20_000
        for row in rows:
            assert path_columns(row.relpath) == {
                name: getattr(row, name) for name in ("folder", "path_key", "name_key")
            }
        keys = {row.relpath: (row.folder, row.path_key, row.name_key) for row in rows}
        assert keys[b"Sea/2024/B.jpg"] == (b"Sea/2024", "sea/2024/b.jpg", "b.jpg")
        assert keys[b"n\xfcl/x"] == (b"n\xfcl", "n\ufffdl/x", "x")
        blocks = connection.execute(text("SELECT number, version FROM content_blocks ORDER BY number")).all()
        assert blocks == [(0, 1), (1, 1), (3, 1)]
