"""Check a source of vectors before anything is written: every vector, and that no name occurs twice.

It is read as a whole, a block at a time. What is kept of a row is a few bytes: which item it belongs to, and its frame.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.errors import BadVectorFile
from core.frames import FIRST_FRAME
from core.object_paths import object_path
from store.catalog.tables import Picture
from store.exchange.sources import VectorSource
from store.exchange.vector_file import ItemName
from store.library import Library
from store.roots import FolderRoots

__all__ = [
    "CheckedSource",
    "IndexedPicture",
    "SourceDigest",
    "check_source",
    "indexed_pictures",
    "normalized_rows",
    "start_of",
]

HALF_TOLERANCE = 1e-3
"""Rounding a unit vector to 16 bits changes its length by less than 2**-11, 5e-4."""

TOLERANCE = 1e-5
"""The same for 32 bits, with a margin for how the length was computed."""

_PICTURE = np.uint64(1 << 63)
"""Added to the ID of a picture or a content, to distinguish it from the hash of a document."""


@dataclass(frozen=True)
class IndexedPicture:
    """A file of the library that a row names."""

    picture_id: int
    content_id: int


@dataclass(frozen=True)
class CheckedSource:
    """What identifies a source without faults."""

    digest: str
    """SHA-256 of all vectors in order, as they are stored."""
    key: str
    """SHA-256 of vectors, names, and the folder at which relative paths start."""


class SourceDigest:
    """Computes what identifies a source, block by block. Its vectors are stored as `storage`."""

    def __init__(self, storage: np.dtype[np.floating], base: Path | None) -> None:
        self._vectors = hashlib.sha256()
        start = start_of(base)
        self._names = hashlib.sha256(start + b"\0" + storage.str.encode())

    def add(self, names: Sequence[ItemName], rows: NDArray[np.floating]) -> None:
        """Add n names and (n, D) vectors as they are stored."""
        self._vectors.update(rows.tobytes())
        for name in names:
            self._names.update(b"%d %d %d " % (len(name.value), name.is_path, name.frame) + name.value)

    def result(self) -> CheckedSource:
        """Return what identifies the source."""
        key = self._names.copy()
        key.update(self._vectors.digest())
        return CheckedSource(self._vectors.hexdigest(), key.hexdigest())


def check_source(
    library: Library,
    source: VectorSource,
    storage: np.dtype[np.floating],
    base: Path | None,
    advance: Callable[[int], None] = lambda _: None,
) -> CheckedSource:
    """Read `source`, whose vectors will be stored as `storage`. Relative paths start at the folder `base`.

    `advance` gets the number of vectors of each block.

    Raises `BadVectorFile` for a vector without direction, for a repeated name, and for a frame of a name whose first
    frame comes later. Two paths of one indexed file are a repeated name.
    """
    start = start_of(base)
    digest, seen = SourceDigest(storage, base), _SeenNames()
    row = 0
    for names, vectors in source:
        digest.add(names, normalized_rows(vectors, storage, source.path, row, names))
        with library.read() as connection:
            seen.add(names, indexed_pictures(connection, names, start))
        row += len(names)
        advance(len(names))
    seen.require_unique(source)
    return digest.result()


def start_of(base: Path | None) -> bytes:
    """Return the absolute path at which relative paths start: that of a folder, of objects, or the current folder."""
    return os.fsencode((object_path(base) if base else None) or (base or Path()).absolute())


def indexed_pictures(connection: Connection, names: Sequence[ItemName], base: bytes) -> dict[int, IndexedPicture]:
    """Map the position of each name that is an indexed file to its picture. Relative paths start at `base`."""
    folders = FolderRoots(connection)
    by_root: dict[int, dict[bytes, list[int]]] = {}
    for row, name in enumerate(names):
        found = folders.locate(name.value, base) if name.is_path else None
        if found is not None:
            root_id, relpath = found
            by_root.setdefault(root_id, {}).setdefault(relpath, []).append(row)
    indexed: dict[int, IndexedPicture] = {}
    for root_id, rows in by_root.items():
        statement = select(Picture.id, Picture.relpath, Picture.content_id).where(
            Picture.root_id == root_id, Picture.relpath.in_(list(rows)), Picture.content_id.is_not(None)
        )
        for picture in connection.execute(statement):
            indexed |= dict.fromkeys(rows[picture.relpath], IndexedPicture(picture.id, picture.content_id))
    return indexed


@dataclass
class _SeenNames:
    """The items that the rows of all blocks belong to, as numbers: IDs of pictures, and hashes of documents."""

    _items: list[NDArray[np.uint64]] = field(default_factory=list)
    _contents: list[NDArray[np.uint64]] = field(default_factory=list)
    """As `_items`, with the ID of the content in place of the picture: copies share their vectors."""
    _frames: list[NDArray[np.int32]] = field(default_factory=list)

    def add(self, names: Sequence[ItemName], indexed: dict[int, IndexedPicture]) -> None:
        items = np.fromiter((0 if row in indexed else _hash(name.value) for row, name in enumerate(names)), np.uint64)
        contents = items.copy()
        for row, picture in indexed.items():
            items[row], contents[row] = picture.picture_id | _PICTURE, picture.content_id | _PICTURE
        self._items.append(items)
        self._contents.append(contents)
        self._frames.append(np.fromiter((name.frame for name in names), np.int32))

    def require_unique(self, source: VectorSource) -> None:
        """Raise `BadVectorFile` for a name that occurred before, and for one without a first frame before it."""
        if not self._items:
            return
        items, frames = np.concatenate(self._items), np.concatenate(self._frames)
        order = np.lexsort((frames, items))
        same = (items[order][1:] == items[order][:-1]) & (frames[order][1:] == frames[order][:-1])
        suspects = np.union1d(order[1:][same], order[:-1][same])  # hashes may be equal by chance
        seen = set[tuple[int, int, bytes]]()
        for row, name in _names_at(source, suspects.tolist()):
            occurrence = (int(items[row]), name.frame, b"" if items[row] >= _PICTURE else name.value)
            if occurrence in seen:
                of_frame = f"Frame {name.frame} of the name" if name.frame else "The name"
                raise BadVectorFile(source.path, f"{of_frame} {name} occurs twice, the second time in row {row}.")
            seen.add(occurrence)
        self._require_first(source, np.concatenate(self._contents), frames)

    def _require_first(self, source: VectorSource, contents: NDArray[np.uint64], frames: NDArray[np.int32]) -> None:
        further = np.flatnonzero(frames != FIRST_FRAME)
        if not len(further):
            return
        blocks = np.repeat(np.arange(len(self._frames)), [len(each) for each in self._frames])
        first = np.flatnonzero(frames == FIRST_FRAME)
        known, at = np.unique(contents[first], return_index=True)  # the first row of each
        place = np.minimum(np.searchsorted(known, contents[further]), max(len(known) - 1, 0))
        has_first = np.zeros(len(further), np.bool_)
        if len(known):
            has_first = (known[place] == contents[further]) & (blocks[first[at[place]]] <= blocks[further])
        if not has_first.all():
            ((row, name),) = _names_at(source, further[~has_first][:1].tolist())
            fault = f"Frame {name.frame} of the name {name} (row {row}) comes before frame 0."
            raise BadVectorFile(source.path, f"{fault} Every name needs a row without a frame, or with frame 0, first.")


def _hash(value: bytes) -> int:
    """Return 63 bits of a digest of the ID of a document."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest()) >> 1


def _names_at(source: VectorSource, rows: Sequence[int]) -> Iterator[tuple[int, ItemName]]:
    """Yield the names of these rows, which are ascending."""
    if not rows:
        return
    wanted = set(rows)
    names = (name for names, _ in source for name in names)
    yield from ((row, name) for row, name in enumerate(islice(names, rows[-1] + 1)) if row in wanted)


def normalized_rows(
    vectors: NDArray[np.floating], storage: np.dtype[np.floating], path: Path, row: int, names: Sequence[ItemName]
) -> NDArray[np.floating]:
    """Return (n, D) vectors at unit length, as they are stored. Rows of unit length, within rounding, keep every bit.

    `row` is the number of the first vector in the file, from 0. Raises `BadVectorFile` for a row without direction.
    """
    finite = np.isfinite(vectors).all(axis=1)  # (n,)
    _reject(path, row, names, ~finite, "has values that are not finite")
    wide = vectors.astype(np.float64)  # squares of large float32 values can overflow
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide))  # (n,)
    tolerance = HALF_TOLERANCE if vectors.dtype.itemsize == 2 else TOLERANCE
    off = np.flatnonzero(~(np.abs(lengths - 1) <= tolerance))
    with np.errstate(over="ignore", under="ignore"):  # rows that overflow are replaced below
        kept = vectors.astype(storage)
    if len(off):
        largest = np.abs(wide[off]).max(axis=1, keepdims=True)  # (m, 1)
        zero = np.zeros(len(vectors), bool)
        zero[off] = largest[:, 0] == 0
        _reject(path, row, names, zero, "is zero, which has no direction")
        rescaled = wide[off] / largest  # (m, D): squares neither overflow nor underflow
        kept[off] = rescaled / np.linalg.norm(rescaled, axis=1, keepdims=True)
    return kept


def _reject(path: Path, row: int, names: Sequence[ItemName], bad: NDArray[np.bool_], fault: str) -> None:
    if bad.any():
        first = int(bad.argmax())
        others = f" ({int(bad.sum()) - 1:,} more in the same block)" if bad.sum() > 1 else ""
        raise BadVectorFile(path, f"The vector of row {row + first} ({names[first]}) {fault}{others}.")
