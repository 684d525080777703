"""Errors about a library as a whole."""

from pathlib import Path

from core.errors.base import SightlineError

__all__ = [
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
    "TargetNotEmpty",
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
    """The library at `path` was to be merged into itself, perhaps by another address of it."""

    def __init__(self, path: Path | str) -> None:
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
