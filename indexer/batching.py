"""Read files ahead of the encoder, group them into batches, and embed each batch.

Pixels stay paired with the file they come from, so that a file that fails in the middle of a batch cannot shift a
vector to its neighbour.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import accumulate, chain
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectors
from core.root_files.waiting import result_of
from encoders.base import Encoder
from indexer.reader import Reader, Reading
from indexer.reader_pool import ReaderPool
from pictures.reader_process import slot_bytes
from store.ingest.batch_writer import Accepted, FileOutcome

__all__ = ["batches", "embed", "embed_ahead", "read_ahead"]

MAX_QUEUED_PER_WORKER = 4
"""Results that may wait for the encoder, per worker: enough to keep it busy, few enough to bound memory."""

MAX_QUEUED_BYTES = 64 << 20
"""Size of the pixels that may wait for the encoder, so that the next batch is read while it computes."""

MAX_BATCH_FILES = 256
"""Files per batch, including those that need no encoder: copies, moves, failures."""

Item = TypeVar("Item")
"""What is read: a file, or a content with several files."""

AnyReading = TypeVar("AnyReading", bound=Reading)

Unembedded: TypeAlias = tuple[Accepted, tuple[NDArray[np.uint8], ...]]
"""A file without vectors, and the pixels (S, S, 3) of each of its frames."""


def read_ahead(reader: Reader[Item], items: Iterable[Item], pool: ReaderPool, batch_size: int = 1) -> Iterator[Reading]:
    """Read `items` with the workers of `pool`, and yield the results in order.

    The workers stay at most a batch ahead, as far as `MAX_QUEUED_BYTES` allow, or `MAX_QUEUED_PER_WORKER` items each.
    Among files with many frames, they stay less far ahead.
    """
    window = _Window(pool, batch_size)
    waiting: deque[Future[Reading | None]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(reader, item))
            while len(waiting) >= window.size:
                yield from _result(waiting.popleft(), window)
        while waiting:
            yield from _result(waiting.popleft(), window)
    finally:
        for future in waiting:
            future.cancel()


class _Window:
    """How many items may be read and wait at once.

    It begins with few, because each file can have many frames, and grows by one with each result. A file with many
    frames makes it smaller; with each file after it, this effect is halved.
    """

    def __init__(self, pool: ReaderPool, batch_size: int) -> None:
        batch = min(batch_size, MAX_QUEUED_BYTES // slot_bytes(pool.settings))
        self._least = pool.workers + 1
        self._most = max(batch, pool.workers * MAX_QUEUED_PER_WORKER)
        self._results = 0
        self._frames = 1

    @property
    def size(self) -> int:
        return max(min(self._least, self._most), min(self._most, self._least + self._results) // self._frames)

    def add(self, reading: Reading | None) -> None:
        """Take note of a result."""
        self._results += 1
        self._frames = max(1, self._frames // 2, 0 if reading is None else len(reading.pixels))


def batches(readings: Iterable[AnyReading], size: int) -> Iterator[list[AnyReading]]:
    """Group `readings` into batches of `size` frames to embed, or slightly more, and at most `MAX_BATCH_FILES` files.

    The frames of one file are in the same batch.
    """
    batch: list[AnyReading] = []
    frames = 0
    for reading in readings:
        batch.append(reading)
        frames += len(reading.pixels)
        if frames >= size or len(batch) == MAX_BATCH_FILES:
            yield batch
            batch, frames = [], 0
    if batch:
        yield batch


def embed(encoder: Encoder, batch: Sequence[Reading]) -> list[FileOutcome]:
    """Return the outcomes of `batch`, with the vectors of pictures.

    If the model returns an invalid vector, each picture is embedded alone, so that only those at fault are affected.
    """
    unembedded: list[Unembedded] = []
    outcomes: list[FileOutcome] = []
    for reading in batch:
        if not reading.pixels or not isinstance(reading.outcome, Accepted):
            outcomes.append(reading.outcome)
        else:
            unembedded.append((reading.outcome, reading.pixels))
    try:
        return outcomes + _embed(encoder, unembedded)
    except BadVectors:
        return outcomes + [outcome for picture in unembedded for outcome in _embed_alone(encoder, picture)]


def embed_ahead(
    encoder: Encoder, groups: Iterable[list[Reading]]
) -> Iterator[tuple[list[Reading], Callable[[], list[FileOutcome]]]]:
    """Yield each batch, in order, with a function that returns its outcomes as `embed` does. Call it before the next.

    If the encoder takes several batches at once, as many are embedded in threads while the caller waits for the first
    or writes it.
    """
    if encoder.batches_in_flight == 1:
        for batch in groups:
            yield batch, partial(embed, encoder, batch)
        return
    waiting: deque[tuple[list[Reading], Future[list[FileOutcome]]]] = deque()
    with ThreadPoolExecutor(encoder.batches_in_flight, thread_name_prefix="sightline-encoder") as threads:
        try:
            for batch in groups:
                waiting.append((batch, threads.submit(embed, encoder, batch)))
                if len(waiting) > encoder.batches_in_flight:
                    first, future = waiting.popleft()
                    yield first, future.result
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result
        finally:
            for _, future in waiting:
                future.cancel()


def _result(future: Future[Reading | None], window: _Window) -> Iterator[Reading]:
    reading = result_of(future)
    window.add(reading)
    if reading is not None:
        yield reading


def _embed(encoder: Encoder, files: Sequence[Unembedded]) -> list[FileOutcome]:
    """Add the vectors of all frames of `files`. Copies, which are often in one batch, are embedded once."""
    frames = {accepted.digest: pixels for accepted, pixels in files}
    if not frames:
        return []
    vectors = encoder.encode_pixels(np.stack(list(chain.from_iterable(frames.values()))))  # (n, S, S, 3) -> (n, D)
    ends = list(accumulate(map(len, frames.values())))
    by_digest = dict(zip(frames, np.split(vectors, ends[:-1]), strict=True))
    return [replace(accepted, vectors=by_digest[accepted.digest]) for accepted, _ in files]


def _embed_alone(encoder: Encoder, picture: Unembedded) -> list[FileOutcome]:
    try:
        return _embed(encoder, [picture])
    except BadVectors as exc:
        accepted, _ = picture
        return [replace(accepted, fault=exc.fault)]
