"""The snapshots of a library: their names, and how long each is kept.

    FOLDER/snapshots/KEY-20261129T101500Z.jsonl.gz

`KEY` is the key of the library, so that several libraries can keep their snapshots in one folder.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from core.errors import SnapshotError
from core.files import remove_abandoned_drafts
from store.backup.snapshot_file import Snapshot, open_snapshot

__all__ = [
    "KEPT",
    "SNAPSHOTS_FOLDER",
    "SnapshotFile",
    "list_snapshots",
    "newest_intact_snapshot",
    "remove_old_snapshots",
    "snapshot_name",
    "taken_before",
]

SNAPSHOTS_FOLDER = "snapshots"
"""Its name in the folder of a library."""

KEPT: Mapping[str, int] = MappingProxyType({"newest": 10, "hour": 24, "day": 14, "week": 8, "month": 24})
"""How many snapshots are kept: the newest ones, and the last of each of so many hours, days, weeks and months with
snapshots. Of each day, week and month the largest is kept too, in case something was lost during it."""

_PERIODS: Mapping[str, Callable[[datetime], object]] = MappingProxyType(
    {
        "hour": lambda time: time.replace(minute=0, second=0, microsecond=0),
        "day": lambda time: time.date(),
        "week": lambda time: time.date() - timedelta(days=time.weekday()),
        "month": lambda time: (time.year, time.month),
    }
)

_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"([0-9a-f]{16})-(\d{8}T\d{12}Z)\.jsonl\.gz")


@dataclass(frozen=True)
class SnapshotFile:
    """A file that has the name of a snapshot. What it contains has not been checked."""

    path: Path
    library: str
    """The key of the library it was taken from."""
    created_at: datetime
    """In UTC, without a time zone."""
    size: int
    """Bytes."""


def snapshot_name(library: str, created_at: datetime) -> str:
    """Return the file name of a snapshot of the library with this key."""
    return f"{library}-{created_at.strftime(_TIME_FORMAT)}.jsonl.gz"


def list_snapshots(folder: Path, library: str | None = None) -> list[SnapshotFile]:
    """Return the snapshots in a folder, the newest first: all, or those of the library with this key.

    A folder that does not exist, or cannot be read, has none.
    """
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is None or library not in (None, match[1]):
                continue
            with suppress(OSError, ValueError):  # it was removed, or has an impossible date
                created_at = datetime.strptime(match[2], _TIME_FORMAT)  # noqa: DTZ007 (all are UTC)
                found.append(SnapshotFile(path, match[1], created_at, path.stat().st_size))
    return sorted(found, key=lambda file: (file.created_at, file.path.name), reverse=True)


def taken_before(now: datetime, files: Iterable[SnapshotFile]) -> list[SnapshotFile]:
    """Return the snapshots without those of the future, which were taken while the clock was wrong."""
    return [file for file in files if file.created_at <= now]


def newest_intact_snapshot(library: Path) -> Snapshot | None:
    """Return the newest snapshot in the folder of a library that is complete and undamaged, or None.

    One of the future is returned only if there is no other: the clock was wrong then, or is wrong now. The catalogue is
    not opened, so that this works for a library whose catalogue is lost.
    """
    files = list_snapshots(library / SNAPSHOTS_FOLDER)
    past = taken_before(datetime.now(UTC).replace(tzinfo=None), files)
    for file in past + [file for file in files if file not in past]:
        with suppress(SnapshotError):
            return open_snapshot(file.path)
    return None


def remove_old_snapshots(folder: Path, library: str) -> int:
    """Remove the snapshots of a library that are not to be kept (`KEPT`); return how many.

    Unfinished ones that killed processes left are removed, too. Files that cannot be removed are left.
    """
    remove_abandoned_drafts(folder, library)
    files = list_snapshots(folder, library)
    kept = {file.path for file in _kept(files)}
    removed = 0
    for file in files:
        if file.path not in kept:
            with suppress(OSError):
                file.path.unlink()
                removed += 1
    return removed


def _kept(files: Iterable[SnapshotFile]) -> Iterable[SnapshotFile]:
    """Return those of the snapshots of one library, given the newest first, that are to be kept."""
    newest_first = list(files)
    yield from newest_first[: KEPT["newest"]]
    for name, period in _PERIODS.items():
        of_period: dict[object, list[SnapshotFile]] = {}
        for file in newest_first:
            of_period.setdefault(period(file.created_at), []).append(file)
        for same in list(of_period.values())[: KEPT[name]]:
            yield same[0]
            if name != "hour":
                yield max(same, key=lambda file: file.size)
