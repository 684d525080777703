"""What a server says about itself when a library is opened."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from core.errors import LibraryUnusable

__all__ = ["ServerFacts", "read_facts"]

OLDEST_VERSION = 15

_FACTS = text(
    "SELECT current_setting('server_version_num')::int / 10000 AS version, "
    "current_setting('server_encoding') AS encoding, "
    "coalesce((SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE pg_class.oid = to_regclass('contents')), current_schema())::text AS schema, "
    "has_function_privilege('pg_control_checkpoint()', 'EXECUTE') "
    "AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE') AS sees_timeline, "
    "pg_backend_pid() AS process, "
    "pg_is_in_recovery() AS is_standby, "
    "current_setting('default_transaction_read_only')::bool AS only_reads, "
    "CASE WHEN to_regclass('contents') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE') "
    "ELSE has_table_privilege('contents', 'INSERT') AND has_table_privilege('contents', 'UPDATE') "
    "AND has_table_privilege('contents', 'DELETE') END AS may_write"
)


@dataclass(frozen=True)
class ServerFacts:
    """Which server this is, and what the user may do."""

    schema: str
    """The schema of the database in which the tables are."""
    read_only: str | None
    """Why this process cannot change the library; None if it can."""
    sees_timeline: bool
    """Whether the user may know which timeline the server is on."""
    process: int
    """The number of the server's process that has answered."""


def read_facts(connection: Connection, place: str) -> ServerFacts:
    """Ask the server. Raises `LibraryUnusable` if Sightline cannot use it at all."""
    row = connection.execute(_FACTS).one()
    if row.version < OLDEST_VERSION:
        reason = f"its server is PostgreSQL {row.version}, and {OLDEST_VERSION} or later is required"
        raise LibraryUnusable(place, reason)
    if row.encoding != "UTF8":
        raise LibraryUnusable(place, f"its database has the encoding {row.encoding}, and UTF8 is required")
    if row.schema is None:
        raise LibraryUnusable(place, "its database has no schema in which you may see tables")
    read_only = None
    if row.is_standby:
        read_only = "its server is a standby, which follows another one"
    elif row.only_reads:
        read_only = "its server does not accept changes from you"
    elif not row.may_write:
        read_only = "you may not write to its tables"
    return ServerFacts(row.schema, read_only, row.sees_timeline, row.process)
