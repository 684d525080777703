"""What is asked of a store of objects: pages of a listing, the status of an object, and ranges of its bytes."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.root_files.interface import FileStatus

__all__ = ["ListingPage", "ObjectChanged", "ObjectStatus", "ObjectStore"]


class ObjectChanged(OSError):
    """An object was replaced while it was read."""


class ObjectStatus(NamedTuple):
    """The size, the time and the entity tag of an object."""

    size: int
    mtime_ns: int
    etag: str

    @property
    def file_status(self) -> FileStatus:
        """The status of the object as a file. Its identity has 63 bits of a digest of the entity tag."""
        identity = int.from_bytes(hashlib.sha256(self.etag.encode()).digest()[:8]) >> 1
        return FileStatus(self.size, self.mtime_ns, None, identity)


@dataclass(frozen=True)
class ListingPage:
    """A part of a listing: objects by their keys, and the prefixes that others have in common.

    `following` is the token with which the next page is asked for; None after the last one.
    """

    objects: Sequence[tuple[str, ObjectStatus]]
    prefixes: Sequence[str] = ()
    following: str | None = None


class ObjectStore(ABC):
    """A store of objects in buckets. Safe to use from several threads at once.

    Methods raise `FileNotFoundError` if a bucket or an object does not exist, `PermissionError`, and `OSError` for
    anything else. No message contains credentials.
    """

    @abstractmethod
    def list_page(self, bucket: str, prefix: str, following: str | None = None, limit: int = 1000) -> ListingPage:
        """Return a page of the objects whose keys begin with `prefix`, those with a further slash by their prefix."""

    @abstractmethod
    def status(self, bucket: str, key: str) -> ObjectStatus:
        """Return the status of an object."""

    @abstractmethod
    def read(self, bucket: str, key: str, start: int, stop: int, etag: str | None = None) -> tuple[bytes, ObjectStatus]:
        """Return the bytes from `start` up to `stop`, or to the end of the object, and the status of the object.

        Raises `ObjectChanged` if the object has another entity tag than `etag`.
        """
