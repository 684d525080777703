"""The index file of a space, a cache of the catalogue: loading, checking, updating and publishing it.

A published file is never changed. A newer one is written next to it, flushed and renamed, and then announced by a row
with its number of vectors, its checksum and the revision of the space that it reflects. Readers that have mapped the
old file keep it. A file that is missing, damaged or stale is no error: the index is built from the catalogue, and the
file is written again.

    publication lock    read the vectors of one view of the catalogue, write the file, flush it, rename it
      writer lock         announce it, in one transaction
    publication lock    delete files that are not announced

Others can change the library while a file is written, so that it may be stale when it is announced. Readers add what it
lacks.

The index of a large library is layered (`layered_index`): it has several files, and its manifest is announced.
"""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from core.errors import IndexFault, LibraryUnusable, SpaceDropped
from store.catalog import change_feed
from store.library import Library
from store.spaces.announced_files import (
    AnnouncedFile,
    NewFile,
    WriterLock,
    announce,
    announced_file,
    announced_in,
    announced_names,
    identity_of,
)
from store.spaces.current_index import CurrentIndex, bring_up_to_date, changed, find_difference, require_revision
from store.spaces.generation_files import renew, write_generation
from store.spaces.index_engines import new_index, open_index
from store.spaces.layer_files import MANIFEST_SUFFIX, IndexFile, LayerManifest, check_files, read_manifest
from store.spaces.layered_index import LayeredIndex
from store.spaces.registry import StoredSpace, list_spaces

__all__ = [
    "BUILD_FOLDER_PREFIX",
    "CurrentIndex",
    "base_of",
    "check_every_file",
    "check_file",
    "heal",
    "load",
    "publish",
    "publish_all",
    "publish_base",
    "published_count",
    "published_file",
    "published_manifest",
    "remove_strays",
]

MAX_ATTEMPTS = 3
"""Attempts of a reader whose file is replaced while it loads it. Publishing is far slower than loading.

Also of a publication whose file may not be announced."""

HEAL_PATIENCE_SECONDS = 5.0
"""Time for which a reader that has written a file waits to announce it."""

BUILD_FOLDER_PREFIX = "building-"
"""Of the folder with the unfinished files of `store.spaces.approximation`, before 12 digits of the fingerprint."""

_Callback = Callable[[], None] | None


def load(library: Library, stored: StoredSpace, before: CurrentIndex | None = None) -> CurrentIndex:
    """Return the current index: mapped from its file if that is current, else updated in memory.

    `before` is an index of the same space that was loaded earlier; it is updated instead of loading the file again if
    the file has not changed. Raises `SpaceDropped`.
    """
    fault: IndexFault | None = None
    for _ in range(MAX_ATTEMPTS):
        entry = announced_file(library, stored)
        if before is not None and before.fault is None and before.checksum == (entry.checksum if entry else None):
            if entry is None or entry.revision != _revision(library, stored) or before.changed:
                return bring_up_to_date(library, stored, before)
            return replace(before, revision=entry.revision, published=True, position=entry.position)
        if entry is None:
            break
        try:
            mapped = _mapped(stored, entry)
        except IndexFault as exc:
            fault = exc
            if announced_file(library, stored) == entry:
                break
            continue
        if entry.revision == _revision(library, stored):
            return mapped
        return bring_up_to_date(library, stored, mapped)
    return bring_up_to_date(library, stored, _empty(stored, fault))


def _mapped(stored: StoredSpace, entry: AnnouncedFile) -> CurrentIndex:
    """Return the index in an announced file. Raises `IndexFault`."""
    try:
        check_file(entry.path, entry.count, entry.checksum)  # of a layered index, the manifest
        index = open_index(stored, entry.path, mapped=True)
    except (OSError, RuntimeError) as exc:
        raise IndexFault(entry.path, f"unreadable ({exc})") from exc
    return CurrentIndex(index, entry.revision, published=True, checksum=entry.checksum, position=entry.position)


def _empty(stored: StoredSpace, fault: IndexFault | None = None) -> CurrentIndex:
    return CurrentIndex(new_index(stored), 0, published=False, fault=fault)


def check_file(path: Path, count: int, checksum: bytes) -> None:
    """Raise `IndexFault` unless the file at `path` is bit-identical to the published one.

    Exact search reads every byte anyway, so that this costs about as much as a query.
    """
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").digest()
    except OSError as exc:
        raise IndexFault(path, "missing" if isinstance(exc, FileNotFoundError) else str(exc)) from exc
    if actual != checksum:
        raise IndexFault(path, f"damaged (its checksum is not that of the {count} vectors published)")


def check_every_file(path: Path, count: int, checksum: bytes) -> None:
    """As `check_file`; of a layered index, read all files that the manifest at `path` names, too."""
    check_file(path, count, checksum)
    if path.suffix == MANIFEST_SUFFIX:
        check_files(path.parent, read_manifest(path))


def publish(
    library: Library,
    stored: StoredSpace,
    waiting: _Callback = None,
    check: _Callback = None,
    *,
    rebuild: bool = False,
) -> CurrentIndex:
    """Bring the index file of `stored` up to date. `rebuild` ignores the file on disk.

    Waits for other processes that write index files, and for the writer lock to announce the file; `waiting` and
    `check` are as for `Library.exclusive`. If the library is changed in the meantime, the index that is returned is not
    `published`: its file lacks what was changed.

    Raises `LibraryUnusable` if the file cannot be written; search results are not affected by that. Raises
    `SpaceDropped`, and `RuntimeError` if the thread holds the writer lock.
    """
    lock = partial(library.exclusive, waiting, check)
    with library.publication(waiting, check):
        for _ in range(MAX_ATTEMPTS):
            current, is_announced = _publish(library, stored, lock, rebuild=rebuild)
            if is_announced:
                break
    return current


def publish_all(library: Library, waiting: _Callback = None, check: _Callback = None) -> None:
    """Bring the index files of all spaces up to date, except those that are dropped in the meantime. See `publish`."""
    for summary in list_spaces(library):
        with suppress(SpaceDropped):
            publish(library, summary.stored, waiting, check)


def _publish(library: Library, stored: StoredSpace, lock: WriterLock, *, rebuild: bool) -> tuple[CurrentIndex, bool]:
    """Return the index, and whether it is announced."""
    with library.read() as connection:
        identity = identity_of(library, connection)
        before = announced_in(library, connection, stored)
        current = _present(library, connection, stored, None if rebuild else before)
    if current.published:
        remove_strays(library)
        return current, True
    if before is not None and not (rebuild or current.changed or current.fault):
        file = replace(before, revision=current.revision, position=current.position)
    else:
        file = _write(library, stored, current, before)
    try:
        is_announced = announce(library, stored, NewFile(file, current, before, identity), lock)
    finally:
        remove_strays(library)  # also the file itself if it is not announced
    is_current = is_announced and _revision(library, stored) == current.revision
    current = replace(current, published=is_current, changed=False, checksum=file.checksum, draft=None)
    return current, is_announced


def _present(
    library: Library, connection: Connection, stored: StoredSpace, entry: AnnouncedFile | None
) -> CurrentIndex:
    """Return the index that `stored` should have: that of the file `entry`, or one that is to be written."""
    if entry is None:
        return renew(library, connection, stored, _empty(stored))
    try:
        mapped = _mapped(stored, entry)
    except IndexFault as exc:
        return renew(library, connection, stored, _empty(stored, exc))
    if entry.revision == require_revision(connection, stored):
        return mapped
    return renew(library, connection, stored, mapped)


def _write(
    library: Library,
    stored: StoredSpace,
    current: CurrentIndex,
    before: AnnouncedFile | None,
    manifest: LayerManifest | None = None,
) -> AnnouncedFile:
    if manifest is None and before is not None and isinstance(current.index, LayeredIndex):
        manifest = _manifest_of(before)
    generation = before.generation + 1 if before else 1
    path, checksum = write_generation(library, stored, current, generation, manifest)
    return AnnouncedFile(path, generation, current.revision, len(current.index), checksum, current.position)


def publish_base(
    library: Library,
    stored: StoredSpace,
    index: LayeredIndex,
    manifest: LayerManifest,
    base: IndexFile | tuple[str, bytes],
    position: int | None = None,
    check: _Callback = None,
) -> bool:
    """Publish a layered index whose base and lists are in the folder of indexes already, with all changes since.

    Return whether that was done: it is not if the published index has another base than `base` (see `base_of`). It may
    then have other vectors for the same IDs. The new base has the vectors of the catalogue at `position` of the change
    feed. All IDs are compared if that is not known, or if the feed does not have all changes since. If only the feed
    says which vectors were replaced under their IDs, nothing is done then. The space gets a new revision, so that
    searchers load the new files. Call it with the publication lock. `check` is as for `Library.exclusive`.

    Raises `IndexFault` if the published manifest is damaged, `SpaceDropped` and `LibraryUnusable`.
    """
    with library.read() as connection:
        identity = identity_of(library, connection)
        before = announced_in(library, connection, stored)
        if before is None or base_of(before.path, before.checksum) != base:
            return False
        if position is not None and change_feed.changes_after(connection, stored.id, position) is None:
            if change_feed.is_sole_record(connection):
                return False
            position = None
        made = CurrentIndex(index, 0, published=False, position=position)
        current = changed(connection, stored, made, find_difference(connection, stored, made))
    file = _write(library, stored, current, before, manifest)
    new = NewFile(file, current, before, identity, has_other_base=True)
    try:
        return announce(library, stored, new, partial(library.exclusive, check=check))
    finally:
        remove_strays(library)


def base_of(path: Path, checksum: bytes) -> IndexFile | tuple[str, bytes]:
    """Return the name and what else identifies the base of the index at `path`, which is that file or a manifest.

    Raises `IndexFault`.
    """
    return read_manifest(path).base if path.suffix == MANIFEST_SUFFIX else (path.name, checksum)


def published_file(library: Library, stored: StoredSpace) -> tuple[Path, bytes] | None:
    """Return the announced file of a space and its SHA-256; None if there is none.

    It is a manifest for a layered index. Its name alone does not identify it: generations are counted from 1 again
    after vectors have been replaced.
    """
    entry = announced_file(library, stored)
    return None if entry is None else (entry.path, entry.checksum)


def published_count(library: Library, stored: StoredSpace) -> int:
    """Return the number of vectors in the announced index of a space; 0 if there is none."""
    entry = announced_file(library, stored)
    return 0 if entry is None else entry.count


def published_manifest(library: Library, stored: StoredSpace) -> LayerManifest | None:
    """Return the manifest of a layered index; None for an index in one file, and if it is damaged or replaced now."""
    entry = announced_file(library, stored)
    return None if entry is None else _manifest_of(entry)


def _manifest_of(entry: AnnouncedFile) -> LayerManifest | None:
    if entry.path.suffix != MANIFEST_SUFFIX:
        return None
    with suppress(IndexFault):
        return read_manifest(entry.path)
    return None


def heal(library: Library, stored: StoredSpace) -> bool:
    """Publish the file of a space unless another process changes the library; return whether it was announced.

    It is not if the space is dropped in the meantime. Readers call this after they have repaired a stale or damaged
    index in memory, so that others need not do it again.
    """
    try:
        if library.backend.shares_files:
            with library.exclusive_if_free() as writer:
                if writer is None:  # which publishes its changes itself
                    return False
        with library.publication_if_free() as is_free:
            lock = partial(library.exclusive_if_free, HEAL_PATIENCE_SECONDS)
            return is_free and _publish(library, stored, lock, rebuild=False)[1]
    except (LibraryUnusable, SpaceDropped):  # a library on a read-only disk can still be searched
        return False


def remove_strays(library: Library, waiting: _Callback = None) -> list[Path]:
    """Delete files in the index folder that no row names, such as older generations; return their paths.

    Folders of builds that were killed are deleted, too, also of spaces that are gone. `waiting` is as for
    `Library.exclusive`.
    """
    with library.publication(waiting):
        return _remove_strays(library)


def _remove_strays(library: Library) -> list[Path]:
    current = announced_names(library)
    manifests = [name for name in current if name.endswith(MANIFEST_SUFFIX)]
    for name in manifests:
        with suppress(IndexFault):  # of a damaged manifest: its files are written again
            current |= {file.name for file in read_manifest(library.indexes / name).files}
    strays = [path for path in sorted(library.indexes.iterdir()) if path.name not in current and not path.is_dir()]
    for path in strays:
        path.unlink(missing_ok=True)
    for folder in library.indexes.glob(f"{BUILD_FOLDER_PREFIX}*"):
        with library.index_build_lock_if_free(folder.name.removeprefix(BUILD_FOLDER_PREFIX)) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
    return strays


def _revision(library: Library, stored: StoredSpace) -> int:
    with library.read() as connection:
        return require_revision(connection, stored)
