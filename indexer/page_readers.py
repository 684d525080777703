"""Threads that read the files of a page. They end with the run, also if they wait for a store that does not answer."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from core.root_files.waiting import result_of, waits_until

__all__ = ["PageReaders", "page_readers"]

Item = TypeVar("Item")
Read = TypeVar("Read")


class PageReaders:
    """Threads that read several files at once."""

    def __init__(self, pool: ThreadPoolExecutor, ended: Event) -> None:
        self._pool = pool
        self._ended = ended

    def read(self, function: Callable[[Item], Read], page: Sequence[Item]) -> list[tuple[Item, Read]]:
        """Call a function with each item of a page; return the items with what it returned, in the same order.

        Raises the errors of the function.
        """
        futures = [self._pool.submit(self._call, function, item) for item in page]
        return [(item, result_of(future)) for item, future in zip(page, futures, strict=True)]

    def _call(self, function: Callable[[Item], Read], item: Item) -> Read:
        with waits_until(self._ended):
            return function(item)


@contextmanager
def page_readers(workers: int, name: str) -> Iterator[PageReaders]:
    """Yield threads, which end with the block."""
    ended = Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
    try:
        yield PageReaders(pool, ended)
    finally:
        ended.set()
        pool.shutdown(cancel_futures=True)
