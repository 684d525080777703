"""Two addresses of one library, and two libraries that look alike."""

from pathlib import Path

import psycopg
import pytest

from core.errors import MergeWithItself, TargetNotEmpty
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.merge.merging import merge
from store.migrate.migrating import migrate, require_empty
from tests.support.postgres import PostgresServer
from tests.support.statements import execute

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def local_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are derived from libraries on servers go into the test's folder."""
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))


@pytest.fixture
def aliases(postgres_url: str) -> list[str]:
    """Other addresses of a database: another name of the host, another user, and parameters."""
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    user = f'"reader {name}"'
    rights = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"
    with Library.open(postgres_url, create=True):
        execute(postgres_url, f"DROP ROLE IF EXISTS {user}", f"CREATE ROLE {user} LOGIN", rights)
    return [
        postgres_url.replace("127.0.0.1", "localhost"),
        postgres_url.replace("sightline@", f"reader%20{name}@"),
        f"{postgres_url}?application_name=other",
    ]


def test_library_is_not_merged_with_itself_by_another_address(
    album: Path, postgres_url: str, aliases: list[str]
) -> None:
    with Library.open(postgres_url) as library:
        index(library, album, FakeEncoder())
        for alias in aliases:
            with Library.open_to_read(alias) as other, pytest.raises(MergeWithItself):
                merge(library, other)


def test_library_is_not_migrated_to_itself(postgres_url: str, aliases: list[str], library: Library) -> None:
    """Not even an empty one, which a migration could fill."""
    with Library.open(postgres_url) as source:
        for alias in aliases:
            with Library.open(alias) as target:
                for refused in (migrate, require_empty):
                    with pytest.raises(TargetNotEmpty, match="it is the library that would be copied"):
                        refused(source, target)
    with pytest.raises(TargetNotEmpty, match="it is the library that would be copied"):
        migrate(library, library)


def test_copy_of_a_database_is_another_library(album: Path, postgres_url: str, postgres_server: PostgresServer) -> None:
    with Library.open(postgres_url, create=True) as library:
        index(library, album, FakeEncoder())
    name = postgres_server.create_database(str(psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]))
    try:
        with Library.open(postgres_url) as library, Library.open_to_read(postgres_server.url(name)) as copy:
            assert merge(library, copy).pictures == {"present": 4}
    finally:
        postgres_server.drop_database(name)


def test_copy_of_a_server_is_another_library(album: Path, postgres_url: str, postgres_server: PostgresServer) -> None:
    """A copy of its disk has the numbers of its database and of its data, and stays on its timeline."""
    with Library.open(postgres_url, create=True), postgres_server.clone() as server:
        name = str(psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"])
        with Library.open(server.url(name)) as copy:
            index(copy, album, FakeEncoder())
        with Library.open(postgres_url) as library, Library.open_to_read(server.url(name)) as copy:
            assert merge(library, copy).pictures == {"new": 4}


def test_schemas_of_a_database_are_two_libraries(album: Path, postgres_url: str) -> None:
    execute(postgres_url, "CREATE SCHEMA second")
    second = f"{postgres_url}?options=-csearch_path%3Dsecond"
    with Library.open(postgres_url, create=True) as library, Library.open(second, create=True) as other:
        index(other, album, FakeEncoder())
        assert merge(library, other).pictures == {"new": 4}
