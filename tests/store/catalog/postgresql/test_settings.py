"""What users may do, and what the settings of a server change."""

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from core.errors import (
    LibraryOutdated,
    LibraryReadOnly,
)
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.catalog import schema
from store.catalog.postgresql.address import ServerAddress
from store.catalog.postgresql.connections import connect
from store.change_counter import ChangeCounter
from store.check import verify
from tests.support.statements import execute

pytestmark = pytest.mark.servers


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
    with psycopg.connect(postgres_url) as plain:
        limits = [each for each in LIMITS if each != "transaction_timeout" or plain.info.server_version >= 170_000]
    execute(postgres_url, *(f"ALTER DATABASE \"{name}\" SET {each} = '1min'" for each in limits))
    with connect(ServerAddress.parse(postgres_url)) as connection:
        settings = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [limits])
        assert dict(settings.fetchall()) == dict.fromkeys(limits, "0")


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
