"""`pytest --catalogue postgresql`: libraries in folders have their catalogues on a server.

Each folder gets a database of its own. A file in the folder names it, so that the copy of a folder gets a copy of the
database. Other processes know nothing of that: tests that start some are skipped, and so are those marked `sqlite`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.util import LRUCache

import store.catalog.postgresql.engine
import store.library
from core.errors import LibraryNotFound
from store import Library
from store.catalog.backend import Backend
from store.catalog.postgresql.address import ServerAddress, is_server_url
from store.catalog.postgresql.backend import PostgresBackend
from tests.support.postgres import PostgresServer

__all__ = ["POSTGRESQL", "SKIPPED", "FolderCatalogues", "skip_others", "statements_shared"]

POSTGRESQL = "postgresql"

SKIPPED = {"sqlite": "looks into the file of SQLite", "processes": "starts processes, which would open a folder"}
"""Markers of tests that are skipped, and why."""

EXAMPLES = 15
"""At most so many examples of a generated test are tried. SQLite is tried with all of them."""

NAME_FILE = "database"
"""The file that names the database of a folder, and the folder."""


@dataclass(frozen=True)
class _FolderAddress(ServerAddress):
    """A database, and a folder for files of this machine that is not chosen by its URL."""

    of_machine: Path

    @property
    def folder(self) -> Path:
        """The folder."""
        return self.of_machine


class FolderCatalogues:
    """Databases of a server in place of the catalogues in folders."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._databases: dict[Path, str] = {}
        self._template: str | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Open libraries in folders on the server within the block."""
        original = store.library._backend

        def backend(place: Path | str, *, create: bool = False, only_read: bool = False) -> Backend:
            if is_server_url(str(place)):
                return original(place, create=create, only_read=only_read)
            return self._backend(Path(place), create=create, only_read=only_read)

        store.library._backend = backend
        try:
            yield
        finally:
            store.library._backend = original

    def _backend(self, place: Path, *, create: bool, only_read: bool) -> Backend:
        folder = place.expanduser().absolute()
        name = self._database(folder, create=create and not only_read)
        backend = PostgresBackend(_FolderAddress(self._server.url(name), folder))
        try:
            backend._look(create=create, only_read=only_read)
        except BaseException:
            backend.close()
            raise
        return backend

    def _database(self, folder: Path, *, create: bool) -> str:
        file = folder / NAME_FILE
        if file.exists():
            name, origin = file.read_text().split("\n", 1)
            if Path(origin) == folder.resolve():
                return name
            return self._new(folder, name)
        if not create:
            raise LibraryNotFound(folder)
        if self._template is None:
            self._template = self._server.create_database()
            Library.open(self._server.url(self._template), create=True).close()
        folder.mkdir(parents=True, exist_ok=True)
        return self._new(folder, self._template)

    def _new(self, folder: Path, template: str) -> str:
        name = self._server.create_database(template)
        (folder / NAME_FILE).write_text(f"{name}\n{folder.resolve()}")
        self._databases[folder] = name
        return name

    def drop_below(self, folder: Path) -> None:
        """Delete the databases of the libraries in a folder."""
        for path in [path for path in self._databases if path.is_relative_to(folder)]:
            self._server.drop_database(self._databases.pop(path))


def statements_shared() -> None:
    """Compile each SQL statement once for all engines, and ask the server about itself only once."""
    statements: LRUCache[Any, Any] = LRUCache(2_000)
    first: list[Engine] = []

    def create(*args: Any, **options: Any) -> Engine:
        engine = create_engine(*args, **options)
        if first:
            engine.dialect = first[0].dialect
        first.append(engine)
        event.listen(engine, "before_cursor_execute", _translated, retval=True)
        engine.update_execution_options(compiled_cache=statements)
        return engine

    store.catalog.postgresql.engine.create_engine = create  # type: ignore[attr-defined]


def _translated(
    _connection: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool
) -> tuple[str, Any]:
    """Translate what tests write as only SQLite has it: bytes as `x'00'` or `zeroblob(1)`, and `?` for a variable."""
    statement = re.sub(r"\b[xX]'([0-9a-fA-F]*)'", r"'\\x\1'::bytea", statement)
    statement = re.sub(r"\bzeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", statement)
    if parameters and not isinstance(parameters, dict) and "%(" not in statement:
        statement = statement.replace("?", "%s")
    return statement, parameters


def skip_others(items: list[pytest.Item]) -> None:
    """Skip the tests that need the file of SQLite, or other processes that open it. Others get fewer examples."""
    for item in items:
        test: Any = getattr(item, "function", None)
        if test is not None and is_hypothesis_test(test):
            given = test._hypothesis_internal_use_settings or settings()
            test._hypothesis_internal_use_settings = settings(given, max_examples=min(given.max_examples, EXAMPLES))
        for marker, reason in SKIPPED.items():
            if (mark := item.get_closest_marker(marker)) is not None:
                item.add_marker(pytest.mark.skip(reason=f"{reason}: {mark.args[0]}" if mark.args else reason))
                break
