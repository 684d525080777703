"""Transactions, order and maintenance of a catalogue on a server."""

import os
import secrets
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import insert, select, text

from core.errors import (
    LibraryReadOnly,
    LibraryUnreachable,
    LibraryUnusable,
)
from encoders.fake import FakeEncoder
from indexer import index, pipeline
from store import Library
from store.albums.records import AlbumRecord
from store.albums.saved import save_album
from store.catalog.tables import Content, LibraryState, Tag
from store.catalog.transactions import writing
from store.change_counter import ChangeCounter
from store.check import verify
from store.library import mark_changed
from store.spaces.drop import free_bytes, vacuum
from tests.support.statements import execute, in_threads

pytestmark = pytest.mark.servers


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


def test_a_run_with_many_new_files_counts_the_rows_of_the_server(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would do it by itself later. Without a count, it takes each table for a small one."""
    counted = "SELECT reltuples FROM pg_class WHERE oid IN ('pictures'::regclass, 'contents'::regclass)"
    for number in range(6):
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    for many, rows in ((7, {-1.0}), (1, {6.0 + 1})):
        monkeypatch.setattr(pipeline, "MANY_FILES", many)
        index(library, tmp_path, FakeEncoder())
        with library.read() as connection:
            assert set(connection.exec_driver_sql(counted).scalars()) == rows
        Image.new("RGB", (8, 8), (0, 200, 0)).save(tmp_path / "further.png")


def test_statement_with_too_many_values_is_named(library: Library) -> None:
    """The driver does not send it. The server can be reached."""
    statement = select(Content.id).where(Content.id.in_(range(70_000)))
    told = r"more values than its database takes \(65,535\)"
    with pytest.raises(LibraryUnusable, match=told) as caught, library.read() as connection:
        connection.execute(statement)
    assert not isinstance(caught.value, LibraryUnreachable)
    assert library.revision() == 0
