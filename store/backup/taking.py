"""Writing a snapshot, if user data has changed since the last one.

Reading is one read transaction, so that neither a search nor a writer waits for it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from core.errors import LibraryError, SnapshotError, SnapshotUnwritable
from core.files import remove_abandoned_drafts
from store.backup.collecting import active_model, collect, count_records, list_snapshot_roots
from store.backup.records import Judgement
from store.backup.snapshot_file import SnapshotHeader, SnapshotRoot, has_header, roots_at, said_at, write_snapshot
from store.backup.snapshot_folder import (
    SNAPSHOTS_FOLDER,
    list_snapshots,
    remove_old_snapshots,
    snapshot_name,
    taken_before,
)
from store.catalog.root_paths import stored_root
from store.library import Library
from store.library_key import library_key

__all__ = [
    "FOLDER_VARIABLE",
    "SMALL_SNAPSHOT_BYTES",
    "ReadJudgements",
    "TakenSnapshot",
    "save_snapshot",
    "second_folder",
    "snapshot_is_due",
    "take_snapshot",
    "take_snapshots",
    "take_snapshots_if_due",
]

FOLDER_VARIABLE = "SIGHTLINE_SNAPSHOTS"
"""Environment variable with another folder in which snapshots are kept too. It must exist: an empty mount point is
not filled."""

SMALL_SNAPSHOT_BYTES = 250_000
"""A library whose last snapshot is smaller gets one after each command that changes it: some 4,500 tagged pictures."""

PAUSE = timedelta(minutes=10)
"""Least time between automatic snapshots of other libraries."""

ReadJudgements: TypeAlias = Callable[[], Sequence[Judgement]]
"""Reads the judgements that were made on the page. They are files, which the catalogue does not contain."""


@dataclass(frozen=True)
class TakenSnapshot:
    """A snapshot. If `is_new` is false, it was there: user data has not changed since."""

    path: Path
    counts: Mapping[str, int]
    """Number of records by type."""
    is_new: bool


def second_folder() -> Path | None:
    """Return the folder that `SIGHTLINE_SNAPSHOTS` names."""
    name = os.environ.get(FOLDER_VARIABLE)
    return Path(os.path.expanduser(name)) if name else None  # noqa: PTH111 (Path.expanduser may raise)


def save_snapshot(library: Library, path: Path, judgements: ReadJudgements = tuple) -> TakenSnapshot:
    """Write a snapshot to the file `path`, whose folder is created. A snapshot is replaced, but no other file.

    Raises `SnapshotUnwritable`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_other = path.exists() and (not path.is_file() or (path.stat().st_size > 0 and not has_header(path)))
    except OSError as exc:
        raise SnapshotUnwritable(path, exc.strerror or str(exc)) from exc
    if is_other:
        raise SnapshotUnwritable(path, "there is another file, which is not a snapshot")
    counts, _ = _write(library, path, _now(), judgements)
    remove_abandoned_drafts(path.parent, path.name)
    return TakenSnapshot(path, counts, is_new=True)


def take_snapshot(library: Library, folder: Path, judgements: ReadJudgements = tuple) -> TakenSnapshot:
    """Write a snapshot into a folder, and remove those that are not to be kept any longer.

    None is left if the last one there says the same. Raises `SnapshotUnwritable`.
    """
    key, now = library_key(library), _now()
    path = folder / snapshot_name(key, now)
    last = next(iter(taken_before(now, list_snapshots(folder, key))), None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts, said = _write(library, path, now, judgements)
        # The same records with other roots say where the folders are now.
        if last is not None and said_at(last.path) == said and roots_at(last.path) == roots_at(path):
            path.unlink()
            remove_abandoned_drafts(folder, key)
            return TakenSnapshot(last.path, counts, is_new=False)
    except OSError as exc:
        raise SnapshotUnwritable(folder, exc.strerror or str(exc)) from exc
    except SnapshotUnwritable as exc:
        raise SnapshotUnwritable(folder, exc.reason) from exc
    remove_old_snapshots(folder, key)
    return TakenSnapshot(path, counts, is_new=True)


def _write(library: Library, path: Path, now: datetime, judgements: ReadJudgements) -> tuple[dict[str, int], str]:
    """Write a snapshot of one consistent view of the catalogue; return the counts and the digest of what it says."""
    judged = judgements()
    with library.read() as connection:
        roots = tuple(_with_common_name(library, root) for root in list_snapshot_roots(connection).values())
        counts = count_records(connection) | {"judgement": len(judged)}
        header = SnapshotHeader(library_key(library), now, roots, active_model(connection), counts)
        return counts, write_snapshot(path, header, chain(collect(connection), judged))


def _with_common_name(library: Library, root: SnapshotRoot) -> SnapshotRoot:
    """Return a root with the path that all machines know, which saved searches have, too."""
    return SnapshotRoot(stored_root(library.backend.engine, root.path), root.kind)


def take_snapshots(library: Library, judgements: ReadJudgements = tuple) -> list[TakenSnapshot]:
    """Write a snapshot into the folder of the library, and into the one that `SIGHTLINE_SNAPSHOTS` names.

    Raises `SnapshotUnwritable`, also if that folder does not exist. If one cannot be written, the other one is.
    """
    taken, faults = list[TakenSnapshot](), list[SnapshotUnwritable]()
    second = second_folder()
    for folder in (library.path / SNAPSHOTS_FOLDER, second):
        if folder is None:
            continue
        try:
            if folder is second and not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir may raise)
                raise SnapshotUnwritable(folder, f"the folder that {FOLDER_VARIABLE} names does not exist")
            taken.append(take_snapshot(library, folder, judgements))
        except SnapshotUnwritable as exc:
            faults.append(exc)
    if faults:
        raise faults[0]
    return taken


def take_snapshots_if_due(
    library: Library, judgements: ReadJudgements, warn: Callable[[str], None], *, always: bool = False
) -> bool:
    """Write snapshots as `take_snapshots` does, if it is time for them; return whether all user data is kept.

    A library without user data gets none. What went wrong is passed to `warn`. With `always`, it is time.
    """
    try:
        if library.read_only is None and (always or snapshot_is_due(library)):
            if list_snapshots(library.path / SNAPSHOTS_FOLDER) or _has_said(library, judgements):
                take_snapshots(library, judgements)
            return True
    except SnapshotError as exc:
        warn(str(exc))
    except (LibraryError, OSError) as exc:
        warn(f"No snapshot was written. {exc}")
    return False


def _has_said(library: Library, judgements: ReadJudgements) -> bool:
    with library.read() as connection:
        return any(count_records(connection).values()) or bool(judgements())


def snapshot_is_due(library: Library) -> bool:
    """Return whether it is time for an automatic snapshot, by the size and the age of the last one."""
    now = _now()
    last = next(iter(taken_before(now, list_snapshots(library.path / SNAPSHOTS_FOLDER))), None)
    return last is None or last.size < SMALL_SNAPSHOT_BYTES or now - last.created_at >= PAUSE


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
