"""Which of the files that a run reads have vectors already: asked for many at once."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import delete, update

from store import Library
from store.catalog.tables import Content, Embedding
from store.ingest import embedded_digests
from store.ingest.batch_writer import Accepted, PendingFile, Rejected
from store.ingest.embedded_digests import KEPT_PAGES, EmbeddedDigests
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import mark_unread

Put = Callable[..., list[int]]


def digest(number: int) -> bytes:
    return number.to_bytes(32)


@pytest.fixture
def never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_arguments: object) -> bool:
        raise AssertionError("asked for one digest")

    monkeypatch.setattr(embedded_digests, "is_embedded", ask)


@pytest.mark.usefixtures("never_asked")
def test_contents_of_the_sizes_of_a_page_are_known(library: Library, stored: StoredSpace, put: Put) -> None:
    first, second, third, fourth = put(1, 2, 3, 4)
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == second).values(size=2))
        connection.execute(delete(Embedding).where(Embedding.content_id == third))
        mark_unread(connection, stored, np.array([fourth]))
    embedded = EmbeddedDigests(library, stored)
    with library.read() as connection:
        embedded.add_page(connection, [1, 1, 7])
    assert [embedded.has(digest(number)) for number in (1, 2, 3, 4, 9)] == [True, False, False, False, False]
    with library.read() as connection:
        embedded.add_page(connection, [])
        embedded.add_page(connection, [2])
    assert [embedded.has(digest(number)) for number in (1, 2, 3, 4, 9)] == [True, True, False, False, False]
    assert first


def test_each_digest_is_asked_for_if_a_page_has_too_many(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1, 2, 3)
    embedded = EmbeddedDigests(library, stored, max_digests=2)
    with library.read() as connection:
        embedded.add_page(connection, [1])
    assert [embedded.has(digest(number)) for number in (1, 2, 3, 4)] == [True, True, True, False]


@pytest.mark.usefixtures("never_asked")
def test_what_the_run_has_embedded_is_known(library: Library, stored: StoredSpace) -> None:
    embedded = EmbeddedDigests(library, stored)
    file, vectors = PendingFile(b"a"), np.ones((1, 3), np.float32)
    embedded.add_written(
        [
            Accepted(file, 1, 1, digest(1), vectors=vectors),
            Accepted(file, 1, 1, digest(2)),
            Accepted(file, 1, 1, digest(3), fault="not finite"),
            Rejected(file, 1, 1, "unreadable", "", transient=False),
        ]
    )
    assert [embedded.has(digest(number)) for number in (1, 2, 3)] == [True, False, False]


@pytest.mark.usefixtures("never_asked")
def test_digests_of_long_read_pages_are_forgotten(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    embedded = EmbeddedDigests(library, stored)
    with library.read() as connection:
        embedded.add_page(connection, [1])
        for _ in range(KEPT_PAGES - 1):
            embedded.add_page(connection, [])
        assert embedded.has(digest(1))
        embedded.add_page(connection, [])
    assert not embedded.has(digest(1))
