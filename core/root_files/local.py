"""The files of a folder of this machine. Paths are bytes, which pathlib does not support, so any name is preserved."""
# ruff: noqa: PTH116, PTH118, PTH123

import os
import stat
from pathlib import Path
from typing import BinaryIO

from core.file_systems import InodeNumbers
from core.files import changed_ns, modified_ns
from core.root_files.interface import FilesListing, FileStatus, RootFiles

__all__ = ["DiskFiles"]


class DiskFiles(RootFiles):
    """The files of a folder. Mounts are looked up once, so an object should be used for one scan."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._root = os.fsencode(root)
        self._inodes = InodeNumbers()
        self._real_root: bytes | None = None

    def require_root(self) -> None:
        """Raise `FileNotFoundError`, `NotADirectoryError` or `PermissionError` if the root cannot be listed."""
        os.scandir(self._root).close()

    def is_folder(self, relpath: bytes = b"") -> bool:
        """Return whether there is a folder, or a link to one."""
        return Path(os.fsdecode(self._path(relpath))).is_dir()

    def has_entries(self, relpath: bytes = b"") -> bool:
        """Return whether a folder has any entry. The mount point of a disk that is away has none."""
        with os.scandir(self._path(relpath)) as listing:
            return next(listing, None) is not None

    def list_folder(self, relpath: bytes) -> FilesListing:
        """Return the entries of a folder."""
        with os.scandir(self._path(relpath)) as listing:
            return FilesListing(list(listing))

    def status(self, relpath: bytes) -> FileStatus | None:
        """Return the status of a regular file."""
        path = self._path(relpath)
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        return FileStatus(status.st_size, modified_ns(status), changed_ns(status), self._inodes.of(status, path))

    def open(self, relpath: bytes, *, ahead: bool = True) -> BinaryIO:  # noqa: ARG002 (the system reads ahead)
        """Open a file."""
        return open(self._path(relpath), "rb")

    def first_bytes(self, relpath: bytes, count: int) -> bytes:
        """Return the first bytes of a file."""
        with open(self._path(relpath), "rb", buffering=0) as file:
            return file.read(count)

    def disk(self, relpath: bytes) -> int:
        """Return the device that a folder is on."""
        return os.stat(self._path(relpath)).st_dev

    def folder_identity(self, relpath: bytes = b"") -> tuple[int, int]:
        """Return device and inode of a folder."""
        status = os.stat(self._path(relpath))
        return status.st_dev, status.st_ino

    def leads_into_root(self, link: bytes) -> bool:
        """Return whether a symbolic link leads to the root or into it."""
        if self._real_root is None:
            self._real_root = os.path.realpath(self._root)
        target = os.path.realpath(self._path(link))
        return target == self._real_root or target.startswith(self._real_root.rstrip(b"/") + b"/")

    def _path(self, relpath: bytes) -> bytes:
        return os.path.join(self._root, relpath) if relpath else self._root
