"""The schema of the catalogue: created in one step for a new library, migrated by Alembic for an older one.

Alembic is imported only if there is something to migrate.
"""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from core.errors import LibraryTooNew, LibraryUnusable
from store.catalog.block_triggers import BLOCK_TRIGGERS
from store.catalog.change_feed import FEED_TRIGGERS
from store.catalog.tables import Base, LibraryState
from store.catalog.transactions import writing

__all__ = [
    "HEAD",
    "add_state",
    "has_state",
    "is_current",
    "migrate",
    "prepare",
    "require_current",
    "revisions",
    "upgrade",
]

HEAD = "0015"
"""The newest revision in `migrations/versions`."""

MIGRATIONS = Path(__file__).parent / "migrations"

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))
"""Alembic's table. It has one row, or none after a downgrade to the beginning."""

VERSION_TABLE = (
    "CREATE TABLE alembic_version ("
    "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
)
"""The statement that creates it, as Alembic does."""

TEXT_INDEX = (
    "CREATE VIRTUAL TABLE text_index USING fts5("
    "comparable, content='text_frames', content_rowid='id', tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER text_index_insert AFTER INSERT ON text_frames BEGIN "
    "INSERT INTO text_index (rowid, comparable) VALUES (new.id, new.comparable); END",
    # The row for a deleted text must have that text (https://www.sqlite.org/fts5.html, "External Content Tables").
    "CREATE TRIGGER text_index_delete AFTER DELETE ON text_frames BEGIN "
    "INSERT INTO text_index (text_index, rowid, comparable) VALUES ('delete', old.id, old.comparable); END",
)
"""The full-text index and its triggers, which the declared tables do not contain."""


def is_current(connection: Connection, path: Path) -> bool:
    """Return whether the catalogue has the newest schema; False for an empty database.

    Raises `LibraryTooNew` for an unknown revision, and `LibraryUnusable` for a database of another application.
    """
    try:
        revision = connection.scalar(select(VERSION.c.version_num))
    except OperationalError as exc:
        if "no such table" not in str(exc.orig):
            raise
        if inspect(connection).get_table_names():
            raise LibraryUnusable(path, "its database contains other tables") from None
        return False
    if revision == HEAD:
        return True
    if revision is not None and revision not in revisions():
        raise LibraryTooNew(path, revision)
    return False


def require_current(connection: Connection, path: Path) -> None:
    """Raise `LibraryTooNew` or `LibraryUnusable` if the schema is not the newest one."""
    if not is_current(connection, path):
        raise LibraryUnusable(path, "its schema is not that of this version of Sightline")


def has_state(connection: Connection) -> bool:
    """Return whether the table `library` has its single row."""
    return connection.scalar(select(LibraryState.id)) is not None


def add_state(connection: Connection) -> None:
    """Insert the single row of the table `library`, unless it is there."""
    if not has_state(connection):
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(insert(LibraryState).values(id=1, revision=0, created_at=now))


def revisions() -> set[str]:
    """Return every revision that can be upgraded. Migration files are named `REVISION_description.py`."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*_*.py")}


def prepare(engine: Engine, path: Path) -> None:
    """Create the tables of a new library, or upgrade those of an older version.

    Raises `LibraryTooNew` and `LibraryUnusable`.
    """
    with engine.connect() as connection, writing(connection):
        if is_current(connection, path):  # another process may have done it
            return
        if not inspect(connection).get_table_names():
            _create(connection)
            return
    upgrade(engine, path)


def _create(connection: Connection) -> None:
    """Create what the migrations would create, in a tenth of their time."""
    Base.metadata.create_all(connection)
    for statement in (*TEXT_INDEX, *BLOCK_TRIGGERS, *FEED_TRIGGERS, *VERSION_TABLE):
        connection.execute(text(statement))
    connection.execute(insert(VERSION).values(version_num=HEAD))


def upgrade(engine: Engine, path: Path, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    with engine.connect() as connection, writing(connection):
        if not is_current(connection, path):  # another process may have upgraded it
            migrate(connection, revision)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` within a write transaction, for any database."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
