"""What became of one file, and how the catalogue takes it in."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from store.catalog.tables import Content, Failure, Picture, Root, State
from store.ingest.metadata import FileFacts, columns, keep_keywords
from store.near_duplicates.groups import Look, note_looks
from store.roots import Place, within
from store.spaces.embeddings import add_vectors, note_faults
from store.spaces.registry import StoredSpace

__all__ = ["ContentFacts", "Outcome", "Refused", "Settler", "Taken", "Work"]


@dataclass(frozen=True)
class Work:
    """A file that must be read, and what the catalogue knew of it."""

    relpath: bytes
    picture_id: int | None = None
    content_id: int | None = None
    state: str | None = None
    familiar: bool = True
    """A content of the same size is in the catalogue, so that its digest is worth looking up."""


@dataclass(frozen=True)
class ContentFacts(FileFacts):
    """What decoding told about some bytes; the columns of `Content` of the same names."""

    size: int
    format: str
    width: int
    height: int


@dataclass(frozen=True)
class Outcome:
    """What was read of a file; `size` and `mtime_ns` are those of the very bytes that were read."""

    work: Work
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Taken(Outcome):
    """A picture. `facts`, `vector` (D,) and `look` are None when the catalogue already has them for this `digest`.

    `fault` is what was wrong with the vector that the model made of it, which is then left out.
    """

    digest: bytes
    facts: ContentFacts | None = None
    vector: NDArray[np.float32] | None = None
    fault: str | None = None
    look: Look | None = None


@dataclass(frozen=True)
class Refused(Outcome):
    """No picture, for now (`transient`) or until the file changes."""

    reason: str
    detail: str
    transient: bool


class Settler:
    """Takes outcomes into the catalogue within one transaction, a batch at a time.

    `gone` is the condition under which the file of a picture of the place is no longer there: a content that turns up
    elsewhere is then a move and not a copy. `touched` says afterwards whether anything changed that a search could
    notice.
    """

    def __init__(self, connection: Connection, place: Place, stored: StoredSpace, gone: ColumnElement[bool]) -> None:
        self._connection = connection
        self._place = place
        self._stored = stored
        self._gone = gone
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self.touched = False

    def settle(self, outcomes: Sequence[Outcome]) -> Counter[str]:
        """Writes a batch; returns the counts of the summary."""
        counts = Counter[str]()
        self._take([outcome for outcome in outcomes if isinstance(outcome, Taken)], counts)
        for refused in (outcome for outcome in outcomes if isinstance(outcome, Refused)):
            self._refuse(refused)
            counts["failed"] += 1
        return counts

    def _take(self, batch: Sequence[Taken], counts: Counter[str]) -> None:
        content_ids = self._contents(batch)
        note_looks(self._connection, {content_ids[taken.digest]: taken.look for taken in batch if taken.look})
        counts["embedded"] += self._embed(batch, content_ids)
        held, gone = self._holders(batch, content_ids)
        fresh: list[dict[str, object]] = []
        for taken in batch:
            content_id = content_ids[taken.digest]
            row = self._row(taken, content_id)
            if taken.work.picture_id is not None:
                became = self._update(taken, row)
            elif gone[content_id]:
                self._rewrite(gone[content_id].pop(0), row)
                became = "moved"
            else:
                counts["duplicates"] += content_id in held and taken.fault is None
                became = "new"
                held.add(content_id)
                fresh.append(row)
            counts["failed" if taken.fault else became] += 1
        if fresh:
            self._connection.execute(insert(Picture), fresh)
            self.touched = True

    def _contents(self, batch: Sequence[Taken]) -> dict[bytes, int]:
        """The id of each content, by digest; made where the catalogue does not have it."""
        digests = {taken.digest: taken for taken in batch}
        known = select(Content.digest, Content.id).where(Content.digest.in_(list(digests)))
        ids = {row.digest: row.id for row in self._connection.execute(known)}
        missing = [taken for digest, taken in digests.items() if digest not in ids]
        facts = {taken.digest: taken.facts for taken in missing if taken.facts is not None}
        rows = [{"digest": digest, **columns(each)} for digest, each in facts.items()]
        if len(rows) < len(missing):
            raise LookupError("a content without facts must be in the catalogue")
        if rows:
            made = self._connection.execute(insert(Content).returning(Content.digest, Content.id), rows)
            ids |= {row.digest: row.id for row in made}
            keep_keywords(self._connection, {ids[digest]: each for digest, each in facts.items()})
        return ids

    def _embed(self, batch: Sequence[Taken], content_ids: Mapping[bytes, int]) -> int:
        """Writes the vectors that are new; copies within the batch, or of another run, bring the same one again."""
        vectors = {content_ids[taken.digest]: taken.vector for taken in batch if taken.vector is not None}
        added = add_vectors(self._connection, self._stored, vectors)
        faults = {content_ids[taken.digest]: taken.fault for taken in batch if taken.fault is not None}
        note_faults(self._connection, self._stored, faults)
        self.touched = self.touched or bool(added)
        return added

    def _holders(
        self, batch: Sequence[Taken], content_ids: Mapping[bytes, int]
    ) -> tuple[set[int], dict[int, list[int]]]:
        """The contents that some picture holds, and by content the pictures whose file is gone, first known first.

        Of what the place covers the census knows (a file that is back but changed has its own turn in it); of the rest
        (another root, or elsewhere in this one) the file system is asked, unless their root is there and empty: what
        lies on a disk that is not mounted has not moved.
        """
        unplaced = {content_ids[taken.digest] for taken in batch if taken.work.picture_id is None}
        gone: dict[int, list[int]] = {content_id: [] for content_id in unplaced}
        statement = (
            select(
                Picture.id,
                Picture.content_id,
                Picture.relpath,
                Picture.state,
                Root.path,
                and_(*within(self._place)).label("covered"),
                self._gone.label("gone"),
            )
            .join(Root, Root.id == Picture.root_id)
            .where(Picture.content_id.in_(list(unplaced)))
            .order_by(Picture.id)
        )
        held = set()
        for row in self._connection.execute(statement):
            held.add(row.content_id)
            if row.gone if row.covered else _has_left(row.path, row.relpath, State(row.state)):
                gone[row.content_id].append(row.id)
        return held, gone

    def _update(self, taken: Taken, row: Mapping[str, object]) -> str:
        """A path known before: the same content as then, or another."""
        same = row["content_id"] == taken.work.content_id
        settled = same and taken.work.state == State.PRESENT
        self._rewrite(taken.work.picture_id, row, touching=not settled)
        if settled:
            return "unchanged"
        return "restored" if same else "changed"

    def _rewrite(self, picture_id: int | None, row: Mapping[str, object], *, touching: bool = True) -> None:
        """Lets a picture's row say where its file is and what it holds; whatever failed there before is over."""
        self._connection.execute(update(Picture).where(Picture.id == picture_id).values(row))
        self._connection.execute(delete(Failure).where(Failure.picture_id == picture_id))
        self.touched = self.touched or touching

    def _row(self, taken: Taken, content_id: int) -> dict[str, object]:
        return {**self._location(taken), "content_id": content_id, "state": State.PRESENT}

    def _location(self, outcome: Outcome) -> dict[str, object]:
        return {
            "root_id": self._place.root_id,
            "relpath": outcome.work.relpath,
            "size": outcome.size,
            "mtime_ns": outcome.mtime_ns,
        }

    def _refuse(self, refused: Refused) -> None:
        picture_id = refused.work.picture_id
        tries = 1
        if picture_id is None:
            row = {**self._location(refused), "content_id": None, "state": State.FAILED}
            picture_id = self._connection.execute(insert(Picture).values(row).returning(Picture.id)).scalar_one()
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

    def _fail(self, refused: Refused, picture_id: int) -> None:
        """A known path fails. If the trouble may pass, what it held is kept, so as not to embed it again."""
        values: dict[str, object] = {"state": State.FAILED}
        if not refused.transient:
            values |= {"content_id": None, "size": refused.size, "mtime_ns": refused.mtime_ns}
        self._connection.execute(update(Picture).where(Picture.id == picture_id).values(values))
        self.touched = True


def _has_left(root: bytes, relpath: bytes, state: State) -> bool:
    """Whether a file is no longer where it was, and its root does not look like the place of an unmounted disk."""
    try:
        os.lstat(root + b"/" + relpath)
    except (FileNotFoundError, NotADirectoryError):
        return state == State.MISSING or not _is_empty(root)
    except OSError:  # no permission to look, a dead mount: who knows
        return False
    return False


def _is_empty(folder: bytes) -> bool:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except OSError:
        return False
