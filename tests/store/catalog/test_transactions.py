"""The kinds of transactions in SQLite."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

import pytest
from sqlalchemy import Connection, text

from core.errors import LibraryReadOnly
from store import Library
from store.catalog.transactions import reading, writing, writing_temporary
from store.library import mark_changed

Begun: TypeAlias = Callable[[Connection], AbstractContextManager[Connection]]


def test_temporary_tables_are_written_while_another_transaction_writes(library: Library) -> None:
    with library.connect() as connection, library.transaction() as other:
        mark_changed(other)
        with writing_temporary(connection):
            connection.execute(text("CREATE TEMPORARY TABLE seen (id INTEGER)"))
            connection.execute(text("INSERT INTO seen VALUES (1), (2)"))
        with reading(connection):
            assert connection.execute(text("SELECT count(*) FROM seen")).scalar_one() == 2


def test_temporary_rows_are_rolled_back_on_an_exception(library: Library) -> None:
    with library.connect() as connection:
        with writing_temporary(connection):
            connection.execute(text("CREATE TEMPORARY TABLE seen (id INTEGER)"))
        with pytest.raises(KeyError), writing_temporary(connection):
            connection.execute(text("INSERT INTO seen VALUES (1)"))
            raise KeyError
        with writing(connection):
            assert connection.execute(text("SELECT count(*) FROM seen")).scalar_one() == 0


@pytest.mark.parametrize("begun", [reading, writing, writing_temporary])
def test_an_error_of_rolling_back_does_not_hide_the_first(library: Library, begun: Begun) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text("SELECT 1")).close()
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        raise KeyboardInterrupt

    with library.connect() as connection:
        with pytest.raises(KeyboardInterrupt), begun(connection):
            fail(connection)
        assert connection.invalidated
        with begun(connection):
            assert connection.scalar(text("SELECT 2")) == 2


@pytest.mark.sqlite("a library in a folder")
def test_a_library_in_a_folder_loads_nothing_of_postgresql(library: Library) -> None:
    code = (
        "import sys\nfrom store import Library\nfrom store.check import verify\n"
        "with Library.open(sys.argv[1]) as library:\n"
        "    verify(library)\n"
        "    with library.exclusive() as writer, writer.transaction(): pass\n"
        "names = ('psycopg', 'sqlalchemy.dialects.postgresql', 'store.catalog.postgresql.backend')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, library.path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.sqlite(
    "on a server, index files belong to the machine, and are written without a right to change the library"
)
def test_a_library_that_is_only_read_takes_no_lock(library: Library) -> None:
    with Library.open_to_read(library.path) as opened:
        for lock in (opened.exclusive(), opened.publication(), opened.publication_if_free()):
            with pytest.raises(LibraryReadOnly), lock:
                raise AssertionError("the library was locked")
