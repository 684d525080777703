"""The schema on a server: as declared, as in SQLite, and as migrations make it from the first one."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Identity, inspect, text

from core.errors import LibraryOutdated
from store import Library
from store.catalog import schema
from store.catalog.engine import make_engine
from store.catalog.postgresql.locks import LOCK_TABLE
from store.catalog.postgresql.schema import CHANGE_TABLE, declared_tables
from store.catalog.tables import Base
from store.catalog.transactions import reading
from store.queries import count_contents
from tests.store.catalog.test_schema import later_version

pytestmark = pytest.mark.servers

FIRST_SCHEMA = Path(__file__).with_name("schema_0014.sql")
"""What the first version with PostgreSQL created. It is never changed."""

OF_SQLITE, OF_POSTGRESQL = "text_index", {LOCK_TABLE, CHANGE_TABLE}
"""Tables of one database: those of the full-text index begin with its name."""

DESCRIPTIONS = (
    "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, is_identity "
    "FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'",
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prolang = "
    "(SELECT oid FROM pg_language WHERE lanname = 'plpgsql')",
)
"""Everything that `create` makes."""


def described(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {query: sorted(map(tuple, connection.execute(text(query))), key=repr) for query in DESCRIPTIONS}


def tables_of(connection: Connection) -> dict[str, dict[str, object]]:
    """Return columns, keys, references and indexes of each table, in terms that both databases have."""
    found = inspect(connection)
    return {
        table: {
            "columns": {column["name"]: column["nullable"] for column in found.get_columns(table)},
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "references": sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"], str(key["options"]))
                for key in found.get_foreign_keys(table)
            ),
            "unique": sorted(key["column_names"] for key in found.get_unique_constraints(table)),
            "checks": sorted(str(check["name"]) for check in found.get_check_constraints(table)),
            "indexes": sorted(
                (str(each["name"]), each["column_names"], bool(each["unique"]), "where" in str(each["dialect_options"]))
                for each in found.get_indexes(table)
                if each["name"] != "text_index" and "duplicates_constraint" not in each
            ),
        }
        for table in found.get_table_names()
        if not table.startswith(OF_SQLITE) and table not in OF_POSTGRESQL
    }


def test_all_databases_have_the_same_tables(library: Library, empty_library: Path, tmp_path: Path) -> None:
    with library.read() as connection:
        on_server = tables_of(connection)
    with Library.open(empty_library) as other, other.read() as connection:
        created = tables_of(connection)
    engine = make_engine(tmp_path / "migrated.sqlite")
    schema.upgrade(engine, tmp_path)
    with engine.connect() as connection, reading(connection):
        migrated = tables_of(connection)
    engine.dispose()
    assert set(on_server) == {*Base.metadata.tables, "alembic_version"}
    assert on_server == created == migrated


def adds_identity(difference: Any) -> bool:
    """Whether the database gives out the numbers of a column, which the declared tables leave to each database."""
    first = difference[0]
    return first[0] == "modify_default" and isinstance(first[5], Identity)


def test_the_tables_are_those_declared(library: Library) -> None:
    declared = declared_tables()

    def is_declared(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and name in OF_POSTGRESQL) and name != "text_index"

    with library.read() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": is_declared}
        context = MigrationContext.configure(connection, opts=opts)
        differences = [each for each in compare_metadata(context, declared) if not adds_identity(each)]
        assert differences == []
        collations = "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_name = 'contents'"
        assert set(connection.execute(text(collations)).scalars()) == {"C", None}


def test_migrations_make_the_present_schema_of_the_first_one(postgres_server: Any, postgres_url: str) -> None:
    first = postgres_server.url(postgres_server.create_database())
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute(FIRST_SCHEMA.read_bytes())
    found = []
    for url in (first, postgres_url):
        with Library.open(url, create=True) as library, library.read() as connection:
            found.append(described(connection))
    assert found[0] == found[1]
    assert sum(map(len, found[0].values())) > 400


def test_searches_go_on_while_indexes_are_created_again(postgres_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres_server.url(postgres_server.create_database())
    create, seen = op.create_index, list[int]()

    def create_and_search(*args: Any, **options: Any) -> None:
        create(*args, **options)
        with psycopg.connect(url) as reader:
            reader.execute("SET lock_timeout = '1s'")
            seen.extend(reader.execute("SELECT count(*) FROM contents").fetchone() or ())

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute(FIRST_SCHEMA.read_bytes())
        connection.execute(
            "INSERT INTO contents (digest, size, format, width, height, camera) "
            "SELECT sha256(n::text::bytea), n, 'JPEG', 8, 8, 'Camera ' || n % 10 FROM generate_series(1, 1000) AS n"
        )
        with monkeypatch.context() as patch:
            patch.setattr(op, "create_index", create_and_search)
            with Library.open(url) as library:
                assert count_contents(library) == 0
        assert seen == [1000] * 8
        connection.execute("VACUUM ANALYZE contents")
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute("EXPLAIN SELECT id FROM contents WHERE camera = 'Camera 3'").fetchall()
    assert any("Index Only Scan using ix_contents_camera " in line for (line,) in plan)


def test_a_library_is_upgraded_by_a_migration_of_all_databases(
    library: Library, empty_library: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As CONTRIBUTING says how to write one."""
    shutil.copytree(empty_library, tmp_path / "library")
    later_version(tmp_path / "new", monkeypatch, then=NEXT)
    with pytest.raises(LibraryOutdated):
        Library.open_to_read(postgres_url)
    found = []
    for place in (postgres_url, tmp_path / "library"):
        with Library.open(place) as opened:
            with opened.transaction() as connection:
                connection.execute(text("INSERT INTO tags (key, name) VALUES ('a', 'A')"))
                connection.execute(text("INSERT INTO later_names (tag_id, name) VALUES (1, 'a'), (2, 'Z')"))
            with opened.read() as connection:
                names = connection.execute(text("SELECT name FROM later_names ORDER BY name")).scalars().all()
                marks = connection.execute(text("SELECT marked FROM tags")).scalars().all()
                found.append((tables_of(connection), names, marks))
    assert found[0] == found[1]
    assert found[0][1:] == (["Z", "a"], [7])


NEXT = """
    from store.catalog.migrations.portable import BYTES, INTEGER, TEXT, is_sqlite

    op.create_table(
        "later_names",
        sa.Column("tag_id", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("picture", BYTES, nullable=True),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_later_names")),
    )
    op.create_index(op.f("ix_later_names_name"), "later_names", ["name"])
    with op.batch_alter_table("tags") as batch:
        batch.add_column(sa.Column("marked", INTEGER, nullable=False, server_default="0"))
    if is_sqlite(op.get_bind()):
        op.execute("CREATE TRIGGER later AFTER INSERT ON tags BEGIN UPDATE tags SET marked = 7 WHERE id = new.id; END")
    else:
        op.execute("CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN UPDATE tags SET marked = 7 WHERE id = new.id; RETURN NULL; END $$")
        op.execute("CREATE TRIGGER later AFTER INSERT ON tags FOR EACH ROW EXECUTE FUNCTION later()")
"""


def test_a_failing_migration_is_rolled_back(
    library: Library, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(tmp_path / "new", monkeypatch, then="raise RuntimeError('out of luck')")
    with pytest.raises(RuntimeError, match="out of luck"):
        Library.open(postgres_url)
    monkeypatch.undo()
    with Library.open(postgres_url) as opened, opened.read() as connection:
        assert "later" not in inspect(connection).get_table_names()
