"""The embedding spaces of a library: registering, finding and listing them, and the active one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, insert, select, update

from core.errors import AmbiguousSpace, SpaceMismatch, UnknownSpace
from core.space import Space
from store.catalog.tables import Embedding, FrameEmbedding, LibraryState, SpaceRow
from store.library import Library, Writer, advance_revision

__all__ = [
    "SpaceSummary",
    "StoredSpace",
    "activate",
    "active_space",
    "create_active_space",
    "find_spaces",
    "find_spaces_in",
    "list_spaces",
    "model_space",
    "model_space_in",
    "named_space",
    "register",
    "require_active",
    "revision_of",
    "space_revision",
]


@dataclass(frozen=True)
class StoredSpace:
    """A space as it is registered in the catalogue."""

    id: int
    space: Space
    dtype: str
    """The dtype of the stored vectors: `float16` or `float32`."""

    def to_bytes(self, vector: NDArray[np.floating]) -> bytes:
        """Return a vector (D,) as it is stored."""
        return np.ascontiguousarray(vector, dtype=self.storage).tobytes()

    @property
    def storage(self) -> np.dtype[np.floating]:
        """The stored dtype, little-endian on every machine."""
        return np.dtype(self.dtype).newbyteorder("<")


@dataclass(frozen=True)
class SpaceSummary:
    """A space, how many vectors it has, and whether it is the active one."""

    stored: StoredSpace
    vectors: int
    """One for each frame of each content."""
    is_active: bool


def register(connection: Connection, space: Space, dtype: str = "float16") -> StoredSpace:
    """Return the library's record of `space`, which is inserted if it is new. `dtype` applies to new spaces only."""
    stored = _find(connection, SpaceRow.fingerprint == space.fingerprint)
    if stored is None:
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(
            insert(SpaceRow).values(
                fingerprint=space.fingerprint,
                model=space.model,
                weights=space.weights,
                dim=space.dim,
                preprocessing=dict(space.preprocessing),
                dtype=dtype,
                created_at=now,
                revision=select(LibraryState.revision).scalar_subquery(),
            )
        )
        stored = _find(connection, SpaceRow.fingerprint == space.fingerprint)
    if stored is None:  # another program must have deleted the row
        raise SpaceMismatch(str(space), "nothing")
    return stored


def create_active_space(writer: Writer, space: Space) -> StoredSpace:
    """Register `space`, and make it the active one."""
    with writer.transaction() as connection:
        stored = register(connection, space)
        activate(connection, stored)
    return stored


def active_space(library: Library) -> StoredSpace | None:
    """Return the space that searches use; None before the first index run."""
    with library.read() as connection:
        return _active_in(connection)


def model_space(library: Library) -> StoredSpace | None:
    """Return the space that index runs fill: the active one, or the oldest that is not imported if that one is.

    Returns None before the first index run.
    """
    with library.read() as connection:
        return model_space_in(connection)


def model_space_in(connection: Connection) -> StoredSpace | None:
    """As `model_space`, within a transaction."""
    active = _active_in(connection)
    if active is None or not active.space.is_imported:
        return active
    spaces = map(_stored, connection.execute(select(SpaceRow.__table__).order_by(SpaceRow.id)))
    return next((stored for stored in spaces if not stored.space.is_imported), None)


def require_active(library: Library, space: Space) -> StoredSpace:
    """Return the active space, which must be `space`: vectors of different spaces are never compared.

    Raises `SpaceMismatch`.
    """
    active = active_space(library)
    if active is None or active.space.fingerprint != space.fingerprint:
        raise SpaceMismatch(str(active.space) if active else "nothing yet", str(space))
    return active


def find_spaces(library: Library, name: str) -> list[StoredSpace]:
    """Return the spaces called `name`, oldest first.

    These are the spaces of the model `name`, one for each of its weights; else those of a version of a model (`mini@3`
    or `mini 3`); else those whose fingerprint starts with `name`.
    """
    with library.read() as connection:
        return find_spaces_in(connection, name)


def find_spaces_in(connection: Connection, name: str, *, unfinished: bool = False) -> list[StoredSpace]:
    """As `find_spaces`, within a transaction; with `unfinished`, spaces that are being imported or removed, too."""
    rows = connection.execute(select(SpaceRow.__table__).order_by(SpaceRow.id)).all()
    spaces = [stored for stored in map(_stored, rows) if unfinished or not stored.space.is_unfinished]
    return (
        [stored for stored in spaces if stored.space.model == name]
        or [stored for stored in spaces if name in (stored.space.name, stored.space.title)]
        or [stored for stored in spaces if name and stored.space.fingerprint.startswith(name)]
    )


def named_space(library: Library, name: str, *, prefer_active: bool = False, unfinished: bool = False) -> StoredSpace:
    """Return the only space that `find_spaces` finds. Raises `UnknownSpace` or `AmbiguousSpace`.

    `prefer_active` returns the active space if it is one of several. It is for commands that change nothing.
    `unfinished` is as for `list_spaces`.
    """
    with library.read() as connection:
        found = find_spaces_in(connection, name, unfinished=unfinished)
    if len(found) > 1:
        active = active_space(library)
        if prefer_active and active is not None and active in found:
            return active
        names = (f"{stored.space.name} ({stored.space.fingerprint[:12]})" for stored in found)
        raise AmbiguousSpace(name, tuple(names))
    if not found:
        raise UnknownSpace(name, tuple(str(summary.stored.space) for summary in list_spaces(library)))
    return found[0]


def activate(connection: Connection, stored: StoredSpace) -> None:
    """Make `stored` the active space."""
    connection.execute(update(LibraryState).values(active_space_id=stored.id))
    advance_revision(connection)  # searchers must notice the change


def revision_of(connection: Connection, stored: StoredSpace) -> int | None:
    """Return a number that grows whenever the searchable vectors of this space change; None if it was dropped."""
    same = (SpaceRow.id == stored.id, SpaceRow.fingerprint == stored.space.fingerprint)
    return connection.scalar(select(SpaceRow.revision).where(*same))


def space_revision(library: Library, stored: StoredSpace | None = None) -> tuple[StoredSpace | None, int | None]:
    """Return `stored` with its revision, or the active space with its revision if `stored` is None.

    The space is None if no space is active; the revision is None if the space was dropped.
    """
    with library.read() as connection:
        stored = stored or _active_in(connection)
        return stored, None if stored is None else revision_of(connection, stored)


def list_spaces(library: Library, *, unfinished: bool = False) -> list[SpaceSummary]:
    """Return every space of the library, oldest first.

    With `unfinished`, spaces are included that are being imported or removed. Searches do not use these.
    """
    first = select(func.count()).where(Embedding.space_id == SpaceRow.id).scalar_subquery()
    further = select(func.count()).where(FrameEmbedding.space_id == SpaceRow.id).scalar_subquery()
    count = (first + further).label("vectors")
    with library.read() as connection:
        active = connection.scalar(select(LibraryState.active_space_id))
        rows = connection.execute(select(SpaceRow.__table__, count).order_by(SpaceRow.id)).all()
    summaries = [SpaceSummary(_stored(row), row.vectors, row.id == active) for row in rows]
    return [summary for summary in summaries if unfinished or not summary.stored.space.is_unfinished]


def _active_in(connection: Connection) -> StoredSpace | None:
    return _find(connection, SpaceRow.id == select(LibraryState.active_space_id).scalar_subquery())


def _find(connection: Connection, condition: object) -> StoredSpace | None:
    row = connection.execute(select(SpaceRow.__table__).where(condition)).one_or_none()  # type: ignore[arg-type]
    return None if row is None else _stored(row)


def _stored(row: Row[tuple[object, ...]]) -> StoredSpace:
    space = Space(model=row.model, weights=row.weights, dim=row.dim, preprocessing=row.preprocessing)
    return StoredSpace(id=row.id, space=space, dtype=row.dtype)
