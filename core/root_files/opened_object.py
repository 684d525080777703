"""An object that is open for reading, in blocks that are fetched when they are needed."""

import io
from collections import OrderedDict
from typing import NoReturn

from core.root_files.interface import FileStatus
from core.root_files.object_store import ObjectChanged, ObjectStore

__all__ = ["BLOCK_BYTES", "OpenedObject"]

BLOCK_BYTES = 8 << 20
"""Bytes of one request. Most photos take one."""

KEPT_BLOCKS = 4
"""Blocks in memory. Decoders of videos go back and forth between the index of a file and its frames."""


class OpenedObject(io.BufferedIOBase):
    """An object as a seekable file. All bytes are those of one version: if the object is replaced, reading fails.

    `status` is that of this version. `failure` is the error with which a read has failed: libraries that read from a
    file of Python often replace an error by one of their own. With `ahead`, opening it reads the first block, so that
    most photos take one request; without, it asks for the status only.
    """

    def __init__(
        self, store: ObjectStore, bucket: str, key: str, *, ahead: bool = True, block_bytes: int = BLOCK_BYTES
    ) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self._store = store
        self._bucket = bucket
        self._key = key
        self._block_bytes = block_bytes
        self._blocks = OrderedDict[int, bytes]()
        self._position = 0
        if ahead:
            self._blocks[0], found = store.read(bucket, key, 0, block_bytes)
        else:
            found = store.status(bucket, key)
        self._etag = found.etag
        self.status: FileStatus = found.file_status

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, which may be beyond the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.status.size}[whence]
        if base + offset < 0:
            raise ValueError("a position cannot be negative")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, or all that are left. Raises `OSError`, and `ObjectChanged`."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        stop = self.status.size if size is None or size < 0 else min(self._position + size, self.status.size)
        parts = list[bytes]()
        while self._position < stop:
            number, first = divmod(self._position, self._block_bytes)
            part = self._block(number)[first : first + stop - self._position]
            if not part:
                self._fail(OSError(f"the object ends before its {self.status.size:,} bytes"))
            parts.append(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        return self.read(size)

    def fileno(self) -> NoReturn:
        """Raise `io.UnsupportedOperation`: there is no file of this machine."""
        raise io.UnsupportedOperation("an object has no file descriptor")

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * self._block_bytes
        try:
            block, found = self._store.read(self._bucket, self._key, start, start + self._block_bytes, self._etag)
        except OSError as error:
            self._fail(error)
        if (found.etag, found.file_status) != (self._etag, self.status):  # not all stores compare entity tags
            self._fail(ObjectChanged("it changed while it was read"))
        self._blocks[number] = block
        if len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def _fail(self, error: OSError) -> NoReturn:
        self.failure = error
        raise error
