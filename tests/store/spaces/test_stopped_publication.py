"""A publication that waits for another process can be stopped."""

import threading

import pytest

from store import Library
from store.check import verify
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.registry import named_space


class Stopped(BaseException):
    """Raised by a check."""


@pytest.mark.parametrize(
    "held",
    [
        pytest.param("the writer lock", marks=pytest.mark.sqlite("files of a machine are announced without it")),
        "the lock of the index files",
    ],
)
def test_stop_is_noticed_while_a_publication_waits(indexed: Library, held: str) -> None:
    stored = named_space(indexed, "fake")
    with indexed.transaction() as connection:
        mark_changed(connection, stored.id)
    is_held, stopped = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            Library.open(indexed.path) as other,
            other.exclusive() if held == "the writer lock" else other.publication(),
        ):
            is_held.set()
            stopped.wait(60)

    def check() -> None:
        raise Stopped

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert is_held.wait(60)
        with pytest.raises(Stopped):
            index_cache.publish(indexed, stored, check=check, rebuild=True)
    finally:
        stopped.set()
        thread.join(60)
    index_cache.publish(indexed, stored)
    assert verify(indexed) == []
