"""A library that is reached through PgBouncer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from core.errors import LibraryUnusable
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.check import verify
from tests.support.poolers import PoolMode, running_pooler
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.servers

Pooler = Callable[[PoolMode], str]


@pytest.fixture
def pooler(postgres_server: PostgresServer, postgres_url: str) -> Iterator[Pooler]:
    """Start PgBouncer in a mode, and return the URL of the database through it."""
    with ExitStack() as stack:

        def start(mode: PoolMode) -> str:
            return stack.enter_context(running_pooler(postgres_server, postgres_url, mode))

        yield start


def test_a_library_works_through_a_pooler_in_session_mode(pooler: Pooler, album: Path) -> None:
    url = pooler("session")
    with Library.open(url, create=True) as library, Library.open(url) as other:
        assert index(library, [album], FakeEncoder()).new == 4
        assert Searcher(other, FakeEncoder()).search("red")[0].path.name == "red.png"
        with library.exclusive(), other.exclusive_if_free() as refused:
            assert refused is None
        with other.exclusive_if_free() as writer:
            assert writer is not None
        assert verify(other) == []


def test_a_pooler_in_transaction_mode_is_refused(pooler: Pooler, postgres_url: str) -> None:
    url = pooler("transaction")
    for create in (True, False):
        with pytest.raises(LibraryUnusable, match="The pooler must work in session mode"):
            Library.open(url, create=create)
        Library.open(postgres_url, create=True).close()
    with pytest.raises(LibraryUnusable, match="The pooler must work in session mode"):
        Library.open_to_read(url)


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_pooler_in_transaction_mode_is_refused_each_time(
    postgres_server: PostgresServer, postgres_url: str, in_turn: bool
) -> None:
    """Some of these were accepted: two connections that took turns got the same two sessions again and again."""
    Library.open(postgres_url, create=True).close()
    with running_pooler(postgres_server, postgres_url, "transaction", in_turn=in_turn) as url:
        for _ in range(20):
            with pytest.raises(LibraryUnusable, match="The pooler must work in session mode"):
                Library.open(url)


def test_a_pooler_in_transaction_mode_is_noticed_beside_other_clients(pooler: Pooler, postgres_url: str) -> None:
    url = pooler("transaction")
    Library.open(postgres_url, create=True).close()
    with ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect(url, autocommit=True)) for _ in range(6)]
        for client in clients[:3]:  # these have sessions of their own as long as their transactions last
            stack.enter_context(client.transaction())
            client.execute("SELECT 1")
        for client in clients[3:]:
            client.execute("SELECT 1")
        with pytest.raises(LibraryUnusable, match="The pooler must work in session mode"):
            Library.open(url)
