"""The files of a root in an object store: the objects whose keys begin with the path of the root.

A store has no folders. Slashes in keys are taken for them, as most programs do.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from core.object_paths import ObjectPath
from core.root_files.interface import FilesListing, FileStatus, FolderEntry, RootFiles
from core.root_files.object_store import ListingPage, ObjectStatus, ObjectStore
from core.root_files.opened_object import OpenedObject

__all__ = ["ObjectFiles"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object, or the common prefix of several, as an entry of a folder."""

    name: bytes
    is_folder: bool

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        return self.is_folder

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        return not self.is_folder

    def is_symlink(self) -> bool:
        return False


class ObjectFiles(RootFiles):
    """The objects of a bucket whose keys begin with the path of a root and a slash.

    A listing that breaks off is an error as a whole. So is a bucket that goes away while a root is walked: it is not
    taken for a folder that was deleted. Objects whose keys end with a slash, which programs create for folders, are
    left out.
    """

    root: ObjectPath

    def __init__(self, root: ObjectPath, store: ObjectStore) -> None:
        super().__init__(root)
        self._store = store
        _, self._bucket, *names = root.parts
        self._prefix = "".join(f"{name}/" for name in names)

    def require_root(self) -> None:
        """Raise `OSError` if the root cannot be listed."""
        if not self.has_entries():
            raise FileNotFoundError(errno.ENOENT, "there are no objects below this name")

    def is_folder(self, relpath: bytes = b"") -> bool:
        """Return whether there is an object beneath a path."""
        try:
            return self.has_entries(relpath)
        except FileNotFoundError:
            return False

    def has_entries(self, relpath: bytes = b"") -> bool:
        """Return whether there is an object beneath a path. Raises `OSError`, also if the bucket does not exist."""
        prefix = self._key(relpath, "/")
        return any(True for page in self._pages(prefix, limit=2) for _ in _entries(page, prefix))

    def list_folder(self, relpath: bytes) -> FilesListing:
        """Return the entries of a folder. Memory is needed for one entry of it each, and for one page of the store."""
        prefix = self._key(relpath, "/")
        entries, statuses, unusable = list[FolderEntry](), dict[bytes, FileStatus](), list[bytes]()
        try:
            for page in self._pages(prefix):
                for name, status in _entries(page, prefix):
                    if not _is_usable(name):
                        unusable.append(os.fsencode(prefix.removeprefix(self._prefix)) + name)
                        continue
                    entries.append(_Entry(name, is_folder=status is None))
                    if status is not None:
                        statuses[name] = status.file_status
        except FileNotFoundError as error:  # the bucket has gone: its objects may exist
            raise OSError(errno.EIO, "the bucket does not exist any more") from error
        return FilesListing(entries, statuses, tuple(unusable))

    def status(self, relpath: bytes) -> FileStatus | None:
        """Return the status of an object. Raises `FileNotFoundError` if there is none."""
        return self._store.status(self._bucket, self._key(relpath)).file_status

    def open(self, relpath: bytes, *, ahead: bool = True) -> BinaryIO:
        """Open an object."""
        return cast("BinaryIO", OpenedObject(self._store, self._bucket, self._key(relpath), ahead=ahead))

    def first_bytes(self, relpath: bytes, count: int) -> bytes:
        """Return the first bytes of an object."""
        return self._store.read(self._bucket, self._key(relpath), 0, count)[0]

    def _pages(self, prefix: str, limit: int = 1000) -> Iterator[ListingPage]:
        page = self._store.list_page(self._bucket, prefix, limit=limit)
        yield page
        while page.following is not None:
            page = self._store.list_page(self._bucket, prefix, page.following, limit=limit)
            yield page

    def _key(self, relpath: bytes, end: str = "") -> str:
        return self._prefix + os.fsdecode(relpath) + end if relpath else self._prefix


def _entries(page: ListingPage, prefix: str) -> Iterator[tuple[bytes, ObjectStatus | None]]:
    """Yield the names of a page with their statuses, None for those of folders."""
    for key, status in page.objects:
        if not key.endswith("/") or key == prefix:
            name = key.removeprefix(prefix)
            if name:
                yield os.fsencode(name), status
    for inner in page.prefixes:
        yield os.fsencode(inner.removeprefix(prefix).removesuffix("/")), None


def _is_usable(name: bytes) -> bool:
    """Return whether a name can be a part of a path."""
    return name not in (b"", b".", b"..") and b"\0" not in name and b"/" not in name
