"""From files that must be read to settled outcomes: bounded read-ahead, batches, vectors.

Every tensor travels together with the picture it was made from, so that a file that fails in the middle of a batch
cannot shift a vector onto its neighbour.
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

QUEUED_PER_WORKER = 4
"""Readings that may wait for the encoder, per worker: enough to never starve it, few enough to bound memory."""

PIXELLESS_BATCH = 256
"""Outcomes that need no encoder (copies, moves, failures) are committed in batches of this size."""

Item = TypeVar("Item")
"""What a reader reads: a file, or a content by one of its files."""

Waiting: TypeAlias = tuple[Accepted, NDArray[np.uint8]]
"""A picture without its vector yet, and its pixels (S, S, 3)."""


def read_ahead(reader: Callable[[Item], Reading | None], works: Iterable[Item], workers: int) -> Iterator[Reading]:
    """Reads `works` in `workers` threads, in order, never more than a few files ahead of the consumer."""
    waiting: deque[Future[Reading | None]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sightline-reader")
    try:
        for work in works:
            waiting.append(pool.submit(reader, work))
            if len(waiting) >= workers * QUEUED_PER_WORKER:
                yield from _arrived(waiting.popleft())
        while waiting:
            yield from _arrived(waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _arrived(future: Future[Reading | None]) -> Iterator[Reading]:
    reading = future.result()
    if reading is not None:
        yield reading


def batches(readings: Iterable[Reading], size: int) -> Iterator[list[Reading]]:
    """Cuts `readings` so that each batch fills the encoder once (`size` pictures), or needs it little or not at all."""
    batch: list[Reading] = []
    pictures = 0
    for reading in readings:
        batch.append(reading)
        pictures += reading.pixels is not None
        if pictures == size or len(batch) == PIXELLESS_BATCH:
            yield batch
            batch, pictures = [], 0
    if batch:
        yield batch


def embed(encoder: Encoder, batch: Sequence[Reading]) -> list[FileOutcome]:
    """The outcomes of `batch`, each picture with its vector. One that the model cannot embed has a fault, alone."""
    waiting: list[Waiting] = []
    outcomes: list[FileOutcome] = []
    for reading in batch:
        if reading.pixels is None or not isinstance(reading.outcome, Accepted):
            outcomes.append(reading.outcome)
        else:
            waiting.append((reading.outcome, reading.pixels))
    try:
        return outcomes + _embed(encoder, waiting)
    except BadVectors:
        return outcomes + [outcome for picture in waiting for outcome in _embed_alone(encoder, picture)]


def _embed(encoder: Encoder, waiting: Sequence[Waiting]) -> list[FileOutcome]:
    """Each picture with its vector; copies, which often come together, are embedded once."""
    pixels = {taken.digest: pixels for taken, pixels in waiting}
    if not pixels:
        return []
    vectors = dict(zip(pixels, encoder.encode_pixels(np.stack(list(pixels.values()))), strict=True))  # (n, S, S, 3)
    return [replace(taken, vector=vectors[taken.digest]) for taken, _ in waiting]


def _embed_alone(encoder: Encoder, picture: Waiting) -> list[FileOutcome]:
    try:
        return _embed(encoder, [picture])
    except BadVectors as exc:
        taken, _ = picture
        return [replace(taken, fault=exc.fault)]
