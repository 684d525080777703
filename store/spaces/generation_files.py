"""Writes the files of a generation of an index beside those that are announced, which are never changed.

A file is written under another name, flushed and renamed. What a killed process leaves has no row that names it, and is
deleted by the next publication.
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection

from core.errors import LibraryUnusable
from store.library import Library
from store.spaces.blockwise import BLOCKWISE_FROM, write_changed
from store.spaces.current_index import CurrentIndex, at_present, changed, find_difference
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import open_index
from store.spaces.layer_files import LayerManifest, sync_folder, write_layers
from store.spaces.layered_index import LayeredIndex
from store.spaces.mirrored_index import MirroredIndex
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import DerivedIndex, VectorIndex

__all__ = ["WrittenFile", "renew", "write_generation"]

WrittenFile: TypeAlias = tuple[Path, bytes]
"""The file to announce, and its SHA-256."""


def renew(library: Library, connection: Connection, stored: StoredSpace, before: CurrentIndex) -> CurrentIndex:
    """Return an index with the vectors that it should have; a large one is written to a draft block by block.

    `connection` is in a read transaction, whose view is that of the draft. SQLite's log cannot be cut off until the
    transaction ends: it grows by what others write while the draft is written. Raises `LibraryUnusable`.
    """
    difference = find_difference(connection, stored, before)
    if difference.is_empty or not _is_written_blockwise(before.index, len(difference.missing)):
        return changed(connection, stored, before, difference)
    current = at_present(connection, stored, before)
    draft = library.indexes / f"{_name(stored, 0)}.draft"
    try:
        write_changed(draft, connection, stored, before.index, *difference)
        index = open_index(stored, draft, mapped=True)
    except BaseException as exc:
        draft.unlink(missing_ok=True)  # a full disk needs the space
        if isinstance(exc, OSError | RuntimeError):
            raise LibraryUnusable(library.path, f"the index cannot be written: {exc}") from exc
        raise
    return replace(current, index=index, changed=True, draft=draft, known_further_frames=None)


def _is_written_blockwise(index: DerivedIndex, missing: int) -> bool:
    """Whether an index with so many more vectors is large, and of an engine with files of a `FlatIndex`.

    Of a layered index only what was added is in memory and written, unless that is as large as the base.
    """
    if isinstance(index, LayeredIndex):
        return len(index.added) + missing >= max(BLOCKWISE_FROM, len(index.base))
    return isinstance(index, FlatIndex | MirroredIndex) and len(index) + missing >= BLOCKWISE_FROM


def write_generation(
    library: Library, stored: StoredSpace, current: CurrentIndex, generation: int, manifest: LayerManifest | None
) -> WrittenFile:
    """Write an index; of a layered one, only what differs from its base. Return the file to announce, and its SHA-256.

    `manifest` names the base and the lists of a layered index. Raises `LibraryUnusable`.
    """
    try:
        return _write_generation(library.indexes, _name(stored, generation), current, manifest)
    except (OSError, RuntimeError) as exc:
        if current.draft is not None:
            current.draft.unlink(missing_ok=True)
        raise LibraryUnusable(library.path, f"the index cannot be written: {exc}") from exc


def _write_generation(folder: Path, name: str, current: CurrentIndex, manifest: LayerManifest | None) -> WrittenFile:
    index = current.index
    if isinstance(index, LayeredIndex) and manifest is not None:
        return write_layers(index, manifest, folder, name)
    if not isinstance(index, VectorIndex):
        raise TypeError(f"{type(index).__name__} cannot be written to one file")
    path, draft = folder / f"{name}.faiss", current.draft
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
