"""Opening libraries on a server: what is refused and why, transactions, and connections that are lost."""

import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import insert, select, text

from core.errors import (
    ExtraMissing,
    LibraryNotFound,
    LibraryOutdated,
    LibraryReadOnly,
    LibraryTooNew,
    LibraryUnreachable,
    LibraryUnusable,
    LockLost,
)
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.albums.records import AlbumRecord
from store.albums.saved import save_album
from store.catalog import schema
from store.catalog.postgresql import engine
from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.connections import connect
from store.catalog.postgresql.locks import LockConnections
from store.catalog.tables import LibraryState, Tag
from store.catalog.transactions import writing
from store.change_counter import ChangeCounter
from store.check import verify
from store.library import mark_changed
from store.spaces.drop import free_bytes, vacuum

pytestmark = pytest.mark.servers


@pytest.fixture
def library(postgres_url: str) -> Iterator[Library]:
    with Library.open(postgres_url, create=True) as opened:
        yield opened


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def in_threads(number: int, work: Callable[[], None]) -> list[BaseException]:
    """Run `work` in several threads at once; return what they raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


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


def test_a_user_who_may_only_read_can_search(library: Library, postgres_url: str, album: Path) -> None:
    index(library, album, FakeEncoder())
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(
        postgres_url,
        f"DROP ROLE IF EXISTS \"reader {name}\"",
        f"CREATE ROLE \"reader {name}\" LOGIN",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"reader {name}\"",
    )  # fmt: skip
    with Library.open(postgres_url.replace("sightline@", f"reader%20{name}@")) as reader:
        assert reader.read_only == "you may not write to its tables"
        assert Searcher(reader, FakeEncoder()).search("red")[0].path == album / "red.png"
        assert ChangeCounter(reader).value() >= 0
        with pytest.raises(LibraryReadOnly), reader.transaction():
            raise AssertionError("a transaction began")
        with pytest.raises(LibraryReadOnly), reader.exclusive():
            raise AssertionError("the library was locked")


def test_a_user_who_may_only_add_records_cannot_change_the_library(library: Library, postgres_url: str) -> None:
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(
        postgres_url,
        f"DROP ROLE IF EXISTS \"adder {name}\"",
        f"CREATE ROLE \"adder {name}\" LOGIN",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO \"adder {name}\"",
    )  # fmt: skip
    with Library.open(postgres_url.replace("sightline@", f"adder%20{name}@")) as opened:
        assert opened.read_only == "you may not write to its tables"


def test_the_name_of_a_schema_can_have_any_characters(postgres_url: str) -> None:
    execute(postgres_url, 'CREATE SCHEMA "Foto-Archiv"')
    url = f"{postgres_url}?options=-csearch_path%3D%22Foto-Archiv%22"
    with Library.open(url, create=True) as creator, Library.open(url) as other:
        with creator.exclusive(), other.exclusive_if_free() as writer:
            assert writer is None
        assert list(verify(creator)) == list(verify(other)) == []


LIMITS = (
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)


def test_limits_that_an_administrator_set_do_not_hold(postgres_url: str) -> None:
    """Else a run would lose its lock while it embeds, and a long search would be stopped."""
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(postgres_url, *(f"ALTER DATABASE \"{name}\" SET {each} = '1min'" for each in LIMITS))
    with connect(ServerAddress.parse(postgres_url)) as connection:
        settings = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [[*LIMITS]])
        assert dict(settings.fetchall()) == dict.fromkeys(LIMITS, "0")


def test_numbers_are_read_as_they_were_written(postgres_url: str) -> None:
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(postgres_url, f'ALTER DATABASE "{name}" SET extra_float_digits = 0')
    with Library.open(postgres_url, create=True) as library, library.read() as connection:
        assert connection.scalar(text("SELECT CAST(0.1 AS double precision) + 0.2")) == 0.1 + 0.2


def test_a_database_that_only_reads_is_read_only(library: Library, postgres_url: str) -> None:
    name = conninfo_to_dict(postgres_url)["dbname"]
    execute(postgres_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with Library.open(postgres_url) as opened:
        assert opened.read_only == "its server does not accept changes from you"
        assert opened.revision() == 0


def test_a_library_that_is_only_read_is_not_upgraded(
    library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open_to_read(postgres_url) as opened, pytest.raises(LibraryReadOnly), opened.transaction():
        raise AssertionError("a transaction began")
    monkeypatch.setattr(schema, "HEAD", "9001")
    monkeypatch.setattr(schema, "revisions", lambda: {"0015", "9001"})
    with pytest.raises(LibraryOutdated):
        Library.open_to_read(postgres_url)


def test_transactions_that_read_and_then_write_lose_no_update(library: Library, postgres_url: str) -> None:
    def work() -> None:
        with Library.open(postgres_url) as own:
            for _ in range(10):
                with own.transaction() as connection:
                    before = connection.scalar(select(LibraryState.revision)) or 0
                    connection.execute(text("UPDATE library SET revision = :next"), {"next": before + 1})

    assert in_threads(6, work) == []
    assert library.revision() == 60


def test_a_reader_has_a_consistent_view_and_cannot_write(library: Library) -> None:
    with library.read() as reader:
        before = reader.scalar(select(LibraryState.revision))
        with library.transaction() as connection:
            mark_changed(connection)
        assert reader.scalar(select(LibraryState.revision)) == before
    with pytest.raises(LibraryReadOnly), library.read() as reader:
        mark_changed(reader)
    assert library.revision() == 1


def test_a_transaction_is_rolled_back_on_an_exception(library: Library) -> None:
    with pytest.raises(KeyError), library.transaction() as connection:
        mark_changed(connection)
        raise KeyError("half way")
    assert library.revision() == 0


def test_a_commit_that_fails_does_not_block_the_next_transaction(library: Library, postgres_url: str) -> None:
    execute(postgres_url, "ALTER TABLE pictures ALTER CONSTRAINT fk_pictures_content_id_contents DEFERRABLE")
    with library.connect() as connection:
        with pytest.raises(Exception, match="violates foreign key"), writing(connection):
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            connection.execute(text("INSERT INTO roots (id, path, added_at) VALUES (1, '', now())"))
            connection.execute(
                text(
                    "INSERT INTO pictures (root_id, relpath, size, mtime_ns, content_id, state) "
                    "VALUES (1, '', 1, 1, 77, 'present')"
                )
            )
        with writing(connection):
            connection.execute(text("UPDATE library SET revision = 5"))
    assert library.revision() == 5


def test_the_change_counter_differs_after_every_commit_that_changes_something(
    library: Library, postgres_url: str
) -> None:
    counter = ChangeCounter(library)
    values = [counter.value()]
    with library.transaction() as connection:
        mark_changed(connection)
        assert counter.value() == values[-1], "an uncommitted change is visible"
    values.append(counter.value())
    with Library.open(postgres_url) as other:
        save_album(other, AlbumRecord("mine", "a beach", None, 100, is_ranked=True))
    values.append(counter.value())
    assert len(set(values)) == 3
    with pytest.raises(KeyError), library.transaction() as connection:
        mark_changed(connection)
        raise KeyError
    with library.transaction() as connection:
        connection.execute(select(Tag.id)).all()
    assert counter.value() == counter.value() == values[-1]
    counter.close()


def end_connections(url: str) -> None:
    execute(
        url,
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_lost_connections_are_replaced(library: Library, postgres_url: str) -> None:
    counter = ChangeCounter(library)
    counter.value()
    for _ in range(3):
        assert library.revision() == 0
        end_connections(postgres_url)
    assert library.revision() == 0
    with pytest.raises(LibraryUnreachable):
        counter.value()
    assert counter.value() == counter.value()
    counter.close()


def test_a_kept_connection_whose_loss_the_driver_noticed_is_replaced(library: Library) -> None:
    """No statement fails then, by which the engine would notice it, too."""
    counter = ChangeCounter(library)
    number = counter.value()
    kept = counter._connection
    assert kept is not None
    assert kept.connection.dbapi_connection is not None
    kept.connection.dbapi_connection.close()
    with pytest.raises(LibraryUnreachable):
        counter.value()
    assert counter.value() == number
    counter.close()


def test_a_connection_that_is_lost_within_a_transaction_rolls_it_back(library: Library, postgres_url: str) -> None:
    with pytest.raises(LibraryUnreachable), library.transaction() as connection:
        mark_changed(connection)
        end_connections(postgres_url)
        mark_changed(connection)
    assert library.revision() == 0


def test_connections_that_the_server_ends_at_once_are_no_error_of_the_pool(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.revision() == 0
    monkeypatch.setattr(engine, "is_lost", lambda _: True)
    assert library.revision() == 0


def test_a_connection_that_is_lost_does_not_hide_that_a_lock_was_lost(
    library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both happen when a server restarts."""

    def lose(*_: object) -> None:
        end_connections(postgres_url)
        raise LockLost(library.location, "writer.lock")

    monkeypatch.setattr(LockConnections, "check", lose)
    with pytest.raises(LockLost), library.transaction():
        raise AssertionError("a transaction began")
    assert library.revision() == 0
    assert not caplog.records, "the pool wrote a traceback"


def test_a_writer_that_waits_too_long_says_why(
    library: Library, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.catalog.postgresql.connections._SETTINGS", "SET lock_timeout = '50ms'")
    with (
        Library.open(postgres_url) as other,
        library.transaction(),
        pytest.raises(LibraryUnusable, match="another program is writing"),
        other.transaction(),
    ):
        raise AssertionError("two transactions write")


def test_nothing_waits_to_keep_counts(library: Library, postgres_url: str) -> None:
    with (
        Library.open(postgres_url) as other,
        library.transaction(),
        pytest.raises(LibraryUnusable),
        other.connect() as connection,
        other.backend.impatient(connection),
        writing(connection),
    ):
        raise AssertionError("two transactions write")
    with library.connect() as connection, library.backend.impatient(connection), writing(connection):
        mark_changed(connection)
    assert library.revision() == 1


def test_order_of_texts_is_that_of_their_bytes(library: Library) -> None:
    names = ["a", "B", "ä", "Z", "z", "_", "中", "\U0001f30b", "á"]
    with library.transaction() as connection:
        connection.execute(insert(Tag), [{"key": name, "name": name} for name in names])
        assert connection.execute(select(Tag.key).order_by(Tag.key)).scalars().all() == sorted(names)


def test_maintenance(library: Library) -> None:
    assert free_bytes(library) == 0
    with library.exclusive() as writer:
        vacuum(writer)
        with writer.transaction() as connection:
            mark_changed(connection)
    assert library.revision() == 1


def test_faults_of_the_database_are_found(library: Library, postgres_url: str) -> None:
    assert verify(library) == []
    execute(
        postgres_url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_contents_camera'::regclass",
        "ALTER TABLE tags ADD CONSTRAINT odd CHECK (id > 5) NOT VALID",
    )
    details = {fault.detail for fault in verify(library)}
    assert details == {
        "the index ix_contents_camera is not usable",
        "tags has a constraint that was never checked: odd",
    }


def test_path_that_the_server_cannot_store_costs_only_its_file(library: Library, album: Path) -> None:
    folder = os.open(album / "more", os.O_RDONLY)
    for _ in range(12):  # random names cannot be compressed
        name = secrets.token_hex(120)
        os.mkdir(name, dir_fd=folder)
        outer, folder = folder, os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(outer)
    with os.fdopen(os.open("deep.png", os.O_WRONLY | os.O_CREAT, dir_fd=folder), "wb") as file:
        file.write((album / "red.png").read_bytes())
    os.close(folder)
    summary = index(library, album, FakeEncoder())
    assert (summary.new, summary.failed, summary.missing) == (4, 0, 0)
    (left_out,) = summary.too_long
    assert left_out.startswith(f"{album}/more/")
    assert index(library, album, FakeEncoder()).unchanged == 4
