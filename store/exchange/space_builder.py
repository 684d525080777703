"""Write named vectors to a space that is being imported, block by block: for known pictures, or as documents.

A block is one transaction. What is there already, after an import was stopped, is left as it is, unless files have
other contents than they had then.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select

from core.errors import SpaceDropped
from core.frames import FIRST_FRAME, FrameKind
from store.catalog.bulk_insert import insert_rows
from store.catalog.frame_ids import content_of, frame_id, number_of
from store.catalog.id_sets import read_ids, without
from store.catalog.tables import Content, FrameRow, Picture, PictureState, Root
from store.exchange.checking import indexed_pictures, start_of
from store.exchange.vector_file import ItemName
from store.roots import collection_of, collection_path
from store.spaces.embeddings import add_vectors, delete_differing, delete_vectors, embedded_frames
from store.spaces.registry import StoredSpace

__all__ = ["SpaceBuilder"]


class SpaceBuilder:
    """Fills the unfinished space `stored` and its collection of documents, which exists.

    Relative paths of pictures start at `base`. Afterwards `counts` has the numbers of vectors of `pictures` and
    `documents`, of `copies` (vectors left out because another file with the same content has one) and `unknown frames`
    (vectors left out because the library does not know this frame of an indexed file), and the number of `unknown
    paths` (documents whose name is a path). Names and vectors have been checked (`store.exchange.checking`).
    """

    def __init__(self, stored: StoredSpace, base: Path | None) -> None:
        self.counts = Counter[str]()
        self._stored = stored
        self._base = start_of(base)
        self._frames: set[int] = set()  # of pictures
        self._collection = 0
        # In place of the SHA-256 of a file, documents have a digest of their collection and ID, so that what people
        # said about them stays if their vectors are replaced.
        self._salt = hashlib.sha256(collection_path(stored.space.model) + b"\0")

    def add(self, connection: Connection, names: Sequence[ItemName], rows: NDArray[np.floating]) -> None:
        """Add n names and (n, D) vectors as they are stored. Raises `SpaceDropped`."""
        collection = connection.scalar(select(Root.id).where(Root.path == collection_of(self._stored.space)))
        if collection is None:
            raise SpaceDropped(self._stored.space.model)
        self._collection = collection
        pictures = indexed_pictures(connection, names, self._base)
        self._remove_documents(connection, [names[row].value for row in pictures])
        others = [name for row, name in enumerate(names) if row not in pictures]
        documents = self._add_documents(connection, others)
        kept = self._new_frames(connection, names, {row: each.content_id for row, each in pictures.items()})
        vectors = dict[int, NDArray[np.floating]]()
        for row, name in enumerate(names):
            if row not in pictures:
                vectors[frame_id(documents[name.value], name.frame)] = rows[row]
            elif row in kept:
                vectors[frame_id(pictures[row].content_id, name.frame)] = rows[row]
        delete_differing(
            connection, self._stored, {frame: vectors[frame] for frame in vectors if frame in self._frames}
        )
        add_vectors(connection, self._stored, vectors)
        self.counts["documents"] += len(others)
        self.counts["pictures"] += len(kept)
        self.counts["unknown paths"] += sum(name.is_path for name in others if name.frame == FIRST_FRAME)

    def remove_others(self, connection: Connection) -> None:
        """Remove vectors of pictures that have none of the names: an import that was stopped added them.

        Their files had other contents then. Call it after all vectors were added.
        """
        documents = read_ids(connection, select(Picture.content_id).where(Picture.root_id == self._collection))
        frames = embedded_frames(connection, self._stored)
        others = without(frames[~np.isin(content_of(frames), documents)], np.array(sorted(self._frames), np.int64))
        if len(others):
            delete_vectors(connection, self._stored, others)

    def _new_frames(self, connection: Connection, names: Sequence[ItemName], indexed: Mapping[int, int]) -> set[int]:
        """Return which positions in `indexed` have the vector of a known frame that has none yet; count the others."""
        contents = {content_id for row, content_id in indexed.items() if names[row].frame != FIRST_FRAME}
        statement = select(FrameRow.content_id, FrameRow.number).where(FrameRow.content_id.in_(list(contents)))
        known = {frame_id(*row) for row in connection.execute(statement)} if contents else set[int]()
        kept = set[int]()
        for row in sorted(indexed, key=lambda row: (names[row].frame, row)):
            frame = frame_id(indexed[row], names[row].frame)
            if frame in self._frames:
                self.counts["copies"] += 1
            elif frame != indexed[row] and (frame not in known or indexed[row] not in self._frames):
                self.counts["unknown frames"] += 1
            else:
                self._frames.add(frame)
                kept.add(row)
        return kept

    def _add_documents(self, connection: Connection, names: Sequence[ItemName]) -> dict[bytes, int]:
        """Return the contents of documents by name; those that are not in the collection yet are added to it."""
        digests = {name.value: self._document_digest(name.value) for name in names}
        if not digests:
            return {}
        known = self._contents(connection, digests)
        blank = {"size": 0, "format": "", "width": 0, "height": 0}
        missing = [digest for value, digest in digests.items() if value not in known]
        insert_rows(connection, Content, [{"digest": digest, **blank} for digest in missing])
        ids = self._contents(connection, digests) if missing else known
        here = select(Picture.relpath).where(Picture.root_id == self._collection, Picture.relpath.in_(list(digests)))
        listed = set(connection.execute(here).scalars())
        place = {"root_id": self._collection, "size": 0, "mtime_ns": 0, "state": PictureState.PRESENT}
        added = [{**place, "relpath": value, "content_id": ids[value]} for value in digests if value not in listed]
        insert_rows(connection, Picture, added)
        self._add_pages(connection, [frame_id(ids[name.value], name.frame) for name in names])
        return ids

    def _contents(self, connection: Connection, digests: Mapping[bytes, bytes]) -> dict[bytes, int]:
        names = {digest: value for value, digest in digests.items()}
        statement = select(Content.digest, Content.id).where(Content.digest.in_(list(names)))
        return {names[row.digest]: row.id for row in connection.execute(statement)}

    def _add_pages(self, connection: Connection, frames: Sequence[int]) -> None:
        """Record the frames of documents that have several, the first ones included."""
        pages = {frame for frame in frames if number_of(frame)}
        pages |= {content_of(frame) for frame in pages}
        if not pages:
            return
        contents = list({content_of(frame) for frame in pages})
        statement = select(FrameRow.content_id, FrameRow.number).where(FrameRow.content_id.in_(contents))
        pages -= {frame_id(*row) for row in connection.execute(statement)}
        if pages:
            rows = [
                {"content_id": content_of(frame), "number": number_of(frame), "kind": FrameKind.PAGE}
                for frame in sorted(pages)
            ]
            connection.execute(insert(FrameRow), rows)

    def _remove_documents(self, connection: Connection, names: Sequence[bytes]) -> None:
        """Remove documents whose names became those of pictures after an import was stopped."""
        of_names = (Picture.root_id == self._collection, Picture.relpath.in_(list(names)))
        contents = list(connection.execute(select(Picture.content_id).where(*of_names)).scalars()) if names else []
        if contents:
            connection.execute(delete(Picture).where(*of_names))
            has_picture = select(Picture.id).where(Picture.content_id == Content.id).exists()
            connection.execute(delete(Content).where(Content.id.in_(contents), ~has_picture))

    def _document_digest(self, value: bytes) -> bytes:
        digest = self._salt.copy()
        digest.update(value)
        return digest.digest()
