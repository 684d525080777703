"""Errors about a library, its folders and its picture files."""

import os
from pathlib import Path
from typing import ClassVar

from core.errors.base import SightlineError, first_names

__all__ = [
    "DecoderCrashed",
    "FileTooLarge",
    "FolderExcluded",
    "FolderNotFound",
    "FolderUnreadable",
    "ForeignRoot",
    "IndexFault",
    "InvalidTag",
    "LibraryBusy",
    "LibraryDamaged",
    "LibraryError",
    "LibraryInUse",
    "LibraryNotFound",
    "LibraryOutdated",
    "LibraryReadOnly",
    "LibraryTooNew",
    "LibraryUnreachable",
    "LibraryUnusable",
    "LockLost",
    "MergeWithItself",
    "MigrationFailed",
    "PathNotIndexed",
    "PictureError",
    "PictureTooLarge",
    "PictureUndecodable",
    "PictureUnreadable",
    "PictureUnsupported",
    "RootBusy",
    "RootElsewhere",
    "RootMismatch",
    "RootNotHere",
    "RootOverlaps",
    "RootUnavailable",
    "TargetNotEmpty",
    "UnknownAlbum",
    "UnknownIndexEngine",
    "UnknownRoot",
]


class LibraryError(SightlineError):
    """Something is wrong with a library (catalogue and indexes) as a whole.

    `path` is its folder, or its URL without a password.
    """

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(message)
        self.path = path


class LibraryNotFound(LibraryError):
    """There is no library at `path`."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, f"There is no library at {path}.")


class LibraryUnusable(LibraryError):
    """The catalogue at `path` cannot be opened or written; `reason` says why (damaged, no permission, disk full)."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, f"The library at {path} cannot be used: {reason}")
        self.reason = reason


class LibraryUnreachable(LibraryUnusable):
    """The server of the library at `path` does not answer, or ended the connection; it may be there again later."""


class LockLost(LibraryUnusable):
    """This process held the lock `lock` of the library at `path`, and the server ended it. Nothing was changed since.

    Another process may have acquired the lock in the meantime, so that work that relies on it has to stop.
    """

    def __init__(self, path: Path | str, lock: str) -> None:
        super().__init__(path, f"the lock {lock} was lost, because its server ended the connection. Try again")
        self.lock = lock


class LibraryDamaged(LibraryUnusable):
    """The catalogue at `path` is damaged; `reason` says what was found. Recovery saves what can still be read."""


class LibraryReadOnly(LibraryUnusable):
    """The library at `path` can be read, but not changed; `reason` says why."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, reason)
        self.args = (f"The library at {path} cannot be changed: {reason}.",)


class LibraryOutdated(LibraryReadOnly):
    """An earlier version wrote the library at `path`, and it cannot be upgraded; `reason` says why."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, f"it has to be upgraded for this version of Sightline, but {reason}")


class MergeWithItself(LibraryError):
    """The library at `path` was to be merged into itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"{path} is the library itself. Name another one.")


class TargetNotEmpty(LibraryError):
    """A library was to be copied to `path`, where there is something already; `reason` says what."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(path, f"{path} is not an empty library: {reason}. Nothing was changed.")
        self.reason = reason


class MigrationFailed(LibraryError):
    """A library could not be copied to `path` as a whole: `table` and `reason` say what was wrong.

    `is_limit` says that nothing is damaged, but that the database there does not store what this one stores.
    """

    def __init__(self, path: Path | str, table: str, reason: str, *, is_limit: bool = False) -> None:
        super().__init__(path, f"The library was not copied to {path}. In the table {table}, {reason}.")
        self.table, self.reason, self.is_limit = table, reason, is_limit


class LibraryInUse(LibraryError):
    """Another process has the catalogue at `path` open, so that it cannot be replaced."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"Another program uses the library at {path}. Stop it first.")


class LibraryBusy(LibraryError):
    """All connections to the catalogue at `path` are in use; the same call may succeed in a moment."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, f"Too many concurrent accesses to the library at {path}.")


class LibraryTooNew(LibraryError):
    """The catalogue at `path` has schema `revision`, which this version does not support."""

    def __init__(self, path: Path | str, revision: str) -> None:
        super().__init__(
            path, f"The library at {path} was written by a newer version of Sightline (schema {revision})."
        )
        self.revision = revision


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
            f"{path} has files of {root}, a folder that another machine added to the library and that this machine has "
            f"at {here}. Nothing was changed."
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
    """`path`, which was to be indexed, does not exist, or is a file (`is_file`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_file = os.path.exists(path)  # noqa: PTH110 (Path.exists raises for a name that is too long)
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


class InvalidTag(SightlineError):
    """`text` cannot name a tag or an album: it contains no letter or digit."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a valid name: it needs at least one letter.")
        self.text = text


class UnknownAlbum(SightlineError):
    """No album is called `name`; `known` are the existing names."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        choices = f"Choose from: {first_names(known)}." if known else "There are no albums."
        super().__init__(f"Album {name!r} not found. {choices}")
        self.name, self.known = name, known


class AlbumExists(SightlineError):
    """An album with this `name` exists already. Names are unique over saved searches and albums by hand."""

    def __init__(self, name: str) -> None:
        super().__init__(f"An album called {name!r} exists already. Choose another name, or delete that album.")
        self.name = name


class AlbumIsSearch(SightlineError):
    """The album `name` is a saved search, so that pictures cannot be added, removed or moved."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The album {name!r} is a saved search. Its query decides which pictures it contains.")
        self.name = name


class NotInAlbum(SightlineError):
    """The album `name` does not contain the picture with the ID `content_id`."""

    def __init__(self, name: str, content_id: int) -> None:
        super().__init__(f"The album {name!r} does not contain the picture with the ID {content_id}.")
        self.name, self.content_id = name, content_id


class IndexFault(SightlineError):
    """The index file at `path` is missing, stale or damaged (`fault`). It is always rebuilt from the catalogue."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"The index {path.name} is {fault}")
        self.path, self.fault = path, fault


class UnknownIndexEngine(SightlineError):
    """No index engine is called `name`; `known` are the names to choose from."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"Unknown index engine {name!r}. Choose from: {', '.join(known)}.")
        self.name, self.known = name, known


class PictureError(SightlineError):
    """A file that cannot be decoded. `reason` is a stable word for the failures table, `detail` is for people."""

    reason: str = "failed"
    transient: ClassVar[bool] = False
    """True when the same bytes may succeed later, so that the next run tries again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class PictureUnreadable(PictureError):
    """The operating system could not read the file."""

    reason = "unreadable"
    transient = True


class PictureUndecodable(PictureError):
    """The bytes are not a picture, or a truncated or corrupt one."""

    reason = "undecodable"


class PictureUnsupported(PictureError):
    """The format needs an `extra` that is not installed, or a library that Pillow lacks; `detail` says which.

    The reason names the extra, for example `needs-heic`.
    """

    reason = "unsupported"
    transient = True

    def __init__(self, detail: str, extra: str | None = None) -> None:
        super().__init__(detail)
        self.extra = extra
        self.reason = f"needs-{extra}" if extra else self.reason


class PictureTooLarge(PictureError):
    """The picture has more pixels, or a more extreme shape, than the limits allow."""

    reason = "too-large"
    in_total: ClassVar[str] = "in total"
    """What follows the number in a `limit` of pixels."""

    def __init__(self, width: int, height: int, limit: str) -> None:
        super().__init__(f"{width}x{height} pixels: {limit}")
        self.width, self.height, self.limit = width, height, limit


class FileTooLarge(PictureError):
    """The file has more bytes than are ever read into memory."""

    reason = "too-large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size:,} bytes: more than the limit of {limit:,}")
        self.size, self.limit = size, limit


class DecoderCrashed(PictureError):
    """The process that decoded the file was ended by a signal, or did not finish; `detail` says which.

    The bytes may be at fault, or a lack of memory, so that the next run tries again.
    """

    reason = "crashed"
    transient = True
