"""LibRaw's messages about damaged data, which it writes to the standard error of C without the name of the file.

Python's standard error stays as it is, because other threads use it: only the stream of the C library is replaced, by
one in memory, as long as any thread decodes. Messages of other libraries are passed on afterwards.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["without_libraw_messages"]

_OWN = (b"unexpected end of file", b"data corrupted at")
"""What LibRaw writes (`default_data_callback` in LibRaw 0.22). Its callers raise or return what could be decoded."""


class _ErrorStream:
    """The standard error of the C library. Another stream stands in its place while `users` is not 0."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._library: ctypes.CDLL | None = None
        self._original: int | None = None
        self._descriptor = -1

    def replace(self) -> None:
        """Replace the stream, unless it is replaced already or the C library has another name for it."""
        with self._lock:
            self._users += 1
            if self._users > 1 or not sys.platform.startswith("linux"):
                return
            library = ctypes.CDLL(None)
            library.fdopen.argtypes, library.fdopen.restype = [ctypes.c_int, ctypes.c_char_p], ctypes.c_void_p
            library.fclose.argtypes = library.fflush.argtypes = [ctypes.c_void_p]
            try:
                variable = ctypes.c_void_p.in_dll(library, "stderr")
            except ValueError:
                return
            self._descriptor = os.memfd_create("sightline-messages")
            stream = library.fdopen(os.dup(self._descriptor), b"w")
            self._library, self._original, variable.value = library, variable.value, stream

    def restore(self) -> bytes:
        """Restore the stream when its last user is done, and return what was written in between."""
        with self._lock:
            self._users -= 1
            if self._users or self._library is None:
                return b""
            variable = ctypes.c_void_p.in_dll(self._library, "stderr")
            stream, variable.value = variable.value, self._original
            self._library.fclose(stream)
            self._library = None
            with open(self._descriptor, "rb") as file:  # noqa: PTH123 (a descriptor)
                file.seek(0)
                return file.read()


_stream = _ErrorStream()


@contextmanager
def without_libraw_messages() -> Iterator[None]:
    """Run a block of LibRaw without its messages."""
    _stream.replace()
    try:
        yield
    finally:
        others = [
            line for line in _stream.restore().splitlines() if line and not any(own in line.lower() for own in _OWN)
        ]
        if others:
            os.write(2, b"".join(line + b"\n" for line in others))
