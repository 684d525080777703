"""A catalogue in PostgreSQL: a schema of a database on a server, for several machines at once.

This machine keeps index files and caches in a folder of its own. Locks and transactions are described in
`store.catalog.postgresql.locks` and `engine`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, ClassVar, Literal

from sqlalchemy import Connection, text

from core.errors import LibraryNotFound, LibraryOutdated, LibraryUnusable
from store.catalog import schema
from store.catalog.backend import ONLY_READ, Backend
from store.catalog.named_locks import NamedLock
from store.catalog.postgresql import connections
from store.catalog.postgresql import schema as server_schema
from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.driver_errors import server_errors
from store.catalog.postgresql.engine import make_server_engine
from store.catalog.postgresql.locks import AdvisoryLock, LockConnections
from store.catalog.postgresql.poolers import require_own_sessions
from store.catalog.postgresql.server import read_facts
from store.catalog.transactions import reading, writing

__all__ = ["PostgresBackend"]

TIMELINE = (
    "CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id::text FROM pg_control_checkpoint()) "
    "ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END"
)
"""The number of the server's timeline. Another one begins when a standby takes over, and when a backup is restored."""

SERVER = (
    "SELECT CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE') "
    "THEN (SELECT system_identifier::text FROM pg_control_system()) END, extract(epoch FROM pg_postmaster_start_time())"
)
"""A number that a server's data gets when they are created, and when the server was started.

A copy of its disk has that number, too, and may stay on the same timeline.
"""


class PostgresBackend(Backend):
    """The catalogue at a URL. Use `at` to connect to it."""

    name: ClassVar[Literal["sqlite", "postgresql"]] = "postgresql"
    shares_files: ClassVar[bool] = False
    longest_path: ClassVar[int | None] = 2_600  # an entry of an index has at most 2,704 bytes, with its other values

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.place = self.location = address.shown
        self.path = address.folder
        self.read_only = None
        self._sees_timeline = True
        self._locks = LockConnections(
            partial(connections.connect, address, autocommit=True), self.location, schema="public"
        )
        self.engine = make_server_engine(address, self._locks)

    @classmethod
    def at(cls, url: str, *, create: bool, only_read: bool) -> "PostgresBackend":
        """Connect to the library at a URL. With `create`, an empty database is accepted, too.

        Raises `ExtraMissing`, `LibraryNotFound`, `LibraryUnreachable` and `LibraryUnusable`.
        """
        connections.require_driver()
        backend = cls(ServerAddress.parse(url))
        try:
            backend._look(create=create, only_read=only_read)
        except BaseException:
            backend.close()
            raise
        return backend

    def _look(self, *, create: bool, only_read: bool) -> None:
        with self.errors(), self.engine.connect() as connection:
            with reading(connection):
                facts = read_facts(connection, self.location)
                exists = server_schema.has_catalogue(connection, self.location)
            connect = partial(connections.connect, self.address, autocommit=True)
            require_own_sessions(connection, facts.process, connect, self.location)
        self._locks.schema, self._sees_timeline = facts.schema, facts.sees_timeline
        if not exists and (not create or only_read):
            raise LibraryNotFound(self.location)
        if not exists and facts.read_only is not None:
            raise LibraryUnusable(self.location, f"it has no tables yet, and {facts.read_only}")
        self.read_only = ONLY_READ if only_read else facts.read_only
        try:
            (self.path / "indexes").mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise LibraryUnusable(self.location, f"its files on this machine cannot be written: {exc}") from exc

    def start(self) -> None:
        """Create or upgrade the tables, one process at a time."""
        with self.errors(), self.engine.connect() as connection, reading(connection):
            if self._is_prepared(connection):
                return
        if self.read_only is not None:
            raise LibraryOutdated(self.location, self.read_only)
        with self.errors(), self.engine.connect() as connection, writing(connection):
            if not server_schema.has_catalogue(connection, self.location):
                server_schema.create(connection)
            elif not server_schema.is_current(connection, self.location):
                schema.migrate(connection)
            schema.add_state(connection)

    def _is_prepared(self, connection: Connection) -> bool:
        return server_schema.has_catalogue(connection, self.location) and server_schema.is_current(
            connection, self.location
        )

    def require_current_schema(self, connection: Connection) -> None:
        """Raise `LibraryTooNew` or `LibraryUnusable` if another version of Sightline has changed the schema."""
        if not server_schema.is_current(connection, self.location):
            raise LibraryUnusable(self.location, "its schema is not that of this version of Sightline")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self._locks.close()

    def errors(self) -> AbstractContextManager[None]:
        """Translate errors of `psycopg`."""
        return server_errors(self.location)

    def lock(self, name: str) -> NamedLock:
        """Return a session advisory lock."""
        return AdvisoryLock(self._locks, name)

    def change_number(self, connection: Connection) -> int:
        """Return the number of transactions that changed the catalogue."""
        return int(connection.exec_driver_sql(f"SELECT number FROM {server_schema.CHANGE_TABLE}").scalar_one())

    def identity(self, connection: Connection) -> str:
        """Return when the library was created, in which database it is, and its timeline.

        A database that was restored to an earlier state goes on with another timeline.
        """
        timeline = TIMELINE if self._sees_timeline else "0"
        statement = text(
            "SELECT to_char(created_at, 'YYYYMMDDHH24MISSUS'), "
            f"(SELECT oid FROM pg_database WHERE datname = current_database()), {timeline} FROM library"
        )
        return " ".join(map(str, connection.execute(statement).one()))

    def origin(self) -> str:
        """Return the identity of the library, the number of its server's data, its start, and the schema it is in.

        The host, the user and the options of two URLs can differ. A dump that was restored elsewhere is another
        library, as is a copy of the server. Compare only what was returned at the same time: a server that is started
        again has another text.
        """
        with self.errors(), self.engine.connect() as connection, reading(connection):
            number, started = connection.execute(text(SERVER)).one()
            return f"{self.identity(connection)} {number} {started} {self._locks.schema}"

    @contextmanager
    def impatient(self, connection: Connection) -> Iterator[None]:
        """Shorten the time for which statements wait for locks."""
        driver: Any = connection.connection.dbapi_connection
        driver.execute("SET lock_timeout = '1ms'")
        driver.commit()
        try:
            yield
        finally:
            if not driver.closed:
                driver.rollback()
                driver.execute(f"SET lock_timeout = '{connections.WAIT_SECONDS}s'")
                driver.commit()

    def faults(self, connection: Connection) -> Iterator[str]:
        """Read every row of every table, and look for constraints that were not checked.

        The server checks references with every change. It finds damaged pages when it reads them, if the cluster has
        checksums; its extension `amcheck` compares indexes with tables.
        """
        for table in server_schema.declared_tables().sorted_tables:
            connection.execute(text(f"SELECT count({table.name}::text) FROM {table.name}")).close()
        here = {"schema": self._locks.schema}
        unchecked = text(
            "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint "
            "WHERE connamespace = CAST(quote_ident(:schema) AS regnamespace) AND NOT convalidated"
        )
        for row in connection.execute(unchecked, here):
            yield f"{row.name} has a constraint that was never checked: {row.conname}"
        invalid = text(
            "SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relnamespace = CAST(quote_ident(:schema) AS regnamespace) AND NOT (indisvalid AND indisready)"
        )
        for row in connection.execute(invalid, here):
            yield f"the index {row.name} is not usable"

    def free_bytes(self, connection: Connection) -> int:  # noqa: ARG002
        """Return 0: the server reuses the space of deleted rows by itself."""
        return 0

    def compact(self, connection: Connection) -> None:
        """Have the server reuse the space of deleted rows at once, and return what is free at the ends of files."""
        self._vacuum(connection, "ANALYZE")

    def note_many_changes(self, connection: Connection) -> None:
        """Have the server count rows, and note which pages all transactions see.

        It does both by itself, but some minutes later, or only after further changes. Until then, filters look up each
        row that an index has found.
        """
        self._vacuum(connection, "ANALYZE, SKIP_LOCKED")

    def _vacuum(self, connection: Connection, options: str) -> None:
        driver: Any = connection.connection.dbapi_connection
        before = driver.autocommit
        driver.autocommit = True
        try:
            with self.errors():
                for table in server_schema.declared_tables().sorted_tables:
                    driver.execute(f"VACUUM ({options}) {table.name}")
        finally:
            if not driver.closed:
                driver.autocommit = before
