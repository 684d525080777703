"""A process that reads picture files for another one, its parent.

The parent sends requests and receives results through a socket. Pixels are written to memory that both have mapped;
those of frames after the first, which few files have, are sent through the socket.
A reader process imports no model runtime and no database, and uses one thread for each of its libraries, so that as
many processes as cores do not compete. A crash in a decoder ends this process only.

    parent -> reader    `ReadSettings`                 once
    reader -> parent    "ready"                        once
    parent -> reader    (slot, `ReadRequest`)          a few ahead of the results
    reader -> parent    digest                         a question: is it embedded? The parent sends True or False
    reader -> parent    "frame"                        after each frame: it makes progress
    reader -> parent    `Done` or `Failed`             in the order of the requests

The parent keeps the standard input open and never writes to it. When it ends, however it ends, this process reads
the end of the file and ends too, even in the middle of a picture.
"""

import mmap
import os
import signal
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from threading import Thread

import numpy as np

from pictures.decode import share_large_picture_lock
from pictures.pillow_warnings import ignore_pillow_warnings
from pictures.reading import ReadFile, ReadRequest, ReadSettings, read_picture

__all__ = ["FRAME", "ONE_THREAD", "READY", "Done", "Failed", "main", "slot_bytes"]

READY = "ready"
FRAME = "frame"

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Environment in which libraries for linear algebra start no threads."""


@dataclass(frozen=True)
class Done:
    """The outcome of a request. If `in_slot` is set, its pixels are in the slot of the request, not in `file`."""

    file: ReadFile | None
    in_slot: bool = False


@dataclass(frozen=True)
class Failed:
    """An error that is not the fault of a picture; the parent raises it. `trace` is its traceback."""

    error: str
    trace: str


def slot_bytes(settings: ReadSettings) -> int:
    """Return the bytes of shared memory for the pixels of one picture."""
    return settings.preprocess.size**2 * 3


def main(socket: int, memory: int) -> None:
    """Serve requests until the parent ends. The arguments are file descriptors."""
    ignore_pillow_warnings()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(socket) as parent:
        try:
            settings: ReadSettings = parent.recv()
        except (AttributeError, ImportError) as error:  # the class of the preprocessing cannot be imported here
            parent.send(Failed(repr(error), traceback.format_exc()))
            return
        share_large_picture_lock(_ProcessLock(memory))
        _Server(parent, mmap.mmap(memory, 0), settings).serve()


class _Server:
    def __init__(self, parent: Connection, memory: mmap.mmap, settings: ReadSettings) -> None:
        self._parent = parent
        self._settings = settings
        size = settings.preprocess.size
        self._slots = np.frombuffer(memory, np.uint8)[: len(memory) // slot_bytes(settings) * slot_bytes(settings)]
        self._slots = self._slots.reshape(-1, size, size, 3)
        self._requests = deque[tuple[int, ReadRequest]]()

    def serve(self) -> None:
        self._parent.send(READY)
        while True:
            slot, request = self._requests.popleft() if self._requests else self._parent.recv()
            self._parent.send(self._read(slot, request))

    def _read(self, slot: int, request: ReadRequest) -> Done | Failed:
        try:
            file = read_picture(request, self._settings, self._is_embedded, partial(self._parent.send, FRAME))
        except (EOFError, ConnectionError):  # the parent is gone
            raise
        except Exception as error:
            return Failed(repr(error), traceback.format_exc())
        if file is None or file.pixels is None or file.pixels.shape != self._slots.shape[1:]:
            return Done(file)  # pixels of an unexpected shape are sent along
        self._slots[slot] = file.pixels
        return Done(replace(file, pixels=None), in_slot=True)

    def _is_embedded(self, digest: bytes) -> bool:
        self._parent.send(digest)
        while True:
            message = self._parent.recv()
            if isinstance(message, bool):
                return message
            self._requests.append(message)  # sent before the question was read


def _end_with_parent() -> None:
    with suppress(OSError):
        os.read(0, 1)
    os._exit(0)


class _ProcessLock:
    """A lock that all readers of a parent share. The system releases it if its holder is killed."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        import fcntl  # not on Windows, where no reader process is started

        with suppress(OSError):  # a file system without locks: only the bound on memory is lost
            fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        import fcntl

        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_UN)
