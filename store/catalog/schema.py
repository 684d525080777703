"""The catalogue's schema and its migrations. Alembic is imported only when there is something to migrate."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from core.errors import LibraryTooNew, LibraryUnusable

__all__ = ["HEAD", "is_current", "upgrade"]

HEAD = "0005"
"""The newest revision in `migrations/versions`; a test holds the two together."""

MIGRATIONS = Path(__file__).parent / "migrations"


def is_current(connection: Connection, path: Path) -> bool:
    """Whether the catalogue has the newest schema; False also for an empty database.

    Raises `LibraryTooNew` for a schema from the future and `LibraryUnusable` for tables that are not ours.
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise LibraryUnusable(path, "its database holds other tables")
        return False
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision == HEAD:
        return True
    if revision is not None and revision not in _known():
        raise LibraryTooNew(path, revision)
    return False


def _known() -> set[str]:
    """Every revision that this version can bring up to date; files are named `REVISION_what_it_does.py`."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*_*.py")}


def upgrade(engine: Engine, path: Path, revision: str = "head") -> None:
    """Runs the migrations up to `revision`, each in a transaction of its own."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect() as connection:
        connection.execution_options(sightline_writes=True)
        config.attributes["connection"] = connection
        with connection.begin():
            if not is_current(connection, path):  # another process may have been faster
                command.upgrade(config, revision)
