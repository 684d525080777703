"""How much of a library each space covers, and which contents have no vector in a space yet."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from core.object_paths import as_path
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root, RootKind, VectorFailure
from store.catalog.tables.mapping import MappedColumn
from store.library import Library
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import has_unread_frames

__all__ = ["Coverage", "MissingEmbedding", "count_missing", "count_unavailable", "coverage", "missing_embeddings"]

MISSING_PAGE_SIZE = 500
"""Contents read from the catalogue at a time."""

_Id: TypeAlias = ColumnElement[int] | ColumnElement[int | None] | MappedColumn[int]


@dataclass(frozen=True)
class Coverage:
    """How many of the present pictures a space covers. Copies count once, documents not at all."""

    pictures: int
    embedded: int
    failed: int
    """Pictures for which the model returned no usable vector."""

    @property
    def missing(self) -> int:
        """Pictures that have not been embedded yet."""
        return self.pictures - self.embedded - self.failed

    @property
    def is_complete(self) -> bool:
        """Whether the model has seen every present picture."""
        return not self.missing


@dataclass(frozen=True)
class MissingEmbedding:
    """A content without a vector in a space, and its present files."""

    content_id: int
    digest: bytes
    files: tuple[tuple[Path, bytes], ...]
    """The root of each file, and its path below the root."""


def coverage(library: Library, stored: StoredSpace) -> Coverage:
    """Return how much of the library a space covers."""
    present = _present().distinct().subquery()
    vector, failure = _here(Embedding, stored, present.c.content_id), _here(VectorFailure, stored, present.c.content_id)
    failed = func.count(VectorFailure.content_id).filter(Embedding.content_id.is_(None))
    statement = (
        select(
            func.count().label("pictures"), func.count(Embedding.content_id).label("embedded"), failed.label("failed")
        )
        .select_from(present)
        .outerjoin(Embedding, vector)
        .outerjoin(VectorFailure, failure)
    )
    with library.read() as connection:
        row = connection.execute(statement).one()
    return Coverage(row.pictures, row.embedded, row.failed)


def count_unavailable(library: Library, stored: StoredSpace) -> int:
    """Return how many contents cannot be embedded in this space because all their files are missing."""
    missing = select(Picture.id).where(Picture.content_id == Content.id, Picture.state == PictureState.MISSING)
    other = select(Picture.id).where(Picture.content_id == Content.id, Picture.state != PictureState.MISSING)
    statement = select(func.count(Content.id)).where(missing.exists(), ~other.exists(), *_not_embedded(stored))
    with library.read() as connection:
        return connection.scalar(statement) or 0


def count_missing(library: Library, stored: StoredSpace, roots: Collection[int]) -> int:
    """Return how many contents with a present file below `roots` have not been embedded in this space yet."""
    statement = select(func.count(Content.id)).where(_present_below(roots).exists(), *_not_embedded(stored))
    with library.read() as connection:
        return connection.scalar(statement) or 0


def missing_embeddings(library: Library, stored: StoredSpace, roots: Collection[int]) -> Iterator[MissingEmbedding]:
    """Yield the contents that `count_missing` counts, by ID. Each page of them is read in its own transaction."""
    after = 0
    while page := _page(library, stored, roots, after):
        yield from page
        after = page[-1].content_id


def _page(library: Library, stored: StoredSpace, roots: Collection[int], after: int) -> list[MissingEmbedding]:
    statement = (
        select(Content.id, Content.digest)
        .where(Content.id > after, _present_below(roots).exists(), *_not_embedded(stored))
        .order_by(Content.id)
        .limit(MISSING_PAGE_SIZE)
    )
    with library.read() as connection:
        digests = {row.id: row.digest for row in connection.execute(statement)}
        files: dict[int, list[tuple[Path, bytes]]] = {content_id: [] for content_id in digests}
        with_paths = (
            _present()
            .add_columns(Root.path, Picture.relpath)
            .where(Picture.content_id.in_(list(digests)), Picture.root_id.in_(roots))
            .order_by(Picture.id)
        )
        for row in connection.execute(with_paths):
            files[row.content_id].append((as_path(row.path), row.relpath))
    return [MissingEmbedding(content_id, digest, tuple(files[content_id])) for content_id, digest in digests.items()]


def _present_below(roots: Collection[int]) -> Select[int | None]:
    return _present().where(Picture.content_id == Content.id, Picture.root_id.in_(roots))


def _present() -> Select[int | None]:
    """The contents of present files, documents excluded."""
    return (
        select(Picture.content_id)
        .join(Root, Root.id == Picture.root_id)
        .where(Root.kind == RootKind.FOLDER, Picture.state == PictureState.PRESENT, Picture.content_id.is_not(None))
    )


def _not_embedded(stored: StoredSpace) -> list[ColumnElement[bool]]:
    """Conditions for contents that lack vectors in this space, and have no failure in it."""
    vector = select(Embedding.content_id).where(_here(Embedding, stored, Content.id))
    failure = select(VectorFailure.content_id).where(_here(VectorFailure, stored, Content.id))
    return [or_(~vector.exists(), has_unread_frames(stored, Content.id)), ~failure.exists()]


def _here(table: type[Embedding] | type[VectorFailure], stored: StoredSpace, content_id: _Id) -> ColumnElement[bool]:
    return and_(table.space_id == stored.id, table.content_id == content_id)
