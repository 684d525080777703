"""Where the files of a run are read and embedded: the interface, and this machine.

A run scans folders, writes to the catalogue, and publishes; it hands everything in between to a runner, which takes
files and returns their outcomes batch by batch, in order. `indexer.cluster` has a runner for several machines.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from encoders.base import Encoder
from indexer.batching import batches, embed_ahead, read_ahead
from indexer.reader import Reader, Reading
from indexer.reader_pool import ReaderPool, default_workers
from indexer.summary import StageTimer
from pictures.reading import ReadSettings
from store.ingest.batch_writer import FileOutcome

__all__ = ["EmbeddedBatch", "FileEmbedder", "LocalRunner", "Runner", "seconds_of"]

Item = TypeVar("Item")
"""What is read: a file, or a content with several files."""


@dataclass(frozen=True)
class EmbeddedBatch:
    """Files that were read. `outcomes` waits for their vectors; call it before the next batch is taken.

    `seconds` is the time that reading took by stage, added up over the files.
    """

    files: int
    seconds: Mapping[str, float]
    outcomes: Callable[[], list[FileOutcome]]


class FileEmbedder(Protocol):
    """Reads and embeds files. It has the model and the workers of a run."""

    def embed(self, reader: Reader[Item], items: Iterable[Item]) -> Iterator[EmbeddedBatch]:
        """Yield `items` in order, in batches. Memory is bounded by the batch and the workers, not by their number."""


class Runner(ABC):
    """A place where files are read and embedded. Creating one starts nothing."""

    @abstractmethod
    def start(
        self, encoder: Encoder, settings: ReadSettings, notice: Callable[[str], None]
    ) -> AbstractContextManager[FileEmbedder]:
        """Return the embedder of a run, to be used in a `with` statement, at whose end everything it started ends.

        The vectors are those that `encoder` computes. `notice` is called with a sentence about what makes the run
        slower.
        """


@dataclass(frozen=True)
class LocalRunner(Runner):
    """Reads with `workers` threads or processes of this machine (see `indexer.reader_pool`), and embeds in this one."""

    workers: int = field(default_factory=default_workers)

    @contextmanager
    def start(
        self, encoder: Encoder, settings: ReadSettings, notice: Callable[[str], None]
    ) -> Iterator["_LocalEmbedder"]:
        """Start the workers."""
        with ReaderPool(settings, self.workers, notice=notice) as pool:
            yield _LocalEmbedder(encoder, pool)


@dataclass(frozen=True)
class _LocalEmbedder:
    encoder: Encoder
    pool: ReaderPool

    def embed(self, reader: Reader[Item], items: Iterable[Item]) -> Iterator[EmbeddedBatch]:
        size = self.encoder.batch_size
        readings = read_ahead(reader, items, self.pool, size)
        for batch, outcomes in embed_ahead(self.encoder, batches(readings, size)):
            yield EmbeddedBatch(len(batch), seconds_of(batch), outcomes)


def seconds_of(batch: Sequence[Reading]) -> Mapping[str, float]:
    """Return the time that reading a batch took by stage, added up over its files."""
    timer = StageTimer()
    for reading in batch:
        timer.add(reading.seconds)
    return timer.seconds
