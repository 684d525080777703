"""The names of engines on servers, and what messages say about them."""

from pathlib import Path

import pytest

from core.errors import IndexEngineUnavailable, UnknownIndexEngine
from store import Library
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE, approximate_from, chosen_engine, index_engine, new_index
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.address import parse_address
from store.spaces.server_engines.opening import chosen_address, open_engine


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("pgvector", "pgvector in the database of the library"),
        (
            "pgvector:postgresql://me:hidden@db.example:5433/photos",
            "pgvector at postgresql://me@db.example:5433/photos",
        ),
        ("pgvector:postgres://db/photos?password=hidden&sslmode=require", "pgvector at postgres://db/photos"),
        ("pgvector:postgresql:///photos", "pgvector at postgresql:///photos"),
        ("pgvector:postgresql://[::1]:5433/photos", "pgvector at postgresql://[::1]:5433/photos"),
        ("milvus:http://me:hidden@vectors:19530", "milvus at http://me@vectors:19530"),
        ("milvus:/data/engine.db", "milvus in /data/engine.db"),
    ],
)
def test_an_address_is_shown_without_its_password(name: str, shown: str) -> None:
    address = parse_address(name)
    assert address is not None
    assert address.shown == shown
    assert "hidden" not in repr(address)


def test_a_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = parse_address("milvus:engine.db")
    assert address is not None
    assert address.location == str(tmp_path / "engine.db")


@pytest.mark.parametrize(
    "name",
    [
        "pgvector:hidden",
        "pgvector:mysql://me:hidden@db/photos",
        "pgvector:postgresql://me:hidden@db:port/photos",
        "pgvector:me:hidden@db",
        "milvus",
        "milvus:",
        "milvus:hidden",
        "milvus:postgresql://me:hidden@db",
        "milvus:http://",
        "pgvectr:postgresql://me:hidden@db/photos",
    ],
)
def test_a_wrong_address_is_refused_without_repeating_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, name)
    with pytest.raises(UnknownIndexEngine, match="milvus:http://HOST:19530") as caught:
        index_engine()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "auto", "auto:5", "flat", "torch"])
def test_other_engines_are_not_on_a_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, name)
    assert chosen_address() is None


def test_index_files_are_flat_beside_a_server(stored: StoredSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "pgvector:postgresql://me:hidden@db/photos")
    assert chosen_engine() == "pgvector"
    assert approximate_from() is None
    assert isinstance(new_index(stored), FlatIndex)


def test_messages_of_a_driver_are_shown_without_the_password() -> None:
    address = parse_address("pgvector:postgresql://me:p%40ss@db/photos?sslpassword=other")
    assert address is not None
    assert address.redacted("not p@ss or p%40ss, other\nIs it running?") == "not *** or ***, ***"


def test_no_part_of_a_password_with_an_at_sign_is_shown() -> None:
    address = parse_address("pgvector:postgresql://me:secret@hidden@db/photos")  # libpq: the host is `hidden@db`
    assert address is not None
    shown = address.shown + address.redacted("failed to resolve host 'hidden@db'")
    assert "secret" not in shown
    assert "hidden" not in shown
    assert "%40" in shown


@pytest.mark.sqlite("a library in a folder")
def test_the_database_of_a_library_in_a_folder_is_none(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "pgvector")
    address = chosen_address()
    assert address is not None
    with pytest.raises(IndexEngineUnavailable, match="not in PostgreSQL"):
        open_engine(library, stored, address)
