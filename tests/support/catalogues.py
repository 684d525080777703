"""`pytest --catalogue postgresql`: libraries in folders have their catalogues on a server.

Each folder gets a database of its own. A file in the folder names it, so that the copy of a folder gets a copy of the
database. The folder is that of the machine for the URL of its database, and the command line is given the URL. Other
processes know nothing of that: tests that start some are skipped, and so are those marked `sqlite`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


class FolderCatalogues:
    """Databases of a server in place of the catalogues in folders."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._folders: dict[str, Path] = {}
        """By the URL of their databases, which exist if the folders name them."""
        self._awaited: dict[Path, str] = {}
        """Names of databases that are created with the libraries in these folders."""
        self._template: str | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Open libraries in folders on the server within the block."""
        open_backend, folder_of_url = store.library._backend, ServerAddress.folder

        def backend(place: Path | str, *, create: bool = False, only_read: bool = False) -> Backend:
            folder = self._folder(str(place)) if is_server_url(str(place)) else Path(place).expanduser().absolute()
            if folder is None:
                return open_backend(place, create=create, only_read=only_read)
            url = self._database(folder, create=create and not only_read)
            return PostgresBackend.at(url, create=create, only_read=only_read)

        def folder_of(address: ServerAddress) -> Path:
            return self._folders.get(address.url) or folder_of_url.__get__(address)

        store.library._backend = backend
        ServerAddress.folder = property(folder_of)  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            store.library._backend = open_backend
            ServerAddress.folder = folder_of_url  # type: ignore[method-assign]

    def url(self, place: str) -> str:
        """Return the URL of the library in a folder, which may not exist yet. A URL is returned as it is."""
        if is_server_url(place):
            return place
        folder = Path(place).expanduser().absolute()
        if (folder / NAME_FILE).exists():
            return self._database(folder, create=False)
        if folder not in self._awaited:
            self._awaited[folder] = self._server.new_name()
        return self._known(self._awaited[folder], folder)

    def arguments(self, words: Sequence[str]) -> list[str]:
        """Return the arguments of a command with URLs in place of folders after `--library`."""
        before = ("", *words)
        return [self.url(word) if last == "--library" else word for last, word in zip(before, words, strict=False)]

    def _folder(self, url: str) -> Path | None:
        return self._folders.get(ServerAddress.parse(url).url)

    def _database(self, folder: Path, *, create: bool) -> str:
        """Return the URL of the database of a folder."""
        file = folder / NAME_FILE
        if file.exists():
            name, origin = file.read_text().split("\n", 1)
            return self._known(name, folder) if Path(origin) == folder.resolve() else self._new(folder, name)
        if not create:
            raise LibraryNotFound(self._server.url(self._awaited[folder]) if folder in self._awaited else folder)
        if self._template is None:
            self._template = self._server.create_database()
            Library.open(self._server.url(self._template), create=True).close()
        folder.mkdir(parents=True, exist_ok=True)
        return self._new(folder, self._template)

    def _new(self, folder: Path, template: str) -> str:
        name = self._server.create_database(template, self._awaited.pop(folder, None))
        (folder / NAME_FILE).write_text(f"{name}\n{folder.resolve()}")
        return self._known(name, folder)

    def _known(self, name: str, folder: Path) -> str:
        url = self._server.url(name)
        self._folders[url] = folder
        return url

    def drop_below(self, folder: Path) -> None:
        """Delete the databases of the libraries in a folder, and of those whose folders were deleted."""
        gone = [url for url, path in self._folders.items() if path.is_relative_to(folder) or not path.exists()]
        for url in gone:
            self._awaited.pop(self._folders.pop(url), None)
            self._server.drop_database(url.rpartition("/")[2])


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
