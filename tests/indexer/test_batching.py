"""Read-ahead, batches and embedding, without files."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from encoders.fake import FakeEncoder
from indexer.batching import MAX_BATCH_FILES, MAX_QUEUED_PER_WORKER, batches, embed, embed_ahead, read_ahead
from indexer.reader import Reading
from indexer.reader_pool import ReaderPool
from pictures.reading import ReadFile, ReadRequest, ReadSettings
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected

MAX_SIDE = 4_000
"""The pixels of one picture with this side take 48 MB, and MAX_QUEUED_BYTES allow only one."""

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def picture(name: str, colour: tuple[int, int, int] = (0, 0, 0)) -> Reading:
    """Return the reading of a picture of one colour that has no vector yet."""
    taken = Accepted(PendingFile(name.encode()), 1, 1, digest=name.encode().ljust(32))
    return Reading(taken, (np.full((8, 8, 3), colour, np.uint8),))


def failure(name: str) -> Reading:
    return Reading(Rejected(PendingFile(name.encode()), 1, 1, "undecodable", "broken", transient=False))


def works(number: int) -> list[PendingFile]:
    return [PendingFile(b"%05d" % n) for n in range(number)]


def reading_of(work: PendingFile) -> Reading:
    return Reading(FileOutcome(work, 1, 1))


class Calling:
    """A reader that reads no file, but calls a function for each item, in the thread of the worker."""

    def __init__(self, read: Callable[[PendingFile], Reading | None]) -> None:
        self._read = read

    def request(self, item: PendingFile) -> ReadRequest:  # noqa: ARG002 (a protocol)
        return ReadRequest(())

    def is_embedded(self, digest: bytes, /) -> bool:  # noqa: ARG002 (a protocol)
        raise AssertionError("no file was read")

    def reading(self, item: PendingFile, file: ReadFile | None) -> Reading | None:  # noqa: ARG002 (a protocol)
        return self._read(item)


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[ReaderPool]:
    """Threads only; the parameter is their number."""
    with ReaderPool(ReadSettings(FakeEncoder().preprocess), request.param, start_after=None) as opened:
        yield opened
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sightline-reader")]


@pytest.mark.parametrize("pool", [1, 2, 5], indirect=True)
def test_read_ahead_preserves_order(pool: ReaderPool) -> None:
    def read(work: PendingFile) -> Reading | None:
        time.sleep(0.002 if work.relpath.endswith(b"0") else 0)
        return None if work.relpath.endswith(b"3") else reading_of(work)

    came = [reading.outcome.file for reading in read_ahead(Calling(read), works(60), pool)]
    assert came == [work for work in works(60) if not work.relpath.endswith(b"3")]


@pytest.mark.parametrize(("pool", "batch_size"), [(1, 1), (3, 1), (1, 20)], indirect=["pool"])
def test_read_ahead_is_limited(pool: ReaderPool, batch_size: int) -> None:
    """A file counts from the time it is requested until the consumer has processed it."""
    asked, most = 0, 0
    lock = threading.Lock()

    def source() -> Iterator[PendingFile]:
        nonlocal asked
        for work in works(100):
            with lock:
                asked += 1
            yield work

    for done, _ in enumerate(read_ahead(Calling(reading_of), source(), pool, batch_size)):
        most = max(most, asked - done)
    assert asked == 100
    assert 1 < most <= max(batch_size, pool.workers * MAX_QUEUED_PER_WORKER)


def test_pixels_that_wait_are_limited_in_bytes() -> None:
    preprocess = replace(FakeEncoder().preprocess, size=MAX_SIDE)
    asked = 0

    def source() -> Iterator[PendingFile]:
        nonlocal asked
        for work in works(20):
            asked += 1
            yield work

    with ReaderPool(ReadSettings(preprocess), 1, start_after=None) as pool:
        readings = read_ahead(Calling(reading_of), source(), pool, batch_size=1_000)
        for _ in range(10):
            next(readings)
    assert asked == 10 + MAX_QUEUED_PER_WORKER - 1


@pytest.mark.parametrize(("frames", "ahead"), [(1, 31), (8, 3), (100, 2)])
def test_workers_stay_less_far_ahead_among_files_with_many_frames(frames: int, ahead: int) -> None:
    """With a batch of 32 frames, and two workers."""
    asked = 0

    def source() -> Iterator[PendingFile]:
        nonlocal asked
        for work in works(100):
            asked += 1
            yield work

    def read(work: PendingFile) -> Reading:
        return Reading(reading_of(work).outcome, (np.zeros((8, 8, 3), np.uint8),) * frames)

    with ReaderPool(ReadSettings(FakeEncoder().preprocess), 2, start_after=None) as pool:
        readings = read_ahead(Calling(read), source(), pool, batch_size=32)
        next(readings)
        assert asked == 3
        for _ in range(49):
            next(readings)
    assert asked == 50 + ahead


@pytest.mark.parametrize("pool", [2], indirect=True)
def test_read_ahead_stops_when_the_consumer_stops(pool: ReaderPool) -> None:
    read: list[bytes] = []

    def note(work: PendingFile) -> Reading:
        read.append(work.relpath)
        return reading_of(work)

    readings = read_ahead(Calling(note), works(1000), pool)
    next(readings)
    readings.close()  # type: ignore[attr-defined]
    assert len(read) <= 2 * MAX_QUEUED_PER_WORKER


@pytest.mark.parametrize("pool", [2], indirect=True)
def test_reader_error_is_raised_in_the_consumer(pool: ReaderPool) -> None:
    def read(work: PendingFile) -> Reading:
        raise MemoryError(work.relpath)

    with pytest.raises(MemoryError, match="00000"):
        list(read_ahead(Calling(read), works(3), pool))


def shape(readings: list[Reading], size: int) -> list[str]:
    """Return batches as strings: p for a picture, - for a file that needs no encoder."""
    return ["".join("p" * len(item.pixels) or "-" for item in batch) for batch in batches(readings, size)]


def test_batches_have_the_size_of_the_encoder() -> None:
    readings = [picture("x") if letter == "p" else failure("x") for letter in "pp-pp--pp-"]
    assert shape(readings, 2) == ["pp", "-pp", "--pp", "-"]
    assert shape(readings, 3) == ["pp-p", "p--pp", "-"]
    assert shape([], 3) == []


def test_files_without_pixels_are_batched_too() -> None:
    assert [len(batch) for batch in batches([failure("x")] * 600, 32)] == [MAX_BATCH_FILES, MAX_BATCH_FILES, 88]


def test_failure_within_a_batch_does_not_shift_vectors(encoder: FakeEncoder) -> None:
    readings = [picture("red", COLOURS["red"]), failure("broken"), picture("blue", COLOURS["blue"])]
    readings += [
        Reading(Accepted(PendingFile(b"known"), 1, 1, b"k" * 32)),
        picture("green", COLOURS["green"]),
        failure("b2"),
    ]
    outcomes = {outcome.file.relpath.decode(): outcome for outcome in embed(encoder, readings)}
    assert set(outcomes) == {"red", "broken", "blue", "known", "green", "b2"}
    for colour in ("red", "blue", "green"):
        taken = outcomes[colour]
        assert isinstance(taken, Accepted)
        np.testing.assert_array_equal(taken.vectors, encoder.encode_texts([colour]))
    assert isinstance(outcomes["broken"], Rejected)
    known = outcomes["known"]
    assert isinstance(known, Accepted)
    assert known.vectors is None


class AfraidOfWhite(FakeEncoder):
    """Returns NaN for a white picture."""

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors_by_path = super().forward_images(pixels)
        vectors_by_path[pixels.min(axis=(1, 2, 3)) == 1] = np.nan
        return vectors_by_path


def test_invalid_vector_affects_only_its_own_picture() -> None:
    names = ["red", "white", "blue", "green"]
    readings = [picture(name, COLOURS[name]) for name in names]
    outcomes = embed(AfraidOfWhite(), readings)
    assert [outcome.file.relpath.decode() for outcome in outcomes] == names
    afraid = outcomes[1]
    assert isinstance(afraid, Accepted)  # the picture is known, and other models may embed it
    assert (afraid.vectors, afraid.fault) == (None, "not all values are finite")
    for name in ("red", "blue", "green"):
        taken = outcomes[names.index(name)]
        assert isinstance(taken, Accepted)
        np.testing.assert_array_equal(taken.vectors, FakeEncoder().encode_texts([name]))


def test_copies_in_a_batch_are_embedded_once() -> None:
    class CountingEncoder(FakeEncoder):
        embedded = 0

        def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            self.embedded += len(pixels)
            return super().forward_images(pixels)

    red, blue = picture("red", COLOURS["red"]), picture("blue", COLOURS["blue"])
    encoder = CountingEncoder()
    outcomes = embed(encoder, [red, blue, red, red])
    assert encoder.embedded == 2
    colours = ["red", "blue", "red", "red"]
    for outcome, colour in zip(outcomes, colours, strict=True):
        assert isinstance(outcome, Accepted)
        np.testing.assert_array_equal(outcome.vectors, FakeEncoder().encode_texts([colour]))


def test_empty_batch_has_no_outcomes(encoder: FakeEncoder) -> None:
    assert embed(encoder, []) == []


class TwoAtOnce(FakeEncoder):
    """Takes two batches at once, and waits for the second before it embeds the first."""

    batches_in_flight = 2

    def __init__(self) -> None:
        super().__init__()
        self.both = threading.Barrier(2, timeout=60)

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.both.wait()
        return super().encode_pixels(pixels)


@pytest.mark.parametrize("number", [0, 2, 4, 6])
def test_batches_embedded_at_once_are_returned_in_order(number: int, encoder: FakeEncoder) -> None:
    colours = list(COLOURS.values())
    groups = [[picture(f"{row}", colours[row % 4]), failure(f"b{row}")] for row in range(number)]
    found = [(batch, outcomes()) for batch, outcomes in embed_ahead(TwoAtOnce(), groups)]
    assert [batch for batch, _ in found] == groups
    for batch, outcomes in found:
        expected = embed(encoder, batch)
        assert [outcome.file for outcome in outcomes] == [outcome.file for outcome in expected]
        np.testing.assert_array_equal(outcomes[1].vectors, expected[1].vectors)  # type: ignore[attr-defined]


def test_an_error_of_a_batch_embedded_in_a_thread_is_raised_in_its_turn() -> None:
    class Failing(FakeEncoder):
        batches_in_flight = 2

        def encode_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            if pixels.max() == 0:
                raise MemoryError
            return super().encode_pixels(pixels)

    groups = [[picture("a", COLOURS["red"])], [picture("b")], [picture("c", COLOURS["red"])]]
    running = embed_ahead(Failing(), groups)
    assert len(next(running)[1]()) == 1
    with pytest.raises(MemoryError):
        next(running)[1]()
    running.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sightline-encoder")]
