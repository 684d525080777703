"""The runner for several machines: reads and embeds the files of a run with Ray."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from core.processors import available_cores
from core.space import Space
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.batching import batches
from indexer.cluster.connection import open_cluster
from indexer.cluster.encoder_process import LoadEncoder
from indexer.cluster.encoders import ClusterEncoders, EncoderTask, ModelChoice, open_encoders
from indexer.cluster.reachability import AUTO, require_reachable
from indexer.cluster.readers import FILES_PER_TASK, TASKS_PER_READER, ClusterReaders, RemoteReading
from indexer.reader import Reader
from indexer.runner import EmbeddedBatch, FileEmbedder, Runner, seconds_of
from indexer.summary import StageTimer
from pictures.reader_process import slot_bytes
from pictures.reading import ReadSettings

__all__ = ["ClusterRunner", "ClusterSettings"]

SPARE_BYTES = 512 << 20
"""Memory for results, beyond those of tasks that read pictures: for documents with many pages."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class ClusterSettings:
    """Which machines to use.

    `address` is that of a cluster that this machine is part of, such as "10.0.0.1:6379", or "auto" for a cluster of
    this machine alone that exists only during the run. `readers` limits how many tasks read files at once, by default
    one for each core. `placement` is where the model runs on each machine. `load` returns the encoder of a space there.
    """

    address: str = AUTO
    readers: int | None = None
    placement: Placement = DEFAULT_PLACEMENT
    load: LoadEncoder = registry.load_for_space


@dataclass(frozen=True)
class ClusterRunner(Runner):
    """Reads and embeds on the machines of a Ray cluster. Nothing is started before there is a file to read.

    The vectors are those that this machine would compute with the same model, runtime, and kind of processor.
    """

    settings: ClusterSettings = ClusterSettings()

    def require_available(self) -> None:
        """Raise `ExtraMissing` without Ray, and `ClusterUnreachable` if nothing listens at the address."""
        require_reachable(self.settings.address)

    @contextmanager
    def start(self, encoder: Encoder, settings: ReadSettings, notice: Callable[[str], None]) -> Iterator[FileEmbedder]:
        """Check that there is a cluster, and end what was started."""
        self.require_available()
        with ExitStack() as stack:
            yield _LazyEmbedder(stack, self.settings, encoder.space, settings, notice)


@dataclass
class _LazyEmbedder:
    """Starts the cluster for the first file."""

    stack: ExitStack
    settings: ClusterSettings
    space: Space
    reading: ReadSettings
    notice: Callable[[str], None]
    _started: "_ClusterEmbedder | None" = None

    def embed(self, reader: Reader[Item], items: Iterable[Item]) -> Iterator[EmbeddedBatch]:
        remaining = iter(items)
        for first in remaining:
            timer = StageTimer()
            if self._started is None:
                with timer.stage("start"):
                    self._started = self._start()
            for batch in self._started.embed(reader, chain([first], remaining)):
                timer.add(batch.seconds)
                yield replace(batch, seconds=timer.seconds)
                timer = StageTimer()

    def _start(self) -> "_ClusterEmbedder":
        cores = self.settings.readers or available_cores()
        memory = TASKS_PER_READER * cores * FILES_PER_TASK * slot_bytes(self.reading) + SPARE_BYTES
        cluster = self.stack.enter_context(open_cluster(self.settings.address, cores, memory))
        model = ModelChoice(self.settings.load, self.space, self.settings.placement)
        encoders = self.stack.enter_context(open_encoders(cluster, model, self.notice))
        readers = ClusterReaders(cluster, self.reading, self.settings.readers, self.notice)
        return _ClusterEmbedder(readers, encoders)


@dataclass(frozen=True)
class _ClusterEmbedder:
    readers: ClusterReaders
    encoders: ClusterEncoders

    def embed(self, reader: Reader[Item], items: Iterable[Item]) -> Iterator[EmbeddedBatch]:
        waiting = deque[EncoderTask]()
        for batch in batches(self.readers.read(reader, items), self.encoders.batch_size):
            waiting.append(self.encoders.submit(batch))
            if len(waiting) > self.encoders.capacity:
                yield self._embedded(reader, waiting.popleft())
        while waiting:
            yield self._embedded(reader, waiting.popleft())

    def _embedded(self, reader: Reader[Item], task: EncoderTask) -> EmbeddedBatch:
        def read_again(lost: Iterable[RemoteReading]) -> list[RemoteReading]:
            return list(self.readers.read(reader, [reading.item for reading in lost]))

        readings = task.readings
        return EmbeddedBatch(len(readings), seconds_of(readings), lambda: self.encoders.result(task, read_again))
