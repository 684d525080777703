"""How much of a library each space covers, and which contents one still lacks."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute

from store.catalog.tables import Content, Embedding, Picture, Root, RootKind, State, VectorFailure
from store.spaces.registry import StoredSpace

__all__ = ["Coverage", "Lacking", "coverage", "lacking_in", "lacking_page", "missing_without"]


_Id: TypeAlias = ColumnElement[int] | ColumnElement[int | None] | InstrumentedAttribute[int]


@dataclass(frozen=True)
class Coverage:
    """What a space has of the pictures that are present; copies count once, documents not at all."""

    pictures: int
    embedded: int
    failed: int
    """The model has no vector of them."""

    @property
    def lacking(self) -> int:
        """Pictures that the model has not seen yet."""
        return self.pictures - self.embedded - self.failed

    @property
    def complete(self) -> bool:
        """The model has seen every picture that is present."""
        return not self.lacking


@dataclass(frozen=True)
class Lacking:
    """A content without a vector, and the files that held it when they were last looked at."""

    content_id: int
    digest: bytes
    files: tuple[tuple[Path, bytes], ...]
    """Of each its root, and its path beneath that."""


def coverage(connection: Connection, stored: StoredSpace) -> Coverage:
    """How much of the library `stored` covers."""
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
    row = connection.execute(statement).one()
    return Coverage(row.pictures, row.embedded, row.failed)


def missing_without(connection: Connection, stored: StoredSpace) -> int:
    """Contents of missing files that have no vector in this space: none can be made before the file is back."""
    missing = select(Picture.id).where(Picture.content_id == Content.id, Picture.state == State.MISSING)
    present = select(Picture.id).where(Picture.content_id == Content.id, Picture.state != State.MISSING)
    statement = select(func.count(Content.id)).where(missing.exists(), ~present.exists(), *_lacks(stored))
    return connection.scalar(statement) or 0


def lacking_in(connection: Connection, stored: StoredSpace, roots: Collection[int]) -> int:
    """How many contents that a present file in one of `roots` holds have not been seen by the model of `stored`."""
    held = _present().where(Picture.content_id == Content.id, Picture.root_id.in_(roots))
    return connection.scalar(select(func.count(Content.id)).where(held.exists(), *_lacks(stored))) or 0


def lacking_page(
    connection: Connection, stored: StoredSpace, roots: Collection[int], after: int, size: int
) -> list[Lacking]:
    """At most `size` of what `lacking_in` counts, by id, beginning after the content `after`."""
    held = _present().where(Picture.content_id == Content.id, Picture.root_id.in_(roots))
    page = (
        select(Content.id, Content.digest)
        .where(Content.id > after, held.exists(), *_lacks(stored))
        .order_by(Content.id)
        .limit(size)
    )
    digests = {row.id: row.digest for row in connection.execute(page)}
    files: dict[int, list[tuple[Path, bytes]]] = {content_id: [] for content_id in digests}
    statement = (
        _present()
        .add_columns(Root.path, Picture.relpath)
        .where(Picture.content_id.in_(list(digests)), Picture.root_id.in_(roots))
        .order_by(Picture.id)
    )
    for row in connection.execute(statement):
        files[row.content_id].append((Path(os.fsdecode(row.path)), row.relpath))
    return [Lacking(content_id, digest, tuple(files[content_id])) for content_id, digest in digests.items()]


def _present() -> Select[int | None]:
    """The contents of files that are present."""
    return (
        select(Picture.content_id)
        .join(Root, Root.id == Picture.root_id)
        .where(Root.kind == RootKind.FOLDER, Picture.state == State.PRESENT, Picture.content_id.is_not(None))
    )


def _lacks(stored: StoredSpace) -> list[ColumnElement[bool]]:
    """Conditions for contents that the model of `stored` has not seen."""
    vector = select(Embedding.content_id).where(_here(Embedding, stored, Content.id))
    failure = select(VectorFailure.content_id).where(_here(VectorFailure, stored, Content.id))
    return [~vector.exists(), ~failure.exists()]


def _here(table: type[Embedding] | type[VectorFailure], stored: StoredSpace, content_id: _Id) -> ColumnElement[bool]:
    return and_(table.space_id == stored.id, table.content_id == content_id)
