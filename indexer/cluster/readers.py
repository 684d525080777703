"""Read files with tasks on all machines of a cluster, in order, and again where a process or a machine was lost."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from core.errors import ClusterFailed, DecoderCrashed, FilesNotShared, PictureUnreadable
from core.object_paths import as_path
from core.root_files import open_file
from indexer.cluster.connection import RayCluster
from indexer.cluster.losses import is_lost, raised
from indexer.reader import Reader, Reading
from pictures.batch_reading import ReadReport, needs_lookup, read_batch
from pictures.reading import ReadFailure, ReadFile, ReadRequest, ReadSettings

__all__ = ["FILES_PER_TASK", "ClusterReaders", "RemoteReading"]

FILES_PER_TASK = 8
"""Enough that a task takes far longer than sending it, few enough that a lost one costs little."""

TASKS_PER_READER = 3
"""Tasks for each core: the one that is read and the next two."""

LOSSES_TOGETHER = 3
"""Lost processes after which the files of a task are read one by one."""

MAX_LOSSES = 6
"""Lost processes after which a file counts as their cause. Decoders that crash are found by reading carefully, so these
are killed processes, lost machines, and readers that take more memory than a machine has."""

COUNT_SECONDS = 10.0
"""Interval at which the cores of the cluster are counted."""

NOTICE_SECONDS = 30.0
"""Time without a result after which a run says that it waits. A busy machine may need half of it to start a process."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class RemoteReading(Reading):
    """A reading whose pixels are elsewhere: `pixels` has an empty array for each frame, and `stored` refers to them."""

    item: Any = None
    stored: Any = None


@dataclass
class _File:
    """A file that is being read: what is read, and the outcome once it is known."""

    item: Any
    request: ReadRequest
    losses: int = 0
    file: ReadFile | None = None
    stored: Any = None
    is_settled: bool = False

    def settle(self, file: ReadFile | None, stored: Any = None) -> None:
        self.file, self.stored, self.is_settled = file, stored, True


@dataclass
class _Chunk:
    """Files that are read in order by one task, or by several after each other. `results` are those of the last."""

    files: list[_File]
    asked: list[_File] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    @property
    def left(self) -> list[_File]:
        return [file for file in self.files if not file.is_settled]


class ClusterReaders:
    """Reads files with at most `readers` tasks at once, by default one for each core of the cluster.

    `notice` is told if nothing is read for some time.
    """

    def __init__(
        self,
        cluster: RayCluster,
        settings: ReadSettings,
        readers: int | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        from indexer.cluster.careful_reading import read_carefully

        self._cluster = cluster
        self._ray = cluster.ray
        self._readers = readers
        self._notice = notice
        self._has_waited = False
        self._settings = self._ray.put(settings)
        self._read = self._ray.remote(read_batch)
        self._read_carefully = self._ray.remote(read_carefully)
        self._most = 0
        self._counted = -math.inf
        self._proven = set[str]()
        """Machines that have read a file."""

    def read(self, reader: Reader[Item], items: Iterable[Item]) -> Iterator[RemoteReading]:
        """Yield the readings of `items` in order. Files that have vanished are left out, as `reader` decides.

        Raises `FilesNotShared`, `ClusterFailed`, and `RuntimeError` for a failure of Sightline itself.
        """
        files = (_File(item, reader.request(item)) for item in items)
        running = deque[_Chunk]()
        while True:
            while len(running) < self._most_tasks() and (chosen := list(islice(files, FILES_PER_TASK))):
                running.append(self._started(_Chunk(chosen)))
            if not running:
                return
            while running[0].left:
                self._settle_next(reader, running)
            yield from _readings(reader, running.popleft())

    def _most_tasks(self) -> int:
        """Return how many tasks may run or wait: by the cores of the machines, which are counted now and then."""
        if self._readers is not None:
            return self._readers
        if time.monotonic() - self._counted > COUNT_SECONDS:
            self._most = TASKS_PER_READER * sum(machine.cores for machine in self._cluster.machines())
            self._counted = time.monotonic()
            if not self._most:
                raise ClusterFailed("no machine offers a processor core")
        return self._most

    def _started(self, chunk: _Chunk) -> _Chunk:
        """Have the files read that are left. If processes were lost again and again, only the first of them."""
        left = chunk.left
        chunk.asked = left[:1] if left[0].losses >= LOSSES_TOGETHER else left
        task = self._read_carefully if any(file.losses for file in chunk.asked) else self._read
        requests = [file.request for file in chunk.asked]
        chunk.results = task.options(
            num_returns=1 + len(requests), num_cpus=1, max_retries=0, scheduling_strategy="SPREAD"
        ).remote(requests, self._settings)
        return chunk

    def _settle_next(self, reader: Reader[Item], running: Iterable[_Chunk]) -> None:
        """Wait for one of the tasks, note what it has read, and start it again for the files that are left."""
        by_result = {chunk.results[0]: chunk for chunk in running if chunk.left}
        done = self._cluster.first_settled(list(by_result), self._waiting)
        chunk = by_result[done]
        try:
            report: ReadReport = self._ray.get(done)
        except self._ray.exceptions.RayError as error:
            if not is_lost(self._ray, error):
                raise raised(self._ray, error) from error
            self._counted = -math.inf
            for file in chunk.asked:
                file.losses += 1
                if file.losses >= MAX_LOSSES:
                    crashed = DecoderCrashed(f"the process that read it ended {file.losses} times")
                    file.settle(ReadFile(failure=ReadFailure.of(crashed)))
        else:
            self._note(reader, chunk, report)
        if chunk.left:
            self._started(chunk)

    def _waiting(self, seconds: float) -> None:
        """Say once that nothing was read for some time. Most often others use the cluster."""
        if seconds > NOTICE_SECONDS and not self._has_waited:
            self._notice("the run waits for the cluster to read a file; other programs may use all of its cores")
            self._has_waited = True

    def _note(self, reader: Reader[Item], chunk: _Chunk, report: ReadReport) -> None:
        for asked, stored, file in zip(chunk.asked, chunk.results[1:], report.files, strict=False):
            self._require_shared(asked.request, report.machine, file)
            if file is not None and needs_lookup(asked.request, file) and not reader.is_embedded(file.digest):
                asked.request = replace(asked.request, is_new=True)
            else:
                asked.settle(file, stored)

    def _require_shared(self, request: ReadRequest, machine: str, file: ReadFile | None) -> None:
        """Raise `FilesNotShared` if a machine does not find a file that is there, or has not read any yet."""
        if file is None:
            if request.digest is None and (seen := _first_readable(request)) is not None:
                raise FilesNotShared(machine, seen, "it does not exist there")
            return
        failure = file.failure
        if failure is None:
            self._proven.add(machine)
            return
        is_unreadable = failure.reason == PictureUnreadable.reason and not file.digest
        if machine not in self._proven and is_unreadable and (seen := _first_readable(request)) is not None:
            raise FilesNotShared(machine, seen, failure.detail)


def _readings(reader: Reader[Item], chunk: _Chunk) -> Iterator[RemoteReading]:
    for file in chunk.files:
        reading = reader.reading(file.item, file.file)
        if reading is not None:
            stored = file.stored if reading.pixels else None
            yield RemoteReading(reading.outcome, reading.pixels, reading.seconds, file.item, stored)


def _first_readable(request: ReadRequest) -> Path | None:
    """Return the first of the paths that this process can read."""
    for path in map(as_path, request.paths):
        with suppress(OSError), open_file(path) as file:
            file.read(1)
            return path
    return None
