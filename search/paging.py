"""Answers a page at a time. A cursor names the last hit that was shown, by what it was ordered by, and not its number.

So nothing that is there all along comes twice or never, whatever is added or removed between two pages: what is new
and belongs further up is not shown, what is new and belongs further down is. A cursor belongs to one question, to one
embedding space, and to one order: any other refuses it.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from search.filters import Filters
from search.hits import Hit

__all__ = ["Answer", "Cursor", "Place", "Sort", "question"]

Sort: TypeAlias = Literal["relevance", "date"]
"""The order of an answer: the best first, or the newest first."""


class Answer(list[Hit]):
    """Hits in order, of one page."""

    def __init__(self, hits: Iterable[Hit] = (), following: str | None = None, notes: tuple[str, ...] = ()) -> None:
        super().__init__(hits)
        self.next = following
        """The cursor of the page after this one; None when there is nothing more."""
        self.notes = notes
        """What was done to the query that whoever asked it should know."""


@dataclass(frozen=True)
class Place:
    """Where a hit stands in an order. Better scores come before, equal ones by id; by date, the newest come first."""

    score: float
    id: int
    taken_at: datetime | None = None

    def key(self, sort: Sort) -> tuple[float, ...]:
        """Sorts as the hits do, smallest first."""
        by_score = (-self.score, float(self.id))
        if sort == "relevance":
            return by_score
        return (1.0, 0.0, *by_score) if self.taken_at is None else (0.0, -_seconds(self.taken_at), *by_score)


@dataclass(frozen=True)
class Cursor:
    """The last hit that was shown."""

    question: str
    """Of which question, as `question` says it."""
    shown: int
    """How many hits came up to there."""
    place: Place

    def __str__(self) -> str:
        taken = self.place.taken_at.isoformat() if self.place.taken_at else None
        said = [self.question, self.shown, self.place.score, self.place.id, taken]
        return base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, asked: str) -> "Cursor":
        """What `str` wrote. Raises `InvalidQuery` for anything else, and unless `asked` is its question."""
        try:
            said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            question, shown, score, content_id, taken = said
            place = Place(float(score), int(content_id), None if taken is None else datetime.fromisoformat(taken))
            cursor = cls(str(question), int(shown), place)
        except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError) as exc:
            raise InvalidQuery("this is no cursor that a page of results gave") from exc
        if cursor.question != asked:
            raise InvalidQuery(
                "this cursor belongs to another question: the same query, filters, order and model go on where it ended"
            )
        return cursor


def question(space: str, vector: NDArray[np.float32], filters: Filters, *rest: object) -> str:
    """A digest of all that decides the order of an answer: a space's fingerprint, a query's vector, the rest."""
    said = f"{space}|{vector.tobytes().hex()}|{filters!r}|{rest!r}"
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _seconds(moment: datetime) -> float:
    """Since the year 1; a camera's clock knows no zone, and may say anything."""
    return (moment - datetime.min).total_seconds()  # noqa: DTZ901
