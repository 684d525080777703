"""The bytes of a picture file, held in memory, or a video, which is read from its file as far as it is needed.

A video can be larger than memory. Its digest is computed block by block, and it is decoded from the open file. Its
size and modification time must be the same afterwards.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.root_files import OpenedObject, open_file, status_of
from pictures.video import is_video_head

__all__ = ["MAX_FILE_BYTES", "PictureSource", "open_source"]

MAX_FILE_BYTES = 1 << 30
"""Size of the largest picture that is read; 200 million pixels of 16 bits, uncompressed, take slightly more.

Videos have no limit."""

HEAD_BYTES = 64
BLOCK_BYTES = 1 << 20
REPORTED_BYTES = 256 << 20
"""How much of a video is read between two reports of progress."""


@dataclass(frozen=True)
class PictureSource:
    """What to decode: the bytes of a picture, or an open video. `size` and `mtime_ns` belong to exactly these bytes.

    A picture of more than `MAX_FILE_BYTES` has no bytes, and is too large.
    """

    data: bytes | BinaryIO
    size: int
    mtime_ns: int
    is_too_large: bool = False

    @property
    def is_video(self) -> bool:
        """Whether `data` is an open file."""
        return not isinstance(self.data, bytes)

    @property
    def failure(self) -> OSError | None:
        """Why an object could not be read any further. Decoders often replace such an error by one of their own."""
        return self.data.failure if isinstance(self.data, OpenedObject) else None

    def digest(self, progress: Callable[[], None] = lambda: None) -> bytes:
        """Return the SHA-256 of the bytes. For a large video, `progress` is called now and then."""
        if isinstance(self.data, bytes):
            return hashlib.sha256(self.data).digest()
        hashed, done = hashlib.sha256(), 0
        self.data.seek(0)
        while block := self.data.read(BLOCK_BYTES):
            hashed.update(block)
            done += len(block)
            if done % REPORTED_BYTES == 0:
                progress()
        self.data.seek(0)
        return hashed.digest()

    def is_unchanged(self) -> bool:
        """Return whether an open video still has the size and the modification time that it had when it was opened."""
        if isinstance(self.data, bytes):
            return True
        status = status_of(self.data)
        return (status.size, status.mtime_ns) == (self.size, self.mtime_ns)


@contextmanager
def open_source(file: BinaryIO | Path) -> Iterator[PictureSource]:
    """Read a file, which is closed at the end even if it was open before. Raises `OSError`."""
    with open_file(file) if isinstance(file, Path) else file as opened:
        status = status_of(opened)
        head = opened.read(HEAD_BYTES)
        opened.seek(0)
        data: bytes | BinaryIO = opened
        is_too_large = not is_video_head(head) and status.size > MAX_FILE_BYTES
        if not is_video_head(head):
            data = b"" if is_too_large else opened.read(MAX_FILE_BYTES)  # it may be growing
        yield PictureSource(data, status.size, status.mtime_ns, is_too_large)
