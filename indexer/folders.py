"""The folders that an index run gets, and what can be wrong with them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import FolderNotFound, FolderUnreadable, RootUnavailable
from core.files import absolute
from core.object_paths import ObjectPath, scheme_of
from core.root_files import file_status, is_folder
from store.library import Library
from store.root_places import require_root_here
from store.roots import count_present, find_location

__all__ = ["folder_errors", "folder_to_index", "outermost", "require_folder", "require_present_or_known"]


def folder_to_index(path: Path | str) -> Path:
    """Return the absolute path of a folder, or of objects. Raises `FolderUnreadable` for a store that is not known."""
    found = absolute(path)
    scheme = scheme_of(path)
    if scheme is not None and not isinstance(found, ObjectPath) and not found.exists():
        raise FolderUnreadable(Path(path), f"{scheme}:// is not supported; of stores of objects, s3:// is")
    return found


def require_folder(library: Library, folder: Path, *, accept_missing: bool) -> None:
    """Raise what is wrong with `folder`. An indexed folder may be gone if it is accepted as missing."""
    with folder_errors(folder):
        if is_folder(folder):
            require_root_here(library, folder, accept_missing=accept_missing)
            return
        if _is_object(folder) or folder.exists():
            raise FolderNotFound(folder, is_object=_is_object(folder))
    location = find_location(library, folder)
    present = count_present(library, location) if location else 0
    if not present:
        raise FolderNotFound(folder)
    if not accept_missing:
        raise RootUnavailable(folder, present, 0)


def require_present_or_known(library: Library, folder: Path) -> None:
    """Raise `FolderNotFound` for a folder that is not there and has no pictures in the library.

    A disk that is away now may be back when the folder is indexed. Raises `FolderUnreadable` for a store that is not
    known.
    """
    folder = folder_to_index(folder)
    location = find_location(library, folder)
    if location is not None and count_present(library, location):
        return
    with folder_errors(folder):
        if not is_folder(folder):
            raise FolderNotFound(folder)


def outermost(folders: Sequence[Path]) -> list[Path]:
    """Return `folders` without repetitions and without those inside another, so that each file is counted once."""
    return [folder for folder in dict.fromkeys(folders) if not any(outer in folder.parents for outer in folders)]


def _is_object(path: Path) -> bool:
    """Return whether a store has an object of exactly this name, as far as it says that."""
    if isinstance(path, ObjectPath):
        with suppress(OSError):
            file_status(path)
            return True
    return False


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Raise `FolderUnreadable` for errors of the operating system."""
    try:
        yield
    except OSError as exc:  # no permission, a dead mount
        raise FolderUnreadable(folder, exc.strerror or str(exc)) from exc
