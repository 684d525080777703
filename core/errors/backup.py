"""Errors about snapshots of user data."""

from pathlib import Path

from core.errors.base import SightlineError

__all__ = ["NotASnapshot", "SnapshotDamaged", "SnapshotError", "SnapshotTooNew", "SnapshotUnwritable"]


class SnapshotError(SightlineError):
    """Something is wrong with the snapshot at `path`."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class NotASnapshot(SnapshotError):
    """The file at `path` cannot be read, or another program wrote it; `reason` says which."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"{path} is not a snapshot of a library: {reason}.")
        self.reason = reason


class SnapshotDamaged(SnapshotError):
    """The snapshot at `path` is damaged or incomplete; `reason` says where."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"The snapshot {path} is damaged: {reason}. Nothing was changed.")
        self.reason = reason


class SnapshotTooNew(SnapshotError):
    """The snapshot at `path` has the format `version`, which this version of Sightline does not support."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(path, f"The snapshot {path} was written by a newer version of Sightline (format {version}).")
        self.version = version


class SnapshotUnwritable(SnapshotError):
    """A snapshot cannot be written to the file or the folder `path`; `reason` says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"Cannot write a snapshot to {path}: {reason}.")
        self.reason = reason
