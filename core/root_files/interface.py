"""What is asked of the files of a root, wherever they are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

__all__ = ["FileStatus", "FilesListing", "FolderEntry", "RootFiles"]


class FileStatus(NamedTuple):
    """The size and the times of a regular file, and what identifies it.

    `mtime_ns` is the modification time. `ctime_ns` is the time at which the file or its attributes were changed, and
    `identity` a number that differs if the file was replaced: the inode number, or one that is derived from the entity
    tag of an object. Each of the two is None where it is not known, or can change while the file does not.
    """

    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    identity: int | None = None


class FolderEntry(Protocol):
    """An entry of a folder, as `os.scandir` describes it."""

    @property
    def name(self) -> bytes:
        """The last part of its path."""

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether it is a folder. Raises `OSError` for a link that cannot be followed."""

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether it is a regular file. Raises `OSError` for a link that cannot be followed."""

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link."""


@dataclass(frozen=True)
class FilesListing:
    """The entries of a folder in any order.

    `statuses` are those of its files by name, where a listing has them; None where each file must be asked for.
    `unusable` names what is in the folder and is no part of a path, such as `..`, or an empty name between slashes.
    """

    entries: Sequence[FolderEntry]
    statuses: Mapping[bytes, FileStatus] | None = None
    unusable: tuple[bytes, ...] = ()


class RootFiles(ABC):
    """The files of one root. Paths are bytes, relative to the root; b"" is the root itself.

    A method that cannot find out raises `OSError`, such as `PermissionError`. In no case does it mean that a file does
    not exist, except `FileNotFoundError` and `NotADirectoryError`. Safe to use from several threads at once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def require_root(self) -> None:
        """Raise `OSError` if the root cannot be listed."""

    @abstractmethod
    def is_folder(self, relpath: bytes = b"") -> bool:
        """Return whether there is a folder, which may be empty. Raises `OSError` if that cannot be found out."""

    @abstractmethod
    def has_entries(self, relpath: bytes = b"") -> bool:
        """Return whether a folder has any entry. Raises `OSError` if it cannot be listed."""

    @abstractmethod
    def list_folder(self, relpath: bytes) -> FilesListing:
        """Return all entries of a folder. Raises `OSError` if only some of them can be listed."""

    @abstractmethod
    def status(self, relpath: bytes) -> FileStatus | None:
        """Return the status of a regular file, None for anything else. Links are followed. Raises `OSError`."""

    @abstractmethod
    def open(self, relpath: bytes, *, ahead: bool = True) -> BinaryIO:
        """Open a file for reading; it is seekable. Raises `OSError`, as reading does if an object changes.

        `ahead` says that it will be read from the beginning.
        """

    @abstractmethod
    def first_bytes(self, relpath: bytes, count: int) -> bytes:
        """Return up to `count` bytes at the beginning of a file. Raises `OSError`."""

    def disk(self, relpath: bytes) -> int:  # noqa: ARG002
        """Return the number of the disk that a folder is on. Raises `OSError`."""
        return 0

    def folder_identity(self, relpath: bytes = b"") -> tuple[int, int] | None:  # noqa: ARG002
        """Return what identifies a folder, by any path that leads to it; None if its path does. Raises `OSError`."""
        return None

    def leads_into_root(self, link: bytes) -> bool:  # noqa: ARG002
        """Return whether a symbolic link leads to the root or into it."""
        return False
