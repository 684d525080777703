"""The index file of a space, a cache of the catalogue: loading, checking, updating and publishing it.

A published file is never changed. A newer one is written next to it, flushed and renamed, and then announced by a row
with its number of vectors, its checksum and the revision of the space that it reflects. Readers that have mapped the
old file keep it. A file that is missing, damaged or stale is no error: the index is built from the catalogue, and the
file is written again.

The index of a large library is layered (`layered_index`): it has several files, and its manifest is announced.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from core.errors import IndexFault, LibraryUnusable
from store.catalog import change_feed
from store.library import Library, Writer, mark_changed
from store.spaces.announced_files import AnnouncedFile, announce, announced_file, announced_names
from store.spaces.blockwise import BLOCKWISE_FROM, write_changed
from store.spaces.current_index import (
    CurrentIndex,
    at_present,
    bring_up_to_date,
    changed,
    find_difference,
    require_revision,
)
from store.spaces.index_engines import new_index, open_index
from store.spaces.layer_files import (
    MANIFEST_SUFFIX,
    LayerManifest,
    check_files,
    read_manifest,
    sync_folder,
    write_layers,
)
from store.spaces.layered_index import LayeredIndex
from store.spaces.mirrored_index import MirroredIndex
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import DerivedIndex, FlatIndex, VectorIndex

__all__ = [
    "BUILD_FOLDER_PREFIX",
    "CurrentIndex",
    "check_every_file",
    "check_file",
    "heal",
    "load",
    "publish",
    "publish_base",
    "published_count",
    "published_file",
    "published_manifest",
    "remove_strays",
]

MAX_ATTEMPTS = 3
"""Attempts of a reader whose file is replaced while it loads it. Publishing is far slower than loading."""

BUILD_FOLDER_PREFIX = "building-"
"""Of the folder with the unfinished files of `store.spaces.approximation`, before 12 digits of the fingerprint."""


_Update: TypeAlias = Callable[[Library, StoredSpace, CurrentIndex], CurrentIndex]


def load(library: Library, stored: StoredSpace, before: CurrentIndex | None = None) -> CurrentIndex:
    """Return the current index: mapped from its file if that is current, else updated in memory.

    `before` is an index of the same space that was loaded earlier; it is updated instead of loading the file again if
    the file has not changed. Raises `SpaceDropped`.
    """
    return _load(library, stored, before, bring_up_to_date)


def _load(library: Library, stored: StoredSpace, before: CurrentIndex | None, update: _Update) -> CurrentIndex:
    fault: IndexFault | None = None
    for _ in range(MAX_ATTEMPTS):
        entry = announced_file(library, stored)
        if before is not None and before.fault is None and before.checksum == (entry.checksum if entry else None):
            if entry is None or entry.revision != _revision(library, stored) or before.changed:
                return update(library, stored, before)
            return replace(before, revision=entry.revision, published=True, position=entry.position)
        if entry is None:
            break
        try:
            check_file(entry.path, entry.count, entry.checksum)  # of a layered index, the manifest
            index = open_index(stored, entry.path, mapped=True)
        except (IndexFault, OSError, RuntimeError) as exc:
            fault = exc if isinstance(exc, IndexFault) else IndexFault(entry.path, f"unreadable ({exc})")
            if announced_file(library, stored) == entry:
                break
            continue
        mapped = CurrentIndex(index, entry.revision, published=True, checksum=entry.checksum, position=entry.position)
        if entry.revision == _revision(library, stored):
            return mapped
        return update(library, stored, mapped)
    return update(library, stored, CurrentIndex(new_index(stored), 0, published=False, fault=fault))


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


def publish(writer: Writer, stored: StoredSpace, *, rebuild: bool = False) -> CurrentIndex:
    """Bring the index file of `stored` up to date. `rebuild` ignores the file on disk.

    Raises `LibraryUnusable` if the file cannot be written; search results are not affected by that.
    """
    with writer.library.publication():
        return _publish(writer, stored, rebuild=rebuild)


def _publish(writer: Writer, stored: StoredSpace, *, rebuild: bool) -> CurrentIndex:
    library = writer.library
    empty = CurrentIndex(new_index(stored), 0, published=False)
    current = _renewed(library, stored, empty) if rebuild else _load(library, stored, None, _renewed)
    if current.published:
        remove_strays(writer)
        return current
    before, checksum = announced_file(library, stored), current.checksum
    if before is not None and not (rebuild or current.changed or current.fault):
        announce(writer, stored, replace(before, revision=current.revision, position=current.position))
    else:
        generation = before.generation + 1 if before else 1
        try:
            manifest = published_manifest(library, stored) if isinstance(current.index, LayeredIndex) else None
            path, checksum = _write_generation(library, stored, current, generation, manifest)
        except (OSError, RuntimeError) as exc:
            raise LibraryUnusable(library.path, f"the index cannot be written: {exc}") from exc
        announce(writer, stored, _entry_of(current, path, generation, checksum))
    remove_strays(writer)
    return replace(current, published=True, changed=False, checksum=checksum, draft=None)


def publish_base(
    writer: Writer, stored: StoredSpace, index: LayeredIndex, manifest: LayerManifest, position: int | None = None
) -> CurrentIndex:
    """Publish a layered index whose base and lists are in the folder of indexes already, with all changes since.

    The base has the vectors of the catalogue at `position` of the change feed. All IDs are compared if that is not
    known, or if the feed does not have all changes since. The space gets a new revision, so that searchers load the new
    files. Raises `OSError` or `RuntimeError`.
    """
    library = writer.library
    with writer.transaction() as connection:
        mark_changed(connection, stored.id)
    with library.publication():
        before = announced_file(library, stored)
        with library.read() as connection:
            if position is not None and change_feed.changes_after(connection, stored.id, position) is None:
                position = None
        current = bring_up_to_date(library, stored, CurrentIndex(index, 0, published=False, position=position))
        generation = before.generation + 1 if before else 1
        path, checksum = _write_generation(library, stored, current, generation, manifest)
        announce(writer, stored, _entry_of(current, path, generation, checksum))
        remove_strays(writer)
    return replace(current, published=True, changed=False, checksum=checksum)


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
    if entry is None or entry.path.suffix != MANIFEST_SUFFIX:
        return None
    with suppress(IndexFault):
        return read_manifest(entry.path)
    return None


def heal(library: Library, stored: StoredSpace) -> bool:
    """Publish the file of a space unless another process changes the library; return whether it was published.

    Readers call this after they have repaired a stale or damaged index in memory, so that others need not do it again.
    """
    try:
        with library.publishing_if_free() as writer:
            if writer is not None:
                publish(writer, stored)
            return writer is not None
    except LibraryUnusable:  # a library on a read-only disk can still be searched
        return False


def remove_strays(writer: Writer) -> list[Path]:
    """Delete files in the index folder that no row names, such as older generations; return their paths.

    Folders of builds that were killed are deleted, too, also of spaces that are gone.
    """
    with writer.library.publication():
        return _remove_strays(writer.library)


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


def _entry_of(current: CurrentIndex, path: Path, generation: int, checksum: bytes) -> AnnouncedFile:
    return AnnouncedFile(path, generation, current.revision, len(current.index), checksum, current.position)


def _revision(library: Library, stored: StoredSpace) -> int:
    with library.read() as connection:
        return require_revision(connection, stored)


def _renewed(library: Library, stored: StoredSpace, before: CurrentIndex) -> CurrentIndex:
    """As `bring_up_to_date`, but a large index is written to a draft block by block. Raises `LibraryUnusable`."""
    with library.read() as connection:
        difference = find_difference(connection, stored, before)
        if difference.is_empty or not _is_written_blockwise(before.index, len(difference.missing)):
            return changed(connection, stored, before, difference)
        current = at_present(connection, stored, before)
        draft = library.indexes / f"{_name(stored, 0)}.draft"
        try:
            write_changed(draft, connection, stored, before.index, *difference)
            index = open_index(stored, draft, mapped=True)
        except (OSError, RuntimeError) as exc:
            draft.unlink(missing_ok=True)  # a full disk needs the space
            raise LibraryUnusable(library.path, f"the index cannot be written: {exc}") from exc
    return replace(current, index=index, changed=True, draft=draft, known_further_frames=None)


def _is_written_blockwise(index: DerivedIndex, missing: int) -> bool:
    """Whether an index with so many more vectors is large, and of an engine with files of a `FlatIndex`.

    Of a layered index only what was added is in memory and written, unless that is as large as the base.
    """
    if isinstance(index, LayeredIndex):
        return len(index.added) + missing >= max(BLOCKWISE_FROM, len(index.base))
    return isinstance(index, FlatIndex | MirroredIndex) and len(index) + missing >= BLOCKWISE_FROM


def _write_generation(
    library: Library, stored: StoredSpace, current: CurrentIndex, generation: int, manifest: LayerManifest | None
) -> tuple[Path, bytes]:
    """Write an index; of a layered one, only what differs from its base. Return the file to announce, and its SHA-256.

    `manifest` names the base and the lists of a layered index.
    """
    name, index = _name(stored, generation), current.index
    if isinstance(index, LayeredIndex) and manifest is not None:
        return write_layers(index, manifest, library.indexes, name)
    if not isinstance(index, VectorIndex):
        raise TypeError(f"{type(index).__name__} cannot be written to one file")
    path, draft = library.indexes / f"{name}.faiss", current.draft
    return path, _write(index, path) if draft is None else _finish(draft, path)


def _name(stored: StoredSpace, generation: int) -> str:
    return f"{stored.space.fingerprint[:12]}-{generation:06d}"


def _write(index: VectorIndex, path: Path) -> bytes:
    """Write `index` to `path` completely or not at all; return the SHA-256 of the file."""
    draft = path.with_suffix(".tmp")
    try:
        index.write(draft)
    except BaseException:
        draft.unlink(missing_ok=True)  # a full disk needs the space
        raise
    return _finish(draft, path)


def _finish(draft: Path, path: Path) -> bytes:
    """Flush the complete file `draft` to the disk, and rename it to `path`; return its SHA-256."""
    with draft.open("rb+") as file:
        checksum = hashlib.file_digest(file, "sha256").digest()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)  # makes the rename survive a power cut
    return checksum
