"""A library that goes from SQLite to PostgreSQL and back is the same library."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update

from core.errors import MigrationFailed, TargetNotEmpty
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.catalog.path_keys import path_columns
from store.catalog.tables import Content, Embedding, Picture, Tag
from store.check import verify
from store.migrate.carried_tables import is_empty
from store.migrate.migrating import MigrationHooks, migrate, publish_indexes
from store.tags import Tagging, add_tags, tags_of
from tests.store.migrate.test_migrating import fill, raw_rows
from tests.support.postgres import PostgresServer
from tests.support.writers import run_forget

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def local_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are derived from libraries on servers go into the test's folder."""
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))


@pytest.fixture
def remote(postgres_url: str) -> Iterator[Library]:
    """An empty library in PostgreSQL."""
    with Library.open(postgres_url, create=True) as opened:
        yield opened


def test_library_works_in_postgresql_and_comes_back(
    indexed: Library, remote: Library, album: Path, tmp_path: Path
) -> None:
    ids = [hit.id for hit in Searcher(indexed).search("red")]
    scores = [hit.score for hit in Searcher(indexed).search("red")]
    add_tags(indexed, [Tagging(ids[0], "people/Anna")])
    expected = raw_rows(indexed.path)
    there = migrate(indexed, remote)
    publish_indexes(remote)
    assert verify(remote) == []
    answer = Searcher(remote).search("red")
    assert ([hit.id for hit in answer], [hit.score for hit in answer]) == (ids, scores)
    assert [tag.name for tag in tags_of(remote, ids[:1])[ids[0]]] == ["people/Anna"]
    with Library.open(tmp_path / "back", create=True) as back:
        assert migrate(remote, back).tables == there.tables
        assert raw_rows(back.path) == expected
        assert verify(back) == []
    summary = index(remote, [album], FakeEncoder())
    assert (summary.unchanged, summary.new) == (4, 0)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=4, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_random_libraries_come_back_as_they_were(
    seed: int, tmp_path_factory: pytest.TempPathFactory, empty_library: Path, postgres_server: PostgresServer
) -> None:
    folder = tmp_path_factory.mktemp("random")
    for name in ("first", "back"):
        shutil.copytree(empty_library, folder / name)
    database = postgres_server.create_database()
    with (
        Library.open(folder / "first") as first,
        Library.open(postgres_server.url(database), create=True) as remote,
        Library.open(folder / "back") as back,
    ):
        fill(first, seed)
        migrate(first, remote)
        migrate(remote, back)
    assert raw_rows(folder / "back") == raw_rows(folder / "first")
    postgres_server.drop_database(database)
    shutil.rmtree(folder)


def test_ids_are_not_given_again_there_and_back(indexed: Library, remote: Library, album: Path, tmp_path: Path) -> None:
    with indexed.read() as connection:
        highest = max(connection.execute(select(Content.id)).scalars())
    run_forget(indexed, album)
    values = {"digest": bytes(32), "size": 1, "format": "PNG", "width": 1, "height": 1}
    added = insert(Content).values(values).returning(Content.id)
    migrate(indexed, remote)
    with remote.transaction() as connection:
        assert connection.execute(added).scalar_one() == highest + 1
        connection.execute(delete(Content))
    with Library.open(tmp_path / "back", create=True) as back:
        migrate(remote, back)
        with back.transaction() as connection:
            assert connection.execute(added).scalar_one() == highest + 2


def test_triggers_work_after_the_migration(indexed: Library, remote: Library) -> None:
    migrate(indexed, remote)
    count = text("SELECT count(*), max(id) FROM vector_changes")
    with remote.transaction() as connection:
        before = connection.execute(count).one()
        connection.execute(
            delete(Embedding).where(Embedding.content_id == select(Content.id).limit(1).scalar_subquery())
        )
        assert connection.execute(count).one() == (before[0] + 1, before[1] + 1)


def test_path_that_is_too_long_for_an_index_is_refused(indexed: Library, remote: Library) -> None:
    long = random.Random(1).randbytes(3_000).replace(b"\0", b"x")  # the server compresses what repeats itself
    with indexed.transaction() as connection:
        longest = select(func.max(Picture.id)).scalar_subquery()
        changed = update(Picture).where(Picture.id == longest).values(relpath=long, **path_columns(long))
        assert connection.execute(changed).rowcount == 1
    with pytest.raises(MigrationFailed, match="In the table pictures, the rows cannot be written") as refused:
        migrate(indexed, remote)
    assert refused.value.is_limit


def test_text_with_nul_is_refused(indexed: Library, remote: Library) -> None:
    with indexed.transaction() as connection:
        connection.execute(insert(Tag).values(key="a\0b", name="a\0b"))
    with pytest.raises(MigrationFailed, match=r"In the table tags, the rows cannot be written .*NUL") as refused:
        migrate(indexed, remote)
    assert refused.value.is_limit


def test_two_migrations_into_one_database_do_not_mix(indexed: Library, remote: Library, postgres_url: str) -> None:
    """The second one waits for the first one, and is refused then."""
    errors: list[Exception] = []

    def second() -> None:
        with Library.open(postgres_url) as other:
            try:
                migrate(indexed, other)
            except TargetNotEmpty as exc:
                errors.append(exc)

    thread = Thread(target=second)
    migrate(indexed, remote, MigrationHooks(begin=lambda _: thread.start()))
    thread.join()
    assert len(errors) == 1
    assert verify(remote) == []


def test_failed_migration_leaves_an_empty_library(indexed: Library, remote: Library) -> None:
    with indexed.transaction() as connection:
        connection.execute(insert(Tag).values(key="a\0b", name="a\0b"))
    with pytest.raises(MigrationFailed, match="In the table tags, the rows cannot be written"):
        migrate(indexed, remote)
    with remote.read() as connection:
        assert is_empty(connection)
    with indexed.transaction() as connection:
        connection.execute(delete(Tag))
    migrate(indexed, remote)
    with pytest.raises(TargetNotEmpty):
        migrate(indexed, remote)
