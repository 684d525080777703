"""Index runs while other processes change the library between their batches, each with a `Library` of its own."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import store.library_locks
from core.errors import SpaceMismatch
from core.space import Space
from encoders import registry
from encoders.fake import FakeEncoder
from indexer import Progress, fill, index
from indexer.filling import FillSettings, switch
from indexer.jobs.kinds import require_kind
from indexer.pipeline import IndexSettings
from search import Searcher
from store import Library
from store.catalog.tables import PictureState
from store.check import verify
from store.forget import forget
from store.queries import count_by_state
from store.roots import list_roots
from store.spaces.registry import named_space
from store.tags import list_tags
from tests.support.indexing import nonzero_counts

Paint = Callable[..., Path]
ONE_READER = IndexSettings(workers=1)


class Once(FakeEncoder):
    """Embeds one picture at a time, and calls `act` before the second one; `name` makes a space of its own."""

    def __init__(self, act: Callable[[], object] = lambda: None, name: str = "fake") -> None:
        super().__init__(batch_size=1)
        self.embedded = 0
        self._act: Callable[[], object] | None = act
        if name != "fake":
            self.space = Space(name, self.space.weights, self.space.dim, self.space.preprocessing)

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.embedded += 1
        if self.embedded == 2 and self._act is not None:
            act, self._act = self._act, None
            act()
        return super().forward_images(pixels)


@pytest.fixture
def other(library: Library) -> Iterator[Library]:
    """The same library, opened by another process."""
    with Library.open(library.path) as opened:
        yield opened


def painted(folder: Path, paint: Paint, *shades: int) -> Path:
    for shade in shades:
        paint(folder / f"{shade:03}.png", (shade, 0, 0), (9, 7))
    return folder


def test_others_write_between_two_batches(library: Library, other: Library, tmp_path: Path, paint: Paint) -> None:
    first, second = painted(tmp_path / "one", paint, 1, 2, 3), painted(tmp_path / "two", paint, 101, 102)

    def act() -> None:
        assert index(other, second, FakeEncoder()).new == 2
        with other.exclusive_if_free() as writer:
            assert writer is not None
        assert fill(other, Once(name="copy"), FillSettings(switch=False)).embedded == 3

    assert nonzero_counts(index(library, first, Once(act), ONE_READER)) == {"new": 3, "embedded": 3}
    assert len(Searcher(library, encoder=FakeEncoder())) == 5
    assert verify(library) == []


def test_run_over_the_same_root_waits_for_the_first(
    library: Library, other: Library, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.library_locks, "WAITING_SECONDS", 0.05)
    folder = painted(tmp_path / "photos", paint, 1, 2, 3, 4)
    told, summaries = threading.Event(), list[Any]()

    class Waiting(Progress):
        def waiting(self) -> None:
            told.set()

    second = threading.Thread(target=lambda: summaries.append(index(other, folder, FakeEncoder(), progress=Waiting())))

    def act() -> None:
        second.start()
        assert told.wait(60)

    assert nonzero_counts(index(library, folder, Once(act), ONE_READER)) == {"new": 4, "embedded": 4}
    second.join()
    assert nonzero_counts(summaries[0]) == {"unchanged": 4}
    assert count_by_state(library)[PictureState.PRESENT] == 4


def test_run_in_the_background_makes_way(
    library: Library, other: Library, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.library_locks, "WAITING_SECONDS", 0.05)
    folder = painted(tmp_path / "photos", paint, *range(8))

    class InBackground(Progress):
        def make_way(self) -> None:
            raise InterruptedError

    told, done = threading.Event(), threading.Event()

    class Waiting(Progress):
        def waiting(self) -> None:
            told.set()

    def in_terminal() -> None:
        index(other, folder, FakeEncoder(), progress=Waiting())
        done.set()

    terminal = threading.Thread(target=in_terminal)

    def act() -> None:
        terminal.start()
        assert told.wait(60)

    with pytest.raises(InterruptedError):
        index(library, folder, Once(act), ONE_READER, InBackground())
    terminal.join()
    assert done.is_set()
    assert nonzero_counts(index(library, folder, FakeEncoder())) == {"unchanged": 8}


def test_run_continues_with_the_model_that_was_chosen_during_it(
    library: Library, other: Library, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = painted(tmp_path / "photos", paint, 1)
    index(library, folder, FakeEncoder())
    painted(folder, paint, 2, 3, 4)
    models = {"fake": Once(lambda: fill(other, Once(name="copy"))), "copy": Once(name="copy")}
    monkeypatch.setattr(registry, "load_for_space", lambda space, *_: models[space.model])
    summary = index(library, folder, settings=ONE_READER)
    assert (summary.seen, summary.failed) == (4, 0)
    assert len(Searcher(library, encoder=models["copy"])) == 4
    assert verify(library) == []
    assert nonzero_counts(index(library, folder, models["copy"])) == {"unchanged": 4}


def test_run_with_a_given_model_ends_when_another_one_is_chosen(
    library: Library, other: Library, tmp_path: Path, paint: Paint
) -> None:
    folder = painted(tmp_path / "photos", paint, 1, 2, 3)
    encoder = Once(lambda: fill(other, Once(name="copy")))
    with pytest.raises(SpaceMismatch):
        index(library, folder, encoder, ONE_READER)
    assert verify(library) == []
    switch(library, named_space(library, "fake"))
    assert index(library, folder, FakeEncoder()).seen == 3


def test_root_that_is_merged_into_another_one_is_scanned_again(
    library: Library, other: Library, tmp_path: Path, paint: Paint
) -> None:
    inner = painted(tmp_path / "all" / "inner", paint, 1, 2, 3, 4)
    painted(tmp_path / "all", paint, 101)
    outer = threading.Thread(target=lambda: index(other, tmp_path / "all", FakeEncoder()))

    def act() -> None:
        outer.start()
        while len(list_roots(other)) != 1 or list_roots(other)[0].path == inner:
            assert outer.is_alive()

    index(library, inner, Once(act), ONE_READER)
    outer.join()
    assert [(root.path, root.present) for root in list_roots(library)] == [(tmp_path / "all", 5)]
    assert verify(library) == []


def test_content_that_was_removed_since_it_was_read_is_read_again(
    library: Library, other: Library, tmp_path: Path, paint: Paint
) -> None:
    elsewhere = painted(tmp_path / "elsewhere", paint, 50)
    index(library, elsewhere, FakeEncoder())
    folder = painted(tmp_path / "photos", paint, 1, 2, 3)
    shutil.copy(elsewhere / "050.png", folder / "000.png")  # its content is known, so that it is not decoded

    def act() -> None:
        assert forget(other, elsewhere) == 1

    encoder = Once(act)
    encoder.embedded = 1  # the copy is in the first batch, before which it is forgotten
    summary = index(library, folder, encoder, ONE_READER)
    assert nonzero_counts(summary) == {"new": 4, "embedded": 4}
    assert verify(library) == []
    assert len(Searcher(library, encoder=FakeEncoder())) == 4


def test_pictures_are_not_forgotten_while_their_root_is_indexed(
    library: Library, other: Library, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.library_locks, "WAITING_SECONDS", 0.05)
    folder = painted(tmp_path / "photos", paint, 1, 2, 3)
    told = threading.Event()

    def remove() -> None:
        forget(other, folder, waiting=told.set)

    removal = threading.Thread(target=remove)

    def act() -> None:
        removal.start()
        assert told.wait(60)

    assert index(library, folder, Once(act), ONE_READER).new == 3
    removal.join()
    assert count_by_state(library)[PictureState.PRESENT] == 0
    assert list_roots(library) == []
    assert verify(library) == []


def test_removal_that_is_cancelled_while_it_waits_removes_nothing(
    library: Library, other: Library, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in a terminal holds the root."""
    monkeypatch.setattr(store.library_locks, "WAITING_SECONDS", 0.05)
    folder = painted(tmp_path / "photos", paint, 1, 2, 3)
    index(library, folder, FakeEncoder())
    checks = list[None]()

    class Cancelled(Exception):
        pass

    class CancelledAfterTwo(Progress):
        def check(self) -> None:
            checks.append(None)
            if len(checks) > 2:
                raise Cancelled

    with library.root_lock(folder), pytest.raises(Cancelled):
        require_kind("forget").run(other, {"folders": [str(folder)]}, CancelledAfterTwo())
    assert count_by_state(library)[PictureState.PRESENT] == 3


def test_many_runs_at_once_leave_one_right_library(library: Library, tmp_path: Path, paint: Paint) -> None:
    """Runs over parts of two roots, near-duplicates, and pictures that move between the roots."""
    roots = [tmp_path / "one", tmp_path / "two"]
    for number, root in enumerate(roots):
        for part in ("a", "b"):
            painted(root / part, paint, *range(100 * number, 100 * number + 15))
    failures = list[BaseException]()

    def work(folders: list[Path]) -> None:
        try:
            with Library.open(library.path) as own:
                for folder in folders:
                    index(own, folder, FakeEncoder(batch_size=2), IndexSettings(workers=2))
        except BaseException as exc:
            failures.append(exc)

    index(library, roots, FakeEncoder())  # the roots, so that no run merges another's
    for moved in list((roots[0] / "a").iterdir())[:5]:
        moved.rename(roots[1] / "a" / f"moved-{moved.name}")
    painted(roots[0] / "b", paint, *range(200, 215))
    one, two = roots
    plans = [[one / "a", two], [two / "a", one], [one, two], [two / "b", one / "b"]]
    threads = [threading.Thread(target=work, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert verify(library) == []
    files = [path for root in roots for path in root.rglob("*.png")]
    assert count_by_state(library)[PictureState.PRESENT] == len(files)
    assert nonzero_counts(index(library, roots, FakeEncoder())) == {"unchanged": len(files)}
    assert list_tags(library) == []
