"""The cache of results, which is valid until the library changes."""

from collections.abc import Callable, Iterator
from threading import Event

import anyio
import pytest

from store import Library
from store.change_counter import ChangeCounter
from store.library import mark_changed
from web.service import ResultCache


@pytest.fixture
def changes(library: Library) -> Iterator[ChangeCounter]:
    watched = ChangeCounter(library)
    yield watched
    watched.close()


def change(library: Library) -> None:
    with library.transaction() as connection:
        mark_changed(connection)


class Maker:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, name: str) -> Callable[[], str]:
        def make() -> str:
            self.made.append(name)
            return f"{name} {len(self.made)}"

        return make


def test_result_is_computed_once_per_change(library: Library, changes: ChangeCounter) -> None:
    remembered, make = ResultCache[str](changes, 10), Maker()

    async def ask() -> None:
        assert [await remembered.get("a", make("a")) for _ in range(3)] == ["a 1"] * 3
        assert await remembered.get("b", make("b")) == "b 2"
        change(library)
        assert [await remembered.get(name, make(name)) for name in "baba"] == ["b 3", "a 4"] * 2

    anyio.run(ask)


def test_change_during_computation_invalidates_the_result(library: Library, changes: ChangeCounter) -> None:
    remembered = ResultCache[int](changes, 10)

    def make() -> int:
        change(library)
        return 1

    async def ask() -> None:
        assert await remembered.get("a", make) == 1
        assert await remembered.get("a", lambda: 2) == 2

    anyio.run(ask)


def test_oldest_results_are_dropped(changes: ChangeCounter) -> None:
    remembered, make = ResultCache[str](changes, 2), Maker()

    async def ask() -> None:
        for name in "abcbca":
            await remembered.get(name, make(name))

    anyio.run(ask)
    assert make.made == ["a", "b", "c", "a"]


def test_concurrent_requests_share_one_computation(changes: ChangeCounter) -> None:
    remembered, slow, make = ResultCache[str](changes, 10), Event(), Maker()
    got: list[str] = []

    def slowly() -> str:
        assert slow.wait(60)
        return make("a")()

    async def ask() -> None:
        got.append(await remembered.get("a", slowly))

    async def all_of_them() -> None:
        await remembered.get("there", make("there"))
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask)
            await anyio.sleep(0.05)
            assert await remembered.get("there", make("there")) == "there 1"
            assert got == []
            slow.set()

    anyio.run(all_of_them)
    assert got == ["a 2"] * 20


def test_failed_computation_is_not_cached(changes: ChangeCounter) -> None:
    remembered = ResultCache[int](changes, 2)

    async def ask() -> None:
        with pytest.raises(ZeroDivisionError):
            await remembered.get("a", lambda: 1 // 0)
        assert await remembered.get("a", lambda: 1) == 1

    anyio.run(ask)
