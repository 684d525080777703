"""The schema of the catalogue and its migrations. Alembic is imported only if there is something to migrate."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from core.errors import LibraryTooNew, LibraryUnusable

__all__ = ["HEAD", "is_current", "upgrade"]

HEAD = "0006"
"""The newest revision in `migrations/versions`."""

MIGRATIONS = Path(__file__).parent / "migrations"


def is_current(connection: Connection, path: Path) -> bool:
    """Return whether the catalogue has the newest schema; False for an empty database.

    Raises `LibraryTooNew` for an unknown revision, and `LibraryUnusable` for a database of another application.
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise LibraryUnusable(path, "its database contains other tables")
        return False
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision == HEAD:
        return True
    if revision is not None and revision not in _revisions():
        raise LibraryTooNew(path, revision)
    return False


def _revisions() -> set[str]:
    """Return every revision that can be upgraded. Migration files are named `REVISION_description.py`."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*_*.py")}


def upgrade(engine: Engine, path: Path, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection:
        connection.execution_options(sightline_writes=True)
        config.attributes["connection"] = connection
        with connection.begin():
            if not is_current(connection, path):  # another process may have upgraded it
                command.upgrade(config, revision)
