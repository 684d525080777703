"""Errors about index files, and engines on servers that rank vectors."""

from pathlib import Path

from core.errors.base import SightlineError
from core.errors.library import LibraryUnusable

__all__ = [
    "IndexEngineNotCleared",
    "IndexEngineOutdated",
    "IndexEngineUnavailable",
    "IndexFault",
    "UnknownIndexEngine",
]


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


class IndexEngineUnavailable(SightlineError):
    """The index engine `engine` (its address without a password) cannot be used; `reason` says why."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"The index engine {engine} cannot be used: {reason.rstrip('.')}.")
        self.engine, self.reason = engine, reason


class IndexEngineOutdated(LibraryUnusable):
    """The index engine of the library at `path` was not brought up to date; `reason` says why. Searches are right."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.args = (f"{reason} It was not brought up to date. Searches find everything, but may take longer.",)


class IndexEngineNotCleared(LibraryUnusable):
    """The index engine of the library at `path` may still have vectors of a space that was removed; `reason` says why.

    They are in tables or collections with names that begin with `storage`.
    """

    def __init__(self, path: Path, engine: str, space: str, storage: str, reason: str) -> None:
        super().__init__(path, reason)
        self.engine, self.space, self.storage = engine, space, storage
        self.args = (f"{reason} It may still have the vectors of {space}, in {storage}*. No search uses them.",)
