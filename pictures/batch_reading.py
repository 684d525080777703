"""Read several files in one call, in a process of another machine.

This module and those it imports are all that such a process loads. A file that crashes it is found by others (see
`indexer.cluster.careful_reading`).
"""

import faulthandler
import os
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pictures.decode import share_large_picture_lock
from pictures.pillow_warnings import ignore_pillow_warnings
from pictures.reading import ReadFile, ReadRequest, ReadSettings, read_picture

__all__ = ["FramePixels", "ReadReport", "apart", "needs_lookup", "read_batch"]

MAX_BATCH_BYTES = 32 << 20
"""Pixels after which a call reads no further file, so that few documents with many pages do not fill the memory."""

MAX_SECONDS = 600.0
"""Time after which a process that still reads the same frame of a file ends."""

FramePixels: TypeAlias = tuple[NDArray[np.uint8], ...]
"""The pixels (S, S, 3) of each frame of a file; empty if they are not needed."""

_NO_PIXELS = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class ReadReport:
    """What was read, without pixels: in place of those of each frame there is an empty array.

    `files` may be shorter than the requests, but not empty: the others must be requested again.
    """

    machine: str
    files: tuple[ReadFile | None, ...]


def read_batch(requests: Sequence[ReadRequest], settings: ReadSettings) -> tuple[ReadReport, *tuple[FramePixels, ...]]:
    """Read files until all are read, or their pixels take much memory. Return a report, and the pixels of each request.

    A file whose digest has to be looked up is not decoded: the report has its digest only. A process that works on one
    frame for longer than `MAX_SECONDS` ends.
    """
    _prepare()
    files: list[ReadFile | None] = []
    pixels: list[FramePixels] = []
    taken = 0
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        for request in requests:
            if taken > MAX_BATCH_BYTES:
                break
            _be_alive(nowhere.fileno())
            try:
                file = read_picture(request, settings, lambda _: True, lambda: _be_alive(nowhere.fileno()))
            finally:
                faulthandler.cancel_dump_traceback_later()
            report, frames = apart(file)
            files.append(report)
            pixels.append(frames)
            taken += sum(frame.nbytes for frame in frames)
    pixels += [()] * (len(requests) - len(pixels))
    return ReadReport(socket.gethostname(), tuple(files)), *pixels


def apart(file: ReadFile | None) -> tuple[ReadFile | None, FramePixels]:
    """Return a file without its pixels, and these."""
    if file is None or file.pixels is None:
        return file, ()
    further = (_NO_PIXELS,) * len(file.further_pixels)
    return replace(file, pixels=_NO_PIXELS, further_pixels=further), (file.pixels, *file.further_pixels)


def needs_lookup(request: ReadRequest, file: ReadFile | None) -> bool:
    """Return whether a file was not decoded, because its digest has to be looked up first."""
    return not request.is_new and file is not None and file.failure is None and file.info is None


def _be_alive(log: int) -> None:
    """End this process after `MAX_SECONDS`, unless this is called again before. A decoder may hold the interpreter."""
    faulthandler.dump_traceback_later(MAX_SECONDS, exit=True, file=log)


@cache
def _prepare() -> None:
    ignore_pillow_warnings()
    share_large_picture_lock(_MachineLock(tempfile.gettempdir()))


class _MachineLock:
    """A lock that all processes of a machine share: that of a folder, which no file has to be created for."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._opened = list[int]()

    def __enter__(self) -> None:
        import fcntl  # not on Windows

        with suppress(OSError):  # only the bound on memory is lost
            opened = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            self._opened.append(opened)
            fcntl.flock(opened, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self._opened:
            os.close(self._opened.pop())
