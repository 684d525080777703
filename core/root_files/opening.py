"""The files of a root by its path, and single files by theirs."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

from core.errors.roots import FolderUnreadable
from core.files import changed_ns, modified_ns
from core.object_paths import ObjectPath, object_path
from core.root_files.interface import FileStatus, RootFiles
from core.root_files.local import DiskFiles
from core.root_files.object_store import ObjectStore
from core.root_files.objects import ObjectFiles
from core.root_files.opened_object import OpenedObject

__all__ = ["file_status", "is_folder", "open_file", "root_files", "status_of"]


BUCKET_PARTS = 2
"""Parts of the path of a bucket: its scheme and its name."""


def root_files(root: Path) -> RootFiles:
    """Return the files of a root, or of a folder of one. Raises `ExtraMissing` if its store needs an extra."""
    objects = object_path(root)
    return DiskFiles(root) if objects is None else ObjectFiles(objects, _store_of(objects))


def open_file(path: Path, *, ahead: bool = True) -> BinaryIO:
    """Open a file by its full path for reading; it is seekable. Raises `OSError`, and `ExtraMissing`.

    `ahead` says that it will be read from the beginning.
    """
    objects = object_path(path)
    if objects is not None:
        return _folder_of(objects).open(os.fsencode(objects.name), ahead=ahead)
    return path.open("rb")


def is_folder(path: Path) -> bool:
    """Return whether there is a folder. Raises `FolderUnreadable` if a store does not say, and `ExtraMissing`."""
    if object_path(path) is None:
        return path.is_dir()
    try:
        return root_files(path).is_folder()
    except OSError as error:
        raise FolderUnreadable(path, error.strerror or str(error)) from error


def file_status(path: Path) -> FileStatus:
    """Return the status of what is at a full path, without an identity on this machine. Raises `OSError`."""
    objects = object_path(path)
    if objects is not None:
        found = _folder_of(objects).status(os.fsencode(objects.name))
        if found is None:
            raise FileNotFoundError(path)
        return found
    return _status(path.stat())


def status_of(file: BinaryIO) -> FileStatus:
    """Return the status of an open file; one of this machine has no identity then. Raises `OSError`."""
    if isinstance(file, OpenedObject):
        return file.status
    return _status(os.fstat(file.fileno()))


def _folder_of(path: ObjectPath) -> RootFiles:
    """Return the files beside an object. Raises `IsADirectoryError` for a bucket."""
    if len(path.parts) <= BUCKET_PARTS:
        raise IsADirectoryError(errno.EISDIR, "it is a bucket", str(path))
    return root_files(path.parent)


def _status(status: os.stat_result) -> FileStatus:
    return FileStatus(status.st_size, modified_ns(status), changed_ns(status))


def _store_of(path: ObjectPath) -> ObjectStore:  # noqa: ARG001 (there is one scheme)
    from core.root_files.s3 import s3_store

    return s3_store()
