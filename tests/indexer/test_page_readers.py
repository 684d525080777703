"""Threads that read the files of a page."""

from concurrent.futures import Future
from threading import Event, active_count

import pytest

from core.root_files.waiting import checks_while_waiting, result_of
from indexer.page_readers import page_readers


class Stopped(BaseException):
    """Raised by a check."""


def test_items_come_back_in_their_order() -> None:
    with page_readers(3, "test") as readers:
        assert readers.read(lambda number: number * 2, range(100)) == [(number, number * 2) for number in range(100)]
        assert readers.read(str, []) == []


def test_error_of_a_file_ends_the_page() -> None:
    with page_readers(2, "test") as readers, pytest.raises(ZeroDivisionError):
        readers.read(lambda number: 1 // number, [1, 0, 2])


def test_stop_is_noticed_while_a_store_does_not_answer() -> None:
    """The threads, which wait for the store, end too: the process could not end before them."""
    before, asked = active_count(), Event()

    def read(_: int) -> int:
        asked.set()
        return result_of(Future[int]())

    def check() -> None:
        if asked.is_set():
            raise Stopped

    with checks_while_waiting(check), pytest.raises(Stopped), page_readers(2, "test") as readers:
        readers.read(read, range(10))
    assert active_count() == before


def test_ctrl_c_ends_the_threads_that_wait_for_a_store() -> None:
    before = active_count()
    with pytest.raises(KeyboardInterrupt), page_readers(2, "test") as readers:
        readers._pool.submit(readers._call, lambda _: result_of(Future[int]()), 1)
        raise KeyboardInterrupt
    assert active_count() == before
