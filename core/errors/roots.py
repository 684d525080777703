"""Errors about the roots of a library, and folders in them."""

import os
from pathlib import Path

from core.errors.base import SightlineError, first_names
from core.object_paths import ObjectPath

__all__ = [
    "FolderExcluded",
    "FolderNotFound",
    "FolderUnreadable",
    "ForeignRoot",
    "PathNotIndexed",
    "RootBusy",
    "RootElsewhere",
    "RootMismatch",
    "RootNotHere",
    "RootOverlaps",
    "RootUnavailable",
    "UnknownRoot",
]


class RootUnavailable(SightlineError):
    """A root that contained `known` pictures now contains only `found`; it is probably not mounted."""

    def __init__(self, root: Path, known: int, found: int) -> None:
        super().__init__(
            f"{root} contained {known:,} pictures and now contains {found:,}. Is it mounted? Nothing was changed."
        )
        self.root, self.known, self.found = root, known, found


class UnknownRoot(SightlineError):
    """`path` is not a root of the library; `known` are its roots."""

    def __init__(self, path: Path, known: tuple[Path, ...]) -> None:
        roots = f"Its folders are: {first_names(tuple(map(str, known)))}" if known else "It has no folders."
        super().__init__(f"{path} is not one of the folders that were added to the library. {roots}")
        self.path, self.known = path, known


class ForeignRoot(SightlineError):
    """The root `path` of another library is a path of another operating system, and does not say where it is here."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not an absolute path on this system. Where are its pictures here?")
        self.path = path


class RootElsewhere(SightlineError):
    """The folder `path`, which was to be indexed, has the files of `root`, which this machine has at `here` instead."""

    def __init__(self, path: Path, root: Path, here: Path) -> None:
        super().__init__(
            f"{path} has files of {root}, a folder of the library, which this machine has at {here} instead. "
            "Nothing was changed."
        )
        self.path, self.root, self.here = path, root, here


class RootNotHere(SightlineError):
    """The folder `path` of the library has other files here: of `checked`, `found` have the size they had."""

    def __init__(self, path: Path, checked: int, found: int) -> None:
        super().__init__(
            f"{path} has other files on this machine than the library knows from others: of {checked:,} checked, "
            f"{found:,} are there with the size they had. Nothing was changed."
        )
        self.path, self.checked, self.found = path, checked, found


class RootBusy(SightlineError):
    """A run indexes the root at `path`, which was to be moved."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is being indexed. Try again when that has finished, or stop it. Nothing was changed.")
        self.path = path


class RootOverlaps(SightlineError):
    """A root cannot be moved to `path`, which contains the root `other`, or is in it."""

    def __init__(self, path: Path, other: Path) -> None:
        super().__init__(f"{path} and {other}, another folder of the library, overlap. Nothing was changed.")
        self.path, self.other = path, other


class RootMismatch(SightlineError):
    """Of `checked` files of a root, only `found` are at `path` with the size they had."""

    def __init__(self, path: Path, checked: int, found: int) -> None:
        super().__init__(
            f"{path} contains other files than the library expects: of {checked:,} checked, {found:,} are there with "
            "the size they had. Nothing was changed."
        )
        self.path, self.checked, self.found = path, checked, found


class FolderNotFound(SightlineError):
    """`path`, which was to be indexed, does not exist, or is a file (`is_file`); a store was asked before."""

    def __init__(self, path: Path, *, is_object: bool = False) -> None:
        self.path = path
        is_local = not isinstance(path, ObjectPath)
        self.is_file = is_object or (is_local and os.path.exists(path))  # noqa: PTH110 (Path.exists raises for a name that is too long)
        super().__init__(f"{path} is a file, not a folder." if self.is_file else f"There is no folder {path}.")


class FolderUnreadable(SightlineError):
    """The operating system refuses to list the folder `path`; `detail` is its message."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"Cannot read the folder {path}: {detail}. Nothing was changed.")
        self.path, self.detail = path, detail


class FolderExcluded(SightlineError):
    """The folder `path`, which was to be indexed, is excluded by the settings of its root, `root`."""

    def __init__(self, path: Path, root: Path) -> None:
        super().__init__(
            f"{path} is excluded in {root}: it is hidden, a symbolic link, or excluded by a pattern. "
            "Nothing was changed."
        )
        self.path, self.root = path, root


class PathNotIndexed(SightlineError):
    """The library contains no picture at or below `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The library contains no pictures at {path}.")
        self.path = path
