"""Events during an index run: changing files, interruption, a second writer."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import indexer.folder_scan
import indexer.publishing
from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, index
from store import Library
from store.catalog.tables import PictureState
from store.check import verify
from store.failures import list_failures
from store.queries import count_by_state
from tests.support.indexing import CountingEncoder, expected_vectors, nonzero_counts, vectors_by_path

Paint = Callable[..., Path]


@pytest.mark.parametrize(("every", "files"), [(0.0, [0, 1]), (300.0, [0, 0])])
def test_long_run_publishes_index_files_periodically(
    library: Library,
    album: Path,
    counting: CountingEncoder,
    monkeypatch: pytest.MonkeyPatch,
    every: float,
    files: list[int],
) -> None:
    seen: list[int] = []

    class Watching(Progress):
        def advance(self, files: int) -> None:  # noqa: ARG002
            seen.append(len(list(library.indexes.glob("*.faiss"))))

    monkeypatch.setattr(indexer.publishing, "PUBLISH_INTERVAL_SECONDS", every)
    index(library, album, counting, progress=Watching())
    assert seen == files  # two batches of two
    assert verify(library) == []


class Meddling(Progress):
    """Changes the pictures between scanning and reading."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        self._meddle = meddle

    def begin(self, files: int) -> None:  # noqa: ARG002
        self._meddle()


def test_file_vanishing_during_the_run_is_not_a_failure(library: Library, album: Path, encoder: FakeEncoder) -> None:
    settings = IndexSettings(workers=1)
    assert nonzero_counts(index(library, [album], encoder, settings, Meddling((album / "red.png").unlink))) == {
        "new": 3, "embedded": 3,
    }  # fmt: skip
    assert list_failures(library) == []
    assert count_by_state(library)[PictureState.PRESENT] == 3


def test_file_changing_during_the_run_is_stored_as_read(
    library: Library, album: Path, encoder: FakeEncoder, paint: Paint
) -> None:
    meddling = Meddling(lambda: paint(album / "red.png", "white", (16, 16)))
    index(library, [album], encoder, progress=meddling)
    np.testing.assert_array_equal(vectors_by_path(library)["red.png"], expected_vectors(encoder, "white")[0])
    assert nonzero_counts(index(library, [album], encoder)) == {"unchanged": 4}
    paint(album / "red.png", "black", (16, 16))
    os.utime(album / "red.png", ns=(5, 5))
    assert nonzero_counts(index(library, [album], encoder)) == {"unchanged": 3, "changed": 1, "embedded": 1}


class Stopping(Progress):
    """Simulates Ctrl-C after a number of files."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, files: int) -> None:
        self.left -= files
        if self.left <= 0:
            raise KeyboardInterrupt


def test_interrupted_run_keeps_written_batches(
    library: Library, tmp_path: Path, counting: CountingEncoder, paint: Paint
) -> None:
    for number in range(12):
        paint(tmp_path / "twelve" / f"{number:02}.png", (number, 0, 0))
    with pytest.raises(KeyboardInterrupt):
        index(library, [tmp_path / "twelve"], counting, IndexSettings(workers=1), Stopping(after=6))
    assert count_by_state(library)[PictureState.PRESENT] == 6
    assert counting.embedded == 6
    with library.exclusive_if_free() as writer:
        assert writer is not None
    assert nonzero_counts(index(library, [tmp_path / "twelve"], counting)) == {"unchanged": 6, "new": 6, "embedded": 6}
    assert counting.embedded == 12
    assert verify(library) == []


def test_run_reports_progress(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.folder_scan, "SCAN_REPORT_INTERVAL", 2)
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

    index(library, [album], CountingEncoder(), progress=Telling())
    assert told == [("scanned", 2), ("scanned", 4), ("begin", 4), ("advance", 2), ("advance", 2), "publish"]


def test_second_writer_waits_and_reports_it(library: Library, album: Path, encoder: FakeEncoder) -> None:
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
        assert told.wait(60)
        assert count_by_state(library)[PictureState.PRESENT] == 0
    thread.join()
    assert count_by_state(library)[PictureState.PRESENT] == 4
