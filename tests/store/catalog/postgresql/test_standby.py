"""A server that follows another one: it is searched and served, and becomes the one that is written."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from core.errors import LibraryNotFound, LibraryReadOnly
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.change_counter import ChangeCounter
from store.check import verify
from store.spaces import index_cache
from store.spaces.registry import named_space
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.servers

DEADLINE_SECONDS = 60


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while not condition():
        assert monotonic() < deadline
        sleep(0.02)


def test_a_standby_is_searched_and_takes_over(
    postgres_server: PostgresServer,
    postgres_url: str,
    album: Path,
    paint: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Library.open(postgres_url, create=True) as primary, postgres_server.standby() as server:
        index(primary, album, FakeEncoder())
        monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "elsewhere"))
        url = server.url(str(conninfo_to_dict(postgres_url)["dbname"]))
        wait_until(lambda: _revision(url) == primary.revision())
        with Library.open(url, create=True) as follower:
            assert follower.read_only == "its server is a standby, which follows another one"
            stored, counter = named_space(follower, "fake"), ChangeCounter(follower)
            assert found(follower) == {album / "red.png"}
            assert index_cache.heal(follower, stored)
            assert index_cache.load(follower, stored).published
            with pytest.raises(LibraryReadOnly, match="standby"), follower.exclusive():
                raise AssertionError("the library was locked")
            before = counter.value()
            paint(album / "dark red.png", (200, 0, 0))
            index(primary, album, FakeEncoder())
            wait_until(lambda: counter.value() != before)
            wait_until(lambda: follower.revision() == primary.revision())
            assert found(follower) == {album / "red.png", album / "dark red.png"}
            assert index_cache.heal(follower, stored)
            assert verify(follower) == []
            counter.close()
            identity = _identity(follower)
        primary.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        with Library.open(url) as successor:
            assert successor.read_only is None
            assert _identity(successor) != identity, "its files may be of what the other server did afterwards"
            (album / "red.png").unlink()
            index(successor, album, FakeEncoder())
            assert found(successor) == {album / "dark red.png"}
            assert verify(successor) == []


def _revision(url: str) -> int:
    try:
        with Library.open(url) as library:
            return library.revision()
    except LibraryNotFound:
        return -1


def _identity(library: Library) -> str:
    with library.read() as connection:
        return library.backend.identity(connection)


def found(library: Library) -> set[Path]:
    answer = Searcher(library, FakeEncoder()).search("red")
    return {hit.path for hit in answer if hit.score > 0.9}
