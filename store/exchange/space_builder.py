"""Named vectors into the catalogue, a block at a time: to the pictures they are of, or as documents of a collection."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from core.errors import BadVectorFile
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root, RootKind
from store.exchange.names import Name
from store.exchange.normalize import unit_rows
from store.roots import FolderRoots, collection_path
from store.spaces.registry import StoredSpace

__all__ = ["Intake"]


class Intake:
    """Fills the new space `stored`, and the collection that belongs to it, within one transaction.

    `path` is where the vectors come from, for messages; relative paths of pictures start at `base`. `counts` says
    afterwards how many vectors were of `pictures`, of `documents` (of which so many came with `unknown paths`), or of
    `copies` of pictures that had theirs already.
    """

    def __init__(self, connection: Connection, stored: StoredSpace, path: Path, base: Path | None) -> None:
        self.counts = Counter[str]()
        self._connection = connection
        self._stored = stored
        self._path = path
        self._base = os.fsencode((base or Path()).absolute())
        self._folders = FolderRoots(connection)
        self._digest = hashlib.sha256()
        self._pictures: set[int] = set()
        self._contents: set[int] = set()
        self._rows = 0
        collection = collection_path(stored.space.model)
        self._salt = hashlib.sha256(collection + b"\0")
        now = datetime.now(UTC).replace(tzinfo=None)
        made = insert(Root).values(path=collection, added_at=now, kind=RootKind.COLLECTION).returning(Root.id)
        self._collection: int = connection.execute(made).scalar_one()

    def digest(self) -> str:
        """SHA-256 of all vectors so far, in order, as they are stored."""
        return self._digest.hexdigest()

    def take(self, names: Sequence[Name], vectors: NDArray[np.floating]) -> None:
        """Takes in (n, D) vectors. Raises `BadVectorFile` for one without direction, and for a name given twice."""
        blob = unit_rows(vectors, self._stored.storage, self._path, self._rows, names).tobytes()
        self._digest.update(blob)
        known = self._known_pictures(names)
        ids = self._add_documents([name for number, name in enumerate(names) if number not in known])
        size = len(blob) // len(names)
        rows = []
        for number, name in enumerate(names):
            content_id = known[number] if number in known else ids[name.value]
            if number in known and content_id in self._contents:
                self.counts["copies"] += 1
                continue
            if number in known:
                self._contents.add(content_id)
                self.counts["pictures"] += 1
            vector = blob[number * size : (number + 1) * size]
            rows.append({"space_id": self._stored.id, "content_id": content_id, "vector": vector})
        if rows:
            self._connection.execute(insert(Embedding), rows)
        self._rows += len(names)

    def _known_pictures(self, names: Sequence[Name]) -> dict[int, int]:
        """The content of each picture the library knows, by the number of its name in the block."""
        by_root: dict[int, dict[bytes, int]] = {}
        for number, name in enumerate(names):
            found = self._folders.locate(os.path.join(self._base, name.value)) if name.is_path else None  # noqa: PTH118
            if found is not None:
                root_id, relpath = found
                if by_root.setdefault(root_id, {}).setdefault(relpath, number) != number:
                    raise self._twice(name)
        known: dict[int, int] = {}
        for root_id, numbers in by_root.items():
            statement = select(Picture.id, Picture.relpath, Picture.content_id).where(
                Picture.root_id == root_id, Picture.relpath.in_(list(numbers)), Picture.content_id.is_not(None)
            )
            for picture in self._connection.execute(statement):
                number = numbers[picture.relpath]
                if picture.id in self._pictures:
                    raise self._twice(names[number])
                self._pictures.add(picture.id)
                known[number] = picture.content_id
        return known

    def _add_documents(self, names: Sequence[Name]) -> dict[bytes, int]:
        """Contents without a file, each held by a row of the collection; returns their ids, by name."""
        self._require_new(names)
        digests = {self._document_digest(name.value): name.value for name in names}
        if not digests:
            return {}
        blank = {"size": 0, "format": "", "width": 0, "height": 0}
        self._connection.execute(insert(Content), [{"digest": digest, **blank} for digest in digests])
        made = select(Content.digest, Content.id).where(Content.digest.in_(list(digests)))
        ids = {digests[row.digest]: row.id for row in self._connection.execute(made)}
        place = {"root_id": self._collection, "size": 0, "mtime_ns": 0, "state": PictureState.PRESENT}
        self._connection.execute(
            insert(Picture), [{**place, "relpath": value, "content_id": ids[value]} for value in ids]
        )
        self.counts["documents"] += len(ids)
        self.counts["unknown paths"] += sum(name.is_path for name in names)
        return ids

    def _document_digest(self, value: bytes) -> bytes:
        """Stands where a file has the SHA-256 of its bytes: the same for the same id in a collection of that name."""
        digest = self._salt.copy()
        digest.update(value)
        return digest.digest()

    def _require_new(self, names: Sequence[Name]) -> None:
        """Raises `BadVectorFile` when one of `names` came before, in this block or an earlier one."""
        new = set[bytes]()
        for name in names:
            if name.value in new:
                raise self._twice(name)
            new.add(name.value)
        before = select(Picture.relpath).where(Picture.root_id == self._collection, Picture.relpath.in_(list(new)))
        again = self._connection.scalar(before.limit(1))
        if again is not None:
            raise self._twice(Name(again))

    def _twice(self, name: Name) -> BadVectorFile:
        return BadVectorFile(self._path, f"{name} is named twice (at or after row {self._rows})")
