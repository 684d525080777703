"""What happens while an index run is under way."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import indexer.pipeline
from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, index
from store import Library
from store.catalog.tables import PictureState
from store.check import verify
from store.queries import count_by_state, list_failures
from tests.indexer.runs import Counting, expected, numbers, vectors

Paint = Callable[..., Path]


@pytest.mark.parametrize(("every", "files"), [(0.0, [0, 1]), (300.0, [0, 0])])
def test_a_long_run_publishes_on_its_way(
    library: Library, album: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch, every: float, files: list[int]
) -> None:
    seen: list[int] = []

    class Watching(Progress):
        def advance(self, files: int) -> None:  # noqa: ARG002
            seen.append(len(list(library.indexes.iterdir())))

    monkeypatch.setattr(indexer.pipeline, "PUBLISH_INTERVAL_SECONDS", every)
    index(library, album, counting, progress=Watching())
    assert seen == files  # two batches of two
    assert verify(library) == []


class Meddling(Progress):
    """Does something to the pictures between the scan and the reading."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        self._meddle = meddle

    def begin(self, files: int) -> None:  # noqa: ARG002
        self._meddle()


def test_a_file_that_vanishes_during_the_run_is_no_failure(library: Library, album: Path, encoder: FakeEncoder) -> None:
    settings = IndexSettings(workers=1)
    assert numbers(index(library, [album], encoder, settings, Meddling((album / "red.png").unlink))) == {
        "new": 3, "embedded": 3,
    }  # fmt: skip
    assert list_failures(library) == []
    assert count_by_state(library)[PictureState.PRESENT] == 3


def test_a_file_that_changes_during_the_run_is_taken_as_it_was_read(
    library: Library, album: Path, encoder: FakeEncoder, paint: Paint
) -> None:
    meddling = Meddling(lambda: paint(album / "red.png", "white", (16, 16)))
    index(library, [album], encoder, progress=meddling)
    np.testing.assert_array_equal(vectors(library)["red.png"], expected(encoder, "white")[0])
    assert numbers(index(library, [album], encoder)) == {"unchanged": 4}
    paint(album / "red.png", "black", (16, 16))
    os.utime(album / "red.png", ns=(5, 5))
    assert numbers(index(library, [album], encoder)) == {"unchanged": 3, "changed": 1, "embedded": 1}


class Stopping(Progress):
    """Ctrl-C after so many files."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, files: int) -> None:
        self.left -= files
        if self.left <= 0:
            raise KeyboardInterrupt


def test_a_run_that_is_stopped_keeps_what_is_settled(
    library: Library, tmp_path: Path, counting: Counting, paint: Paint
) -> None:
    for number in range(12):
        paint(tmp_path / "twelve" / f"{number:02}.png", (number, 0, 0))
    with pytest.raises(KeyboardInterrupt):
        index(library, [tmp_path / "twelve"], counting, IndexSettings(workers=1), Stopping(after=6))
    assert count_by_state(library)[PictureState.PRESENT] == 6
    assert counting.embedded == 6
    with library.exclusive_if_free() as writer:
        assert writer is not None
    assert numbers(index(library, [tmp_path / "twelve"], counting)) == {"unchanged": 6, "new": 6, "embedded": 6}
    assert counting.embedded == 12
    assert verify(library) == []


def test_a_run_tells_how_it_goes_on(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.pipeline, "SCAN_REPORT_INTERVAL", 2)
    told: list[object] = []

    class Telling(Progress):
        def scanned(self, files: int) -> None:
            told.append(("scanned", files))

        def begin(self, files: int) -> None:
            told.append(("begin", files))

        def advance(self, files: int) -> None:
            told.append(("advance", files))

        def publish(self) -> None:
            told.append("publish")

    index(library, [album], Counting(), progress=Telling())
    assert told == [("scanned", 2), ("scanned", 4), ("begin", 4), ("advance", 2), ("advance", 2), "publish"]


def test_a_second_writer_is_told_to_wait(library: Library, album: Path, encoder: FakeEncoder) -> None:
    import threading

    told = threading.Event()

    class Waiting(Progress):
        def waiting(self) -> None:
            told.set()

    def other() -> None:
        with Library.open(library.path) as own:
            index(own, [album], FakeEncoder(), progress=Waiting())

    thread = threading.Thread(target=other)
    with library.exclusive():
        thread.start()
        assert told.wait(10)
        assert count_by_state(library)[PictureState.PRESENT] == 0
    thread.join()
    assert count_by_state(library)[PictureState.PRESENT] == 4
