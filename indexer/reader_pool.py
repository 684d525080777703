"""Read files on all cores: in threads at first, and in processes once a run of enough workers has taken a while.

Threads of Python take turns at everything but decoding itself. Processes do not, but each takes a fraction of a second
to start. A run therefore begins with threads, which is all that a few new pictures need, and starts the processes when
it has read for `START_AFTER_SECONDS`. Until they are ready, the threads go on. From then on each thread feeds one
process (see `pictures.reader_process`), a request ahead, so that the process need not wait for the interpreter of the
parent. A run with fewer than `MIN_PROCESSES` workers stays with threads.

If a process crashes, or works on a frame for longer than `MAX_SECONDS`, the file is recorded as failed, and a new
process continues with the next one.
"""

import os
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from core.errors import DecoderCrashed
from core.processors import available_cores
from core.root_files.waiting import waits_until
from indexer.reader import Reader, Reading
from indexer.reader_processes import ReaderEnded, ReaderMemory, ReaderProcess, ReadersUnavailable
from pictures.reading import ReadFailure, ReadFile, ReadRequest, ReadSettings, read_picture

__all__ = ["ReaderPool", "default_workers"]

START_AFTER_SECONDS = 1.0
"""Time that a run reads in threads before it starts processes."""

MIN_PROCESSES = 4
"""Fewer workers stay threads. On two cores that other programs used too (load 11), `mini` and two reader processes
competed: 600 pictures of 500x375 took 172 and 166 s, against 36 and 31 s with two threads, in turns."""

MAX_SECONDS = 600.0
"""Time after which a process that still reads the same frame of a file is killed."""

REQUESTS_PER_PROCESS = 2
"""Requests that a process has at a time: the one it works on and the next."""

MAX_DEFAULT_WORKERS = 32
"""Readers on a large machine, unless the caller says otherwise. Each process takes about 50 MB."""

Item = TypeVar("Item")


def default_workers() -> int:
    """Return one reader for each core that this process may use."""
    return min(available_cores(), MAX_DEFAULT_WORKERS)


@dataclass
class _Task(Generic[Item]):
    """An item to read, and where the result goes."""

    reader: Reader[Item]
    item: Item
    request: ReadRequest
    future: Future[Reading | None] = field(default_factory=Future)

    def finish(self, file: ReadFile | None) -> None:
        try:
            self.future.set_result(self.reader.reading(self.item, file))
        except Exception as error:
            self.future.set_exception(error)


class ReaderPool:
    """Reads files in `workers` threads, and as many processes. Use it in a `with` statement.

    `start_after` is the time in seconds before processes are started. With fewer than `MIN_PROCESSES` workers none is
    started, nor with None. 0 starts them in any case, before anything is read. `max_seconds` limits how long a process
    reads one frame. `notice` is called with a sentence if processes cannot be started; threads then read everything.

    A file whose process crashes fails with the reason of `DecoderCrashed`.
    """

    def __init__(
        self,
        settings: ReadSettings,
        workers: int,
        *,
        start_after: float | None = START_AFTER_SECONDS,
        max_seconds: float = MAX_SECONDS,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.workers = workers
        self.max_seconds = max_seconds
        self.starts_at_once = start_after == 0
        self.closing = Event()
        self.tasks = queue.SimpleQueue[_Task[Any] | None]()
        self._start_after = start_after
        self._notice = notice
        self._started: float | None = None
        self._memory: ReaderMemory | None = None
        self._lock = Lock()
        self._feeders = [_Feeder(self, number) for number in range(workers)]

    def __enter__(self) -> Self:
        for feeder in self._feeders:
            feeder.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        for feeder in self._feeders:
            self.tasks.put(None)
            feeder.stop()
        for feeder in self._feeders:
            feeder.join()
        if self._memory is not None:
            self._memory.close()

    @property
    def process_ids(self) -> list[int]:
        """The IDs of the processes that are ready to read."""
        return [pid for feeder in self._feeders if (pid := feeder.process_id) is not None]

    def submit(self, reader: Reader[Item], item: Item) -> Future[Reading | None]:
        """Read an item as soon as a worker is free. A future that is cancelled before that is not read."""
        if self._started is None:
            self._started = time.monotonic()
        task = _Task(reader, item, reader.request(item))
        self.tasks.put(task)
        return task.future

    def uses_processes(self) -> bool:
        """Return whether it is time for processes."""
        if self._start_after is None or self.closing.is_set() or os.name != "posix":
            return False
        if self._start_after == 0:
            return True
        waited = 0.0 if self._started is None else time.monotonic() - self._started
        return self.workers >= MIN_PROCESSES and waited >= self._start_after

    def start_process(self, number: int) -> ReaderProcess:
        """Start a process with the slots of feeder `number`. Raises `ReadersUnavailable`."""
        with self._lock:
            if self._memory is None:
                self._memory = ReaderMemory(self.settings, self.workers * REQUESTS_PER_PROCESS)
        first = number * REQUESTS_PER_PROCESS
        return ReaderProcess(self.settings, self._memory, range(first, first + REQUESTS_PER_PROCESS))

    def give_up_processes(self, reason: str) -> None:
        """Start no more processes; say so once."""
        with self._lock:
            is_first, self._start_after = self._start_after is not None, None
        if is_first and self._notice is not None and not self.closing.is_set():
            self._notice(f"pictures are read in threads, which may be slower: {reason}")


class _Feeder(Thread):
    """A thread that reads files itself, or has its process read them."""

    def __init__(self, pool: ReaderPool, number: int) -> None:
        super().__init__(name=f"sightline-reader-{number}", daemon=True)
        self._pool = pool
        self._number = number
        self._process: ReaderProcess | None = None
        self._lock = Lock()
        self._sent = deque[_Task[Any]]()
        self._again = deque[_Task[Any]]()

    @property
    def process_id(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.has_started else None

    def run(self) -> None:
        try:
            if self._pool.starts_at_once:
                self._wait_for_process()
            while not self._pool.closing.is_set():
                process = self._ready_process()
                if process is not None:
                    self._feed(process)
                elif (task := self._next(wait=True)) is not None:
                    self._read_here(task)
        finally:
            self._drop_process()
            for task in (*self._sent, *self._again):
                task.future.set_exception(RuntimeError("the readers were stopped"))

    def stop(self) -> None:
        """End the process, which ends the wait for its results. For other threads; the pool is closing."""
        with self._lock:
            if self._process is not None:
                self._process.end()

    def _drop_process(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.close()

    def _ready_process(self) -> ReaderProcess | None:
        """Return the process if it is ready to read. Start it if it is time to."""
        try:
            if self._process is None and self._pool.uses_processes():
                self._start()
            process = self._process
            return process if process is not None and process.is_ready() else None
        except (ReadersUnavailable, OSError) as error:
            self._drop_process()
            self._pool.give_up_processes(str(error))
            return None

    def _start(self) -> None:
        process = self._pool.start_process(self._number)
        with self._lock:
            if not self._pool.closing.is_set():
                self._process = process
                return
        process.close()

    def _next(self, *, wait: bool) -> _Task[Any] | None:
        """Return the next task, which is running from then on; None if there is none now, or if the pool closes."""
        if self._again:
            return self._again.popleft()
        while True:
            try:
                task = self._pool.tasks.get(block=wait)
            except queue.Empty:
                return None
            if task is None or task.future.set_running_or_notify_cancel():
                return task

    def _read_here(self, task: _Task[Any]) -> None:
        try:
            with waits_until(self._pool.closing):
                file = read_picture(task.request, self._pool.settings, task.reader.is_embedded)
        except Exception as error:
            task.future.set_exception(error)
        else:
            task.finish(file)

    def _feed(self, process: ReaderProcess) -> None:
        """Send requests as long as there are some, and receive one result."""
        try:
            while len(self._sent) < REQUESTS_PER_PROCESS:
                task = self._next(wait=not self._sent)
                if task is None:
                    break
                self._send(process, task)
            if self._sent:
                self._receive(process)
        except ReaderEnded as cause:
            self._after_crash(str(cause))

    def _send(self, process: ReaderProcess, task: _Task[Any]) -> None:
        try:
            process.send(task.request)
        except ReaderEnded:
            self._again.append(task)
            raise
        self._sent.append(task)

    def _receive(self, process: ReaderProcess) -> None:
        task = self._sent[0]
        try:
            file = process.receive(task.reader.is_embedded, self._pool.max_seconds)
        except ReaderEnded:
            raise
        except Exception as error:
            self._sent.popleft().future.set_exception(error)
        else:
            self._sent.popleft().finish(file)

    def _after_crash(self, cause: str) -> None:
        """Record the failure of the file that was being read, and wait for a new process: the next may crash too."""
        self._drop_process()
        if self._pool.closing.is_set():
            return
        if self._sent:
            self._sent.popleft().finish(ReadFile(failure=ReadFailure.of(DecoderCrashed(cause))))
        self._again.extendleft(reversed(self._sent))
        self._sent.clear()
        self._wait_for_process()

    def _wait_for_process(self) -> None:
        while self._pool.uses_processes() and self._ready_process() is None:
            time.sleep(0.01)
