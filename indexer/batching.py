"""Read files ahead of the encoder, group them into batches, and embed each batch.

Pixels stay paired with the file they come from, so that a file that fails in the middle of a batch cannot shift a
vector to its neighbour.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectors
from encoders.base import Encoder
from indexer.reader import Reading
from store.ingest.batch_writer import Accepted, FileOutcome

__all__ = ["batches", "embed", "read_ahead"]

MAX_QUEUED_PER_WORKER = 4
"""Results that may wait for the encoder, per worker: enough to keep it busy, few enough to bound memory."""

MAX_BATCH_FILES = 256
"""Files per batch, including those that need no encoder: copies, moves, failures."""

Item = TypeVar("Item")
"""The argument of a reader: a file, or a content with several files."""

Unembedded: TypeAlias = tuple[Accepted, NDArray[np.uint8]]
"""A picture without a vector, and its pixels (S, S, 3)."""


def read_ahead(reader: Callable[[Item], Reading | None], items: Iterable[Item], workers: int) -> Iterator[Reading]:
    """Read `items` in `workers` threads and yield the results in order. The threads stay only a few files ahead."""
    queue: deque[Future[Reading | None]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sightline-reader")
    try:
        for item in items:
            queue.append(pool.submit(reader, item))
            if len(queue) >= workers * MAX_QUEUED_PER_WORKER:
                yield from _result(queue.popleft())
        while queue:
            yield from _result(queue.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def batches(readings: Iterable[Reading], size: int) -> Iterator[list[Reading]]:
    """Group `readings` into batches of at most `size` pictures to embed and `MAX_BATCH_FILES` files."""
    batch: list[Reading] = []
    pictures = 0
    for reading in readings:
        batch.append(reading)
        pictures += reading.pixels is not None
        if pictures == size or len(batch) == MAX_BATCH_FILES:
            yield batch
            batch, pictures = [], 0
    if batch:
        yield batch


def embed(encoder: Encoder, batch: Sequence[Reading]) -> list[FileOutcome]:
    """Return the outcomes of `batch`, with the vectors of pictures.

    If the model returns an invalid vector, each picture is embedded alone, so that only those at fault are affected.
    """
    unembedded: list[Unembedded] = []
    outcomes: list[FileOutcome] = []
    for reading in batch:
        if reading.pixels is None or not isinstance(reading.outcome, Accepted):
            outcomes.append(reading.outcome)
        else:
            unembedded.append((reading.outcome, reading.pixels))
    try:
        return outcomes + _embed(encoder, unembedded)
    except BadVectors:
        return outcomes + [outcome for picture in unembedded for outcome in _embed_alone(encoder, picture)]


def _result(future: Future[Reading | None]) -> Iterator[Reading]:
    reading = future.result()
    if reading is not None:
        yield reading


def _embed(encoder: Encoder, pictures: Sequence[Unembedded]) -> list[FileOutcome]:
    """Add the vectors of `pictures`. Copies, which are often in one batch, are embedded once."""
    pixels = {accepted.digest: pixels for accepted, pixels in pictures}
    if not pixels:
        return []
    vectors = dict(zip(pixels, encoder.encode_pixels(np.stack(list(pixels.values()))), strict=True))  # (n, S, S, 3)
    return [replace(accepted, vector=vectors[accepted.digest]) for accepted, _ in pictures]


def _embed_alone(encoder: Encoder, picture: Unembedded) -> list[FileOutcome]:
    try:
        return _embed(encoder, [picture])
    except BadVectors as exc:
        accepted, _ = picture
        return [replace(accepted, fault=exc.fault)]
