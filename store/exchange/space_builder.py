"""Write named vectors to a new space of the catalogue, for known pictures or as documents of a collection."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from core.errors import BadVectorFile
from core.frames import FIRST_FRAME, FrameKind
from store.catalog.bulk_insert import insert_rows
from store.catalog.frame_ids import content_of, frame_id, number_of
from store.catalog.tables import (
    Content,
    Embedding,
    FrameEmbedding,
    FrameRow,
    Picture,
    PictureState,
    Root,
    RootKind,
)
from store.exchange.vector_file import ItemName
from store.roots import FolderRoots, collection_path
from store.spaces.registry import StoredSpace

__all__ = ["SpaceBuilder", "normalized_rows"]

HALF_TOLERANCE = 1e-3
"""Rounding a unit vector to 16 bits changes its length by less than 2**-11, 5e-4."""

TOLERANCE = 1e-5
"""The same for 32 bits, with a margin for how the length was computed."""


class SpaceBuilder:
    """Fills the new space `stored` and its collection of documents within one transaction.

    `path` is the source of the vectors, for messages. Relative paths of pictures start at `base`. Afterwards `counts`
    has the numbers of vectors of `pictures` and `documents`, of `copies` (vectors left out because another file with
    the same content has one) and `unknown frames` (vectors left out because the library does not know this frame of an
    indexed file), and the number of `unknown paths` (documents whose name is a path).
    """

    def __init__(self, connection: Connection, stored: StoredSpace, path: Path, base: Path | None) -> None:
        self.counts = Counter[str]()
        self._connection = connection
        self._stored = stored
        self._path = path
        self._base = os.fsencode((base or Path()).absolute())
        self._folders = FolderRoots(connection)
        self._digest = hashlib.sha256()
        self._pictures: set[int] = set()  # frame IDs, with the ID of the picture in place of the content
        self._frames: set[int] = set()  # frame IDs, except those of the first frames of documents
        self._rows = 0
        self._names: Sequence[ItemName] = ()  # of the rows from self._rows on
        collection = collection_path(stored.space.model)
        self._salt = hashlib.sha256(collection + b"\0")
        now = datetime.now(UTC).replace(tzinfo=None)
        statement = insert(Root).values(path=collection, added_at=now, kind=RootKind.COLLECTION).returning(Root.id)
        self._collection: int = connection.execute(statement).scalar_one()

    def digest(self) -> str:
        """Return the SHA-256 of all vectors so far, in order, as they are stored."""
        return self._digest.hexdigest()

    def add(self, names: Sequence[ItemName], vectors: NDArray[np.floating]) -> None:
        """Add n names and (n, D) vectors.

        Raises `BadVectorFile` for a vector without direction, for a repeated name, and for a frame of a name whose
        first frame was not added before or with it.
        """
        self._names = names
        blob = normalized_rows(vectors, self._stored.storage, self._path, self._rows, names).tobytes()
        self._digest.update(blob)
        size = len(blob) // len(names)
        indexed = self._indexed_pictures(names)
        others = [name for row, name in enumerate(names) if row not in indexed]
        documents = self._add_documents([name for name in others if name.frame == FIRST_FRAME])
        documents |= self._add_pages([name for name in others if name.frame != FIRST_FRAME], documents)
        kept = self._new_frames(names, indexed)
        first, further = list[dict[str, object]](), list[dict[str, object]]()
        for row, name in enumerate(names):
            if row in indexed and row not in kept:
                continue
            content_id = indexed[row] if row in indexed else documents[name.value]
            vector = blob[row * size : (row + 1) * size]
            values: dict[str, object] = {"space_id": self._stored.id, "content_id": content_id, "vector": vector}
            if name.frame == FIRST_FRAME:
                first.append(values)
            else:
                further.append({**values, "number": name.frame})
        insert_rows(self._connection, Embedding, first)
        insert_rows(self._connection, FrameEmbedding, further)
        self.counts["documents"] += len(others)
        self.counts["pictures"] += len(kept)
        self._rows += len(names)

    def _indexed_pictures(self, names: Sequence[ItemName]) -> dict[int, int]:
        """Map the position of each name that is an indexed file to its content."""
        by_root: dict[int, dict[tuple[bytes, int], int]] = {}
        for number, name in enumerate(names):
            found = self._folders.locate(os.path.join(self._base, name.value)) if name.is_path else None  # noqa: PTH118
            if found is not None:
                root_id, relpath = found
                if by_root.setdefault(root_id, {}).setdefault((relpath, name.frame), number) != number:
                    raise self._repeated(name)
        indexed: dict[int, int] = {}
        for root_id, numbers in by_root.items():
            statement = select(Picture.id, Picture.relpath, Picture.content_id).where(
                Picture.root_id == root_id,
                Picture.relpath.in_(list({relpath for relpath, _ in numbers})),
                Picture.content_id.is_not(None),
            )
            pictures = {picture.relpath: picture for picture in self._connection.execute(statement)}
            for (relpath, frame), number in numbers.items():
                picture = pictures.get(relpath)
                if picture is None:
                    continue
                if frame_id(picture.id, frame) in self._pictures:
                    raise self._repeated(names[number])
                self._pictures.add(frame_id(picture.id, frame))
                indexed[number] = picture.content_id
        return indexed

    def _new_frames(self, names: Sequence[ItemName], indexed: Mapping[int, int]) -> set[int]:
        """Return which positions in `indexed` have the vector of a known frame that has none yet; count the others."""
        contents = {content_id for row, content_id in indexed.items() if names[row].frame != FIRST_FRAME}
        statement = select(FrameRow.content_id, FrameRow.number).where(FrameRow.content_id.in_(list(contents)))
        known = {frame_id(*row) for row in self._connection.execute(statement)} if contents else set[int]()
        kept = set[int]()
        for row in sorted(indexed, key=lambda row: (names[row].frame, row)):
            frame = frame_id(indexed[row], names[row].frame)
            if frame in self._frames:
                self.counts["copies"] += 1
            elif frame != indexed[row] and indexed[row] not in self._frames:
                raise self._without_first(names[row])
            elif frame != indexed[row] and frame not in known:
                self.counts["unknown frames"] += 1
            else:
                self._frames.add(frame)
                kept.add(row)
        return kept

    def _add_documents(self, names: Sequence[ItemName]) -> dict[bytes, int]:
        """Add contents without files to the collection; return their IDs by name."""
        self._require_new(names)
        digests = {self._document_digest(name.value): name.value for name in names}
        if not digests:
            return {}
        blank = {"size": 0, "format": "", "width": 0, "height": 0}
        insert_rows(self._connection, Content, [{"digest": digest, **blank} for digest in digests])
        made = select(Content.digest, Content.id).where(Content.digest.in_(list(digests)))
        ids = {digests[row.digest]: row.id for row in self._connection.execute(made)}
        place = {"root_id": self._collection, "size": 0, "mtime_ns": 0, "state": PictureState.PRESENT}
        insert_rows(self._connection, Picture, [{**place, "relpath": value, "content_id": ids[value]} for value in ids])
        self.counts["unknown paths"] += sum(name.is_path for name in names)
        return ids

    def _add_pages(self, names: Sequence[ItemName], new: Mapping[bytes, int]) -> dict[bytes, int]:
        """Record frames after the first of documents, which are pages; return the IDs of the documents by name."""
        earlier = [name.value for name in names if name.value not in new]
        statement = select(Picture.relpath, Picture.content_id).where(
            Picture.root_id == self._collection, Picture.relpath.in_(earlier)
        )
        ids = {**new, **{row.relpath: row.content_id for row in self._connection.execute(statement)}} if names else {}
        pages = set[int]()
        for name in names:
            if name.value not in ids:
                raise self._without_first(name)
            frame = frame_id(ids[name.value], name.frame)
            if frame in self._frames:
                raise self._repeated(name)
            self._frames.add(frame)
            pages.add(frame)
            if ids[name.value] not in self._frames:  # a content with several frames has a row for the first, too
                self._frames.add(ids[name.value])
                pages.add(ids[name.value])
        if pages:
            rows = [
                {"content_id": content_of(frame), "number": number_of(frame), "kind": FrameKind.PAGE}
                for frame in sorted(pages)
            ]
            self._connection.execute(insert(FrameRow), rows)
        return ids

    def _document_digest(self, value: bytes) -> bytes:
        """The digest of a document, in place of the SHA-256 of a file: it depends on collection and ID."""
        digest = self._salt.copy()
        digest.update(value)
        return digest.digest()

    def _require_new(self, names: Sequence[ItemName]) -> None:
        """Raise `BadVectorFile` if one of `names` occurred before, in this block or an earlier one."""
        new = set[bytes]()
        for name in names:
            if name.value in new:
                raise self._repeated(name)
            new.add(name.value)
        before = select(Picture.relpath).where(Picture.root_id == self._collection, Picture.relpath.in_(list(new)))
        again = self._connection.scalar(before.limit(1))
        if again is not None:
            raise self._repeated(ItemName(again))

    def _repeated(self, name: ItemName) -> BadVectorFile:
        of_frame = f"Frame {name.frame} of the name" if name.frame else "The name"
        return BadVectorFile(
            self._path, f"{of_frame} {name} occurs twice, the second time in row {self._row_of(name)}."
        )

    def _row_of(self, name: ItemName) -> int:
        """Return the row of `name` in the block, or of its second occurrence there."""
        rows = [row for row, other in enumerate(self._names) if other[::2] == name[::2]]
        return self._rows + (rows[:2] or [0])[-1]

    def _without_first(self, name: ItemName) -> BadVectorFile:
        fault = f"Frame {name.frame} of the name {name} (row {self._row_of(name)}) comes before frame 0."
        return BadVectorFile(self._path, f"{fault} Every name needs a row without a frame, or with frame 0, first.")


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
