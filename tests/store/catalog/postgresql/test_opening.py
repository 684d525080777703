"""Opening libraries on a server: what is refused and why."""

import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from core.errors import (
    ExtraMissing,
    LibraryNotFound,
    LibraryTooNew,
    LibraryUnreachable,
    LibraryUnusable,
)
from store import Library
from store.check import verify
from tests.support.statements import execute, in_threads

pytestmark = pytest.mark.servers


def test_a_library_is_created_on_request_only(postgres_url: str) -> None:
    with pytest.raises(LibraryNotFound) as caught:
        Library.open(postgres_url)
    assert caught.value.path == postgres_url
    with pytest.raises(LibraryNotFound):
        Library.open_to_read(postgres_url)
    Library.open(postgres_url, create=True).close()
    with Library.open(postgres_url) as library:
        assert library.read_only is None
        assert library.backend.name == "postgresql"
        assert library.location == postgres_url
        assert library.path.is_dir()
        assert verify(library) == []


def test_a_url_that_went_through_a_path_is_understood(library: Library, postgres_url: str) -> None:
    with Library.open(Path(postgres_url)) as other:
        assert other.path == library.path
    with Library.open(postgres_url.replace("postgresql://", "postgres://")) as other:
        assert other.path == library.path


def test_several_processes_can_create_the_same_library(postgres_url: str) -> None:
    assert in_threads(6, lambda: Library.open(postgres_url, create=True).close()) == []
    with Library.open(postgres_url) as library, library.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM library")).scalar_one() == 1


def test_a_database_of_another_application_is_refused(postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE invoices (id bigint)")
    for create in (False, True):
        with pytest.raises(LibraryUnusable, match="contains other tables"):
            Library.open(postgres_url, create=create)
    execute(postgres_url, "CREATE TABLE alembic_version (version_num text)", "DROP TABLE invoices")
    with pytest.raises(LibraryUnusable, match="contains other tables"):
        Library.open(postgres_url, create=True)


def test_tables_of_extensions_are_no_other_tables(pgvector_url: str) -> None:
    execute(pgvector_url, "CREATE EXTENSION IF NOT EXISTS vector")
    Library.open(pgvector_url, create=True).close()


def test_a_library_without_the_index_of_texts_works(postgres_server: object, postgres_url: str) -> None:
    """A user who may not create extensions has none."""
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(
        postgres_url,
        f"DROP ROLE IF EXISTS \"only {name}\"",
        f"CREATE ROLE \"only {name}\" LOGIN",
        f"GRANT CREATE ON SCHEMA public TO \"only {name}\"",
    )  # fmt: skip
    url = postgres_url.replace("sightline@", f"only%20{name}@")
    with Library.open(url, create=True) as library, library.read() as connection:
        assert connection.scalar(text("SELECT to_regclass('text_index')")) is None
        assert verify(library) == []


def test_libraries_in_two_schemas_have_the_index_of_texts(postgres_url: str) -> None:
    """The extension that it needs is in one of them."""
    for name in ("First", "second"):
        execute(postgres_url, f'CREATE SCHEMA "{name}"')
        url = f"{postgres_url}?options=-csearch_path%3D%22{name}%22"
        with Library.open(url, create=True) as library, library.read() as connection:
            assert connection.scalar(text("SELECT to_regclass('text_index')")) is not None


def test_an_unknown_schema_is_refused(library: Library, postgres_url: str) -> None:
    execute(postgres_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LibraryTooNew) as caught:
        Library.open(postgres_url)
    assert caught.value.revision == "9999"
    with pytest.raises(LibraryTooNew), library.exclusive():
        raise AssertionError("the library was locked for writing")


def test_a_database_with_another_encoding_is_refused(postgres_server: object, postgres_url: str) -> None:
    server = postgres_url.rpartition("/")[0]
    execute(f"{server}/postgres", "CREATE DATABASE plain_bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    try:
        with pytest.raises(LibraryUnusable, match="encoding SQL_ASCII"):
            Library.open(f"{server}/plain_bytes", create=True)
    finally:
        execute(f"{server}/postgres", "DROP DATABASE plain_bytes")


def test_an_older_server_is_refused(library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.catalog.postgresql.server.OLDEST_VERSION", 99)
    with pytest.raises(LibraryUnusable, match="99 or later is required"):
        Library.open(postgres_url)


def test_a_server_that_does_not_answer_is_unreachable(postgres_url: str) -> None:
    for url in ("postgresql://127.0.0.1:1/none", "postgresql://no-such-host.invalid/none"):
        with pytest.raises(LibraryUnreachable) as caught:
            Library.open(url)
        assert url in str(caught.value)


def test_a_database_that_does_not_exist_is_named(postgres_url: str) -> None:
    with pytest.raises(LibraryUnusable, match='"not_there" does not exist'):
        Library.open(f"{postgres_url.rpartition('/')[0]}/not_there", create=True)


@pytest.mark.parametrize(
    "url", ["postgresql://host:port/x", "postgresql:///?no_such_parameter=1", "postgresql://[::1/x"]
)
def test_a_url_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(LibraryUnusable):
        Library.open(url, create=True)


def test_a_password_is_never_shown(postgres_url: str) -> None:
    secret = postgres_url.replace("sightline@", "sightline:geheim@")
    for url in (secret, f"{postgres_url}?password=geheim", f"{postgres_url}?sslpassword=geheim&password=geheim"):
        with Library.open(url, create=True) as library:
            texts = [library.location, str(library.path), repr(library.backend.engine), repr(vars(library.backend))]
            assert not any("geheim" in each for each in texts), texts
            assert library.location == postgres_url
    with pytest.raises(LibraryUnusable) as caught:
        Library.open(f"{secret}_not_there")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://anna:%geheim@db/x", "postgresql://anna:geheim@[::1/x", "postgresql://db/x?password=geheim%"]
)
def test_a_password_is_not_shown_where_the_url_cannot_be_read(url: str) -> None:
    with pytest.raises(LibraryUnusable, match="its URL cannot be read") as caught:
        Library.open(url)
    assert "geheim" not in str(caught.value)
    assert caught.value.__suppress_context__  # what libpq says quotes it


def test_the_driver_is_named_if_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ExtraMissing) as caught:
        Library.open("postgresql://host/database")
    assert caught.value.extra == "postgresql"
