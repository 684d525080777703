"""The files of a `LayeredIndex`, and the manifest that names them with their sizes and checksums.

    FINGERPRINT-000007.json            the manifest of generation 7, which the catalogue names
    FINGERPRINT-000006.faiss           the base, written once
    FINGERPRINT-1f0c55a2.lists         its inverted lists, written once
    FINGERPRINT-000007.added           vectors added since, a flat index file
    FINGERPRINT-000007.removed         rows of the base that have been removed since, 8 bytes each

No file is changed after it was written. Checksums are of blocks of `BLOCK_BYTES`. Opening an index compares all sizes,
and the first and the last block of each file, so that it takes the same time at any size. `check_files` reads all.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import IndexFault
from store.spaces.flat_index import FlatIndex
from store.spaces.inverted_lists import InvertedLists
from store.spaces.layered_index import LayeredIndex
from store.spaces.recall import MeasuredRecall
from store.spaces.row_prefetch import RowPrefetch

__all__ = [
    "MANIFEST_SUFFIX",
    "IndexFile",
    "LayerManifest",
    "check_files",
    "describe_file",
    "open_layers",
    "read_manifest",
    "sync_folder",
    "write_durably",
    "write_layers",
]

MANIFEST_SUFFIX = ".json"
BLOCK_BYTES = 16 << 20
VERSION = 1


@dataclass(frozen=True)
class IndexFile:
    """A file of an index: its name in the folder of indexes, its size, and the SHA-256 of each of its blocks."""

    name: str
    size: int
    checksums: tuple[str, ...]


@dataclass(frozen=True)
class LayerManifest:
    """The files of a generation, and what was measured when its inverted lists were made."""

    base: IndexFile
    added: IndexFile | None
    removed: IndexFile | None
    """None until the manifest is written."""
    lists: IndexFile | None
    """None if the recall was too low for them to be used. Search is exact then."""
    probes: int
    """The lists that a search reads."""
    recall: MeasuredRecall
    trained_on: int
    """The number of vectors in the library when the centroids were computed."""
    trained_fit: float
    """`InvertedLists.fit` of a sample of those."""

    @property
    def files(self) -> list[IndexFile]:
        """All files that the manifest names."""
        return [file for file in (self.base, self.added, self.removed, self.lists) if file is not None]

    def write(self, path: Path) -> bytes:
        """Write the manifest durably; return its SHA-256."""
        content = json.dumps({"version": VERSION, **asdict(self)}, indent=1).encode()
        write_durably(path, lambda draft: draft.write_bytes(content))
        return hashlib.sha256(content).digest()


def read_manifest(path: Path) -> LayerManifest:
    """Return the manifest at `path`. Raises `IndexFault`."""
    try:
        content = json.loads(path.read_bytes())
        if content.pop("version") != VERSION:
            raise IndexFault(path, "written by another version of Sightline")
        for name in ("base", "added", "removed", "lists"):
            content[name] = content[name] and _file_from(content[name])
        return LayerManifest(**{**content, "recall": MeasuredRecall(**content["recall"])})
    except FileNotFoundError as exc:
        raise IndexFault(path, "missing") from exc
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise IndexFault(path, f"unreadable ({exc})") from exc


def open_layers(folder: Path, manifest: LayerManifest) -> LayeredIndex:
    """Map the files of a manifest in `folder`. Raises `IndexFault`, `OSError` or `RuntimeError`."""
    for file in manifest.files:
        _check(folder, file, {0, len(file.checksums) - 1})
    base = FlatIndex.read(folder / manifest.base.name, mapped=True)
    lists = None if manifest.lists is None else InvertedLists.read(folder / manifest.lists.name)
    if lists is not None and (len(lists), lists.dim) != (len(base), base.dim):
        raise IndexFault(folder / manifest.base.name, "not the vectors of its inverted lists")
    if manifest.added is None or manifest.removed is None:
        raise IndexFault(folder / manifest.base.name, "a manifest without changes")
    added = FlatIndex.read(folder / manifest.added.name)
    removed = np.fromfile(folder / manifest.removed.name, "<i8").astype(np.int64)
    if len(removed) and not 0 <= removed.min() <= removed.max() < len(base):
        raise IndexFault(folder / manifest.removed.name, "it names rows that do not exist")
    return LayeredIndex(base, added, removed, lists, manifest.probes, prefetch_of(folder / manifest.base.name, base))


def prefetch_of(path: Path, base: FlatIndex) -> RowPrefetch | None:
    """Return what reads rows of the flat index at `path` ahead; None if it is empty. Raises `OSError`."""
    if not len(base):
        return None
    first = base.stored()[0].tobytes()
    return RowPrefetch(path, len(base), len(first), first)


def check_files(folder: Path, manifest: LayerManifest) -> None:
    """Read all files of a manifest. Raises `IndexFault` unless they are as they were written."""
    for file in manifest.files:
        _check(folder, file, set(range(len(file.checksums))))


def _write_changes(index: LayeredIndex, folder: Path, name: str) -> tuple[IndexFile, IndexFile]:
    """Write what was added to the base and removed from it, as `name`.added and `name`.removed. Raises `OSError`."""
    added, removed = folder / f"{name}.added", folder / f"{name}.removed"
    write_durably(added, index.added.write)
    write_durably(removed, lambda draft: index.removed.astype("<i8").tofile(draft))
    return describe_file(added), describe_file(removed)


def write_layers(index: LayeredIndex, manifest: LayerManifest, folder: Path, name: str) -> tuple[Path, bytes]:
    """Write the changes of `index`, and a manifest that names them instead of those of `manifest`.

    Returns the manifest's path and SHA-256. Raises `OSError` or `RuntimeError`.
    """
    added, removed = _write_changes(index, folder, name)
    path = folder / f"{name}{MANIFEST_SUFFIX}"
    return path, replace(manifest, added=added, removed=removed).write(path)


def write_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` write a file completely or not at all, and flush it to the disk."""
    draft = path.with_name(path.name + ".tmp")
    try:
        write(draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)  # a full disk needs the space
        raise
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_file(path: Path) -> IndexFile:
    """Return the size and the checksums of a file."""
    return IndexFile(path.name, path.stat().st_size, tuple(_checksum(path, block) for block in _blocks(path)))


def _check(folder: Path, file: IndexFile, blocks: set[int]) -> None:
    """Raise `IndexFault` unless the file has its size, and its `blocks` their checksums."""
    path = folder / file.name
    try:
        if path.stat().st_size != file.size:
            raise IndexFault(path, "damaged (its size is not that of the file published)")
        if any(
            _checksum(path, block) != file.checksums[block]
            for block in sorted(blocks)
            if block in range(len(file.checksums))
        ):
            raise IndexFault(path, "damaged (its checksum is not that of the file published)")
    except FileNotFoundError as exc:
        raise IndexFault(path, "missing") from exc


def _blocks(path: Path) -> Iterator[int]:
    return iter(range(-(-path.stat().st_size // BLOCK_BYTES)))


def _checksum(path: Path, block: int) -> str:
    with path.open("rb") as file:
        file.seek(block * BLOCK_BYTES)
        return hashlib.sha256(file.read(BLOCK_BYTES)).hexdigest()


def _file_from(content: dict[str, Any]) -> IndexFile:
    return IndexFile(Path(content["name"]).name, int(content["size"]), tuple(content["checksums"]))
