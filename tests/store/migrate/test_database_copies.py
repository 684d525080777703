"""Copies of a library that PostgreSQL makes: a dump that is restored, and a standby server that follows."""

import subprocess
import time
from pathlib import Path

import pytest
from sqlalchemy import insert

from core.errors import LibraryReadOnly
from search import Searcher
from store import Library
from store.catalog.tables import Content
from store.check import verify
from store.migrate.migrating import migrate
from store.tags import Tagging, add_tags, list_tags
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.servers, pytest.mark.processes]

PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def local_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))


def test_dump_restores_the_library(
    indexed: Library, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with Library.open(postgres_url, create=True) as library:
        migrate(indexed, library)
        add_tags(library, [Tagging(1, "Rome")])
        expected = [(hit.id, hit.score) for hit in Searcher(library).search("red")]
        rows = {"digest": bytes(32), "size": 1, "format": "PNG", "width": 1, "height": 1}
    dump = tmp_path / "photos.dump"
    run(postgres_server, "pg_dump", "--format=custom", f"--file={dump}", postgres_url)
    other = postgres_server.url(postgres_server.create_database())
    run(postgres_server, "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={other}", str(dump))
    with Library.open(other) as restored:
        assert verify(restored) == []
        assert [(hit.id, hit.score) for hit in Searcher(restored).search("red")] == expected
        assert [tag.name for tag in list_tags(restored)] == ["Rome"]
        with restored.transaction() as connection:  # no ID is given again, and triggers work
            added = connection.execute(insert(Content).values(rows).returning(Content.id)).scalar_one()
        assert added > max(content for content, _ in expected)


def run(server: PostgresServer, *command: str) -> None:
    program, *options = command
    subprocess.run([server.program(program), *options], check=True, capture_output=True, timeout=PATIENCE_SECONDS)


def test_standby_answers_and_follows(indexed: Library, postgres_url: str, postgres_server: PostgresServer) -> None:
    with Library.open(postgres_url, create=True) as library:
        migrate(indexed, library)
        with postgres_server.standby() as standby, Library.open(standby.url(postgres_url.rsplit("/", 1)[-1])) as copy:
            assert copy.read_only == "its server is a standby, which follows another one"
            assert [hit.id for hit in Searcher(copy).search("red")] == [
                hit.id for hit in Searcher(library).search("red")
            ]
            with pytest.raises(LibraryReadOnly):
                add_tags(copy, [Tagging(1, "No")])
            add_tags(library, [Tagging(1, "Rome")])
            deadline = time.monotonic() + PATIENCE_SECONDS
            while [tag.name for tag in list_tags(copy)] != ["Rome"]:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert verify(copy) == []
