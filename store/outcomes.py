"""What became of one file, and how the catalogue takes it in."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Insert, delete, insert, or_, select, update

from store.catalog import Content, Embedding, Failure, Picture, State
from store.roots import Place
from store.spaces import StoredSpace

__all__ = ["ContentFacts", "Outcome", "Refused", "Settler", "Taken", "Work"]


@dataclass(frozen=True)
class Work:
    """A file that must be read, and what the catalogue knew of it."""

    relpath: bytes
    picture_id: int | None = None
    content_id: int | None = None
    state: str | None = None


@dataclass(frozen=True)
class ContentFacts:
    """What decoding told about some bytes; the columns of `Content` of the same names."""

    size: int
    format: str
    width: int
    height: int
    taken_at: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What was read of a file; `size` and `mtime_ns` are those of the very bytes that were read."""

    work: Work
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Taken(Outcome):
    """A picture. `facts` and `vector` (D,) are None when the catalogue already has them for this `digest`."""

    digest: bytes
    facts: ContentFacts | None = None
    vector: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Refused(Outcome):
    """No picture, for now (`transient`) or until the file changes."""

    reason: str
    detail: str
    transient: bool


class Settler:
    """Takes outcomes into the catalogue within one transaction.

    `vanished` is the condition under which a picture's file is gone from the place: a content that turns up elsewhere
    is then a move and not a copy. `touched` says afterwards whether anything changed that a search could notice.
    """

    def __init__(
        self, connection: Connection, place: Place, stored: StoredSpace, vanished: ColumnElement[bool]
    ) -> None:
        self._connection = connection
        self._place = place
        self._stored = stored
        self._vanished = vanished
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self.touched = False

    def settle(self, outcome: Outcome) -> Iterator[str]:
        """Writes one outcome; yields the names under which the summary counts it."""
        if isinstance(outcome, Refused):
            yield from self._refuse(outcome)
        elif isinstance(outcome, Taken):
            yield from self._take(outcome)
        else:
            raise TypeError(f"no outcome: {outcome!r}")

    def _take(self, taken: Taken) -> Iterator[str]:
        content_id = self._content(taken)
        if taken.vector is not None and self._embed(content_id, taken.vector):
            yield "embedded"
        work = taken.work
        if work.picture_id is not None:
            yield self._update(taken, work.picture_id, content_id)
            return
        moved_from = self._moved_from(content_id)
        if moved_from is not None:
            self._place_at(moved_from, taken, content_id)
            yield "moved"
            return
        if self._has_picture(content_id):
            yield "duplicates"
        self._insert(taken, State.PRESENT, content_id)
        self.touched = True
        yield "new"

    def _update(self, taken: Taken, picture_id: int, content_id: int) -> str:
        """A path known before: the same content as then, or another."""
        self._place_at(picture_id, taken, content_id)
        self._connection.execute(delete(Failure).where(Failure.picture_id == picture_id))
        same = content_id == taken.work.content_id
        if same and taken.work.state == State.PRESENT:
            return "unchanged"
        self.touched = True
        return "restored" if same else "changed"

    def _refuse(self, refused: Refused) -> Iterator[str]:
        picture_id = refused.work.picture_id
        tries = 1
        if picture_id is None:
            picture_id = self._insert(refused, State.FAILED, None)
        else:
            tries += self._connection.scalar(select(Failure.tries).where(Failure.picture_id == picture_id)) or 0
            self._fail(refused, picture_id)
        self._connection.execute(delete(Failure).where(Failure.picture_id == picture_id))
        self._connection.execute(
            insert(Failure).values(
                picture_id=picture_id,
                reason=refused.reason,
                detail=refused.detail,
                transient=refused.transient,
                tries=tries,
                last_try_at=self._now,
            )
        )
        yield "failed"

    def _fail(self, refused: Refused, picture_id: int) -> None:
        """A known path fails. If the trouble may pass, what it held is kept, so as not to embed it again."""
        values: dict[str, object] = {"state": State.FAILED}
        if not refused.transient:
            values |= {"content_id": None, "size": refused.size, "mtime_ns": refused.mtime_ns}
        self._connection.execute(update(Picture).where(Picture.id == picture_id).values(values))
        self.touched = True

    def _content(self, taken: Taken) -> int:
        """The id of the content, which is made if the catalogue does not have it."""
        known = self._connection.scalar(select(Content.id).where(Content.digest == taken.digest))
        if known is not None:
            return known
        if taken.facts is None:
            raise LookupError("a content without facts must be in the catalogue")
        values = {"digest": taken.digest, **asdict(taken.facts)}
        return self._new_id(insert(Content).values(values))

    def _embed(self, content_id: int, vector: NDArray[np.float32]) -> bool:
        """Writes the vector unless a copy of the picture in the same batch brought it already."""
        key = (Embedding.space_id == self._stored.id, Embedding.content_id == content_id)
        if self._connection.scalar(select(Embedding.content_id).where(*key)) is not None:
            return False
        self._connection.execute(
            insert(Embedding).values(
                space_id=self._stored.id, content_id=content_id, vector=self._stored.to_bytes(vector)
            )
        )
        self.touched = True
        return True

    def _moved_from(self, content_id: int) -> int | None:
        """A picture of this content whose file is gone."""
        gone = or_(Picture.state == State.MISSING, self._vanished)
        return self._connection.scalar(
            select(Picture.id).where(Picture.content_id == content_id, gone).order_by(Picture.id).limit(1)
        )

    def _has_picture(self, content_id: int) -> bool:
        return self._connection.scalar(select(Picture.id).where(Picture.content_id == content_id).limit(1)) is not None

    def _insert(self, outcome: Outcome, state: State, content_id: int | None) -> int:
        statement = insert(Picture).values(
            root_id=self._place.root_id,
            relpath=outcome.work.relpath,
            size=outcome.size,
            mtime_ns=outcome.mtime_ns,
            content_id=content_id,
            state=state,
        )
        return self._new_id(statement)

    def _new_id(self, statement: Insert) -> int:
        return int(self._connection.execute(statement).inserted_primary_key[0])  # type: ignore[index]

    def _place_at(self, picture_id: int, taken: Taken, content_id: int) -> None:
        """Lets the picture's row say where the file is and what it holds."""
        if taken.work.picture_id is None:
            self.touched = True
        self._connection.execute(
            update(Picture)
            .where(Picture.id == picture_id)
            .values(
                root_id=self._place.root_id,
                relpath=taken.work.relpath,
                size=taken.size,
                mtime_ns=taken.mtime_ns,
                content_id=content_id,
                state=State.PRESENT,
            )
        )
