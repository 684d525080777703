"""The parent's side of reader processes (see `pictures.reader_process`): starting them, their memory, their end.

They are started as new interpreters, not forked: a fork copies the locks of threads that it does not copy, and this
process has threads of model runtimes. Nor does `multiprocessing` start them, which runs the main module of the program
again.
"""

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pictures.reader_process import ONE_THREAD, READY, Failed, slot_bytes
from pictures.reading import ReadFile, ReadRequest, ReadSettings

__all__ = ["ReaderEnded", "ReaderMemory", "ReaderProcess", "ReadersUnavailable", "cause_of_end"]

START_SECONDS = 60.0
"""Time after which a process that is not ready counts as one that cannot be started."""

END_SECONDS = 5.0
"""Time that a process has to end before it is killed."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from pictures.reader_process import main; main({}, {})"
)


class ReadersUnavailable(Exception):
    """Reader processes cannot be started; the message says why."""


class ReaderEnded(Exception):
    """A reader process has ended, or was killed because it took too long."""


class ReaderMemory:
    """Memory for the pixels of `slots` pictures, shared with the processes. It has no name, so that none can be left.

    It is not in /dev/shm, which is small in containers. Raises `ReadersUnavailable`.
    """

    def __init__(self, settings: ReadSettings, slots: int) -> None:
        size = settings.preprocess.size
        try:
            self.file = _anonymous_file()
            os.ftruncate(self.file, slots * slot_bytes(settings))
            self._map = mmap.mmap(self.file, slots * slot_bytes(settings))
        except OSError as error:
            raise ReadersUnavailable(f"no shared memory: {error.strerror or error}") from error
        self._pixels = np.frombuffer(self._map, np.uint8).reshape(slots, size, size, 3)

    def pixels(self, slot: int) -> NDArray[np.uint8]:
        """Return a copy of the pixels in a slot, (S, S, 3)."""
        return np.array(self._pixels[slot])

    def close(self) -> None:
        """Free the memory when the last process that uses it has ended."""
        del self._pixels
        self._map.close()
        os.close(self.file)


class ReaderProcess:
    """One process, which has the given slots of the memory. Creating it does not wait until it is ready."""

    def __init__(self, settings: ReadSettings, memory: ReaderMemory, slots: Sequence[int]) -> None:
        self._memory = memory
        self._slots = slots
        self._sent = self._received = 0
        self.has_started = False
        self._started = time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection = Connection(ours.detach())
            try:
                self._process = _start(theirs.fileno(), memory.file)
            except (OSError, ValueError) as error:
                self._connection.close()
                raise ReadersUnavailable(f"a process cannot be started: {error}") from error
        try:
            self._connection.send(settings)
        except Exception as error:  # pickling raises errors of many types
            self.close()
            raise ReadersUnavailable(f"the preprocessing cannot be sent to a process: {error!r}") from error

    @property
    def pid(self) -> int:
        """The ID of the process."""
        return self._process.pid

    def is_ready(self) -> bool:
        """Return whether the process is ready. Raises `ReadersUnavailable` if it never will be."""
        if self.has_started:
            return True
        try:
            if not self._connection.poll(0):
                if time.monotonic() - self._started > START_SECONDS:
                    raise ReadersUnavailable(f"a process was not ready after {START_SECONDS:.0f} s")
                return False
            message = self._connection.recv()
        except (EOFError, OSError) as error:
            raise ReadersUnavailable(f"a process could not start: {cause_of_end(self._process, 'decoder')}") from error
        if message != READY:
            raise ReadersUnavailable(message.error)
        self.has_started = True
        return True

    def send(self, request: ReadRequest) -> None:
        """Send a request. Raises `ReaderEnded`."""
        slot = self._slots[self._sent % len(self._slots)]
        self._send((slot, request))
        self._sent += 1

    def receive(self, is_embedded: Callable[[bytes], bool], timeout: float) -> ReadFile | None:
        """Return the result of the earliest request without one, as `pictures.reading.read_picture` does.

        Raises `ReaderEnded`, also if a frame takes more than `timeout` seconds, and `RuntimeError` for a failure of
        Sightline itself.
        """
        while isinstance(message := self._receive(timeout), (bytes, str)):
            if isinstance(message, bytes):
                self._answer(message, is_embedded)
        slot = self._slots[self._received % len(self._slots)]
        self._received += 1
        if isinstance(message, Failed):
            error = RuntimeError(f"reading a picture failed: {message.error}")
            error.add_note(message.trace)
            raise error
        file: ReadFile | None = message.file
        if file is not None and message.in_slot:
            return replace(file, pixels=self._memory.pixels(slot))
        return file

    def end(self) -> None:
        """Kill the process, even in the middle of a picture. A thread that waits for its result stops waiting."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill the process and close its connection. Only for the thread that uses it."""
        self.end()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._connection.close()

    def _answer(self, digest: bytes, is_embedded: Callable[[bytes], bool]) -> None:
        try:
            answer = is_embedded(digest)
        except BaseException:
            self.end()  # it would wait for an answer for ever
            raise
        self._send(answer)

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise ReaderEnded(cause_of_end(self._process, "decoder")) from error

    def _receive(self, timeout: float) -> Any:
        try:
            if not self._connection.poll(timeout):
                self.end()
                raise ReaderEnded(f"the decoder did not finish within {timeout:g} s")
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise ReaderEnded(cause_of_end(self._process, "decoder")) from error


def cause_of_end(process: subprocess.Popen[bytes], culprit: str) -> str:
    """Wait until a process has ended, and return why it did, for people. `culprit` is what may have crashed it."""
    try:
        code = process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return "the reader process closed its connection"
    if code >= 0:
        return f"the reader process ended (exit code {code})"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else "unknown"
    why = ", perhaps for lack of memory" if -code == signal.SIGKILL else ""
    return f"the {culprit} crashed (signal {-code}, {name}{why})"


def _start(connection: int, memory: int) -> subprocess.Popen[bytes]:
    """Start an interpreter that inherits two files. Ctrl-C does not reach it: it is in a process group of its own."""
    code = _BOOT.format(connection, memory)
    return subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(connection, memory),
        process_group=0,
        env={**os.environ, **ONE_THREAD},
    )


def _anonymous_file() -> int:
    """Return the descriptor of a file without a name: in memory on Linux, otherwise a temporary file."""
    if hasattr(os, "memfd_create"):
        with suppress(OSError):
            return os.memfd_create("sightline-readers")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
