"""Cursors: opaque texts that continue a ranking after the last hit of a page.

A cursor stores the sort key of that hit, not its number. A picture that stays in the library is therefore shown
exactly once, even if others are added or removed between two pages: new pictures appear on later pages if they rank
there. A cursor is only valid for the query, filters, sort order and embedding space it was created for.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from search.filters import Filters
from search.options import Sort

__all__ = ["Cursor", "CursorPosition", "query_digest"]


@dataclass(frozen=True)
class CursorPosition:
    """The sort key of a hit. Higher scores come first, equal scores by ID; by date, the newest come first."""

    score: float
    id: int
    """A frame ID: for a still picture, the ID of its content."""
    taken_at: datetime | None = None

    def key(self, sort: Sort) -> tuple[float, ...]:
        """Return a key that sorts positions in the order of the hits."""
        by_score = (-self.score, self.id)
        if sort == "relevance":
            return by_score
        return (1.0, 0.0, *by_score) if self.taken_at is None else (0.0, -_seconds(self.taken_at), *by_score)


@dataclass(frozen=True)
class Cursor:
    """The end of a page. `str` encodes a cursor, `parse` decodes it."""

    digest: str
    """The `query_digest` of the query it belongs to."""
    shown: int
    """The number of hits up to and including the last one of the page."""
    position: CursorPosition

    def __str__(self) -> str:
        taken = self.position.taken_at.isoformat() if self.position.taken_at else None
        fields = [self.digest, self.shown, self.position.score, self.position.id, taken]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, digest: str) -> "Cursor":
        """Decode a cursor. Raises `InvalidQuery` if it is malformed or belongs to another query than `digest`."""
        try:
            fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            found, shown, score, content_id, taken = fields
            taken_at = None if taken is None else datetime.fromisoformat(taken)
            if taken_at is not None and taken_at.tzinfo is not None:
                raise ValueError("Dates of pictures have no time zone.")
            cursor = cls(str(found), int(shown), CursorPosition(float(score), int(content_id), taken_at))
        except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError) as exc:
            raise InvalidQuery("Invalid cursor.") from exc
        if cursor.digest != digest:
            raise InvalidQuery(
                "The cursor belongs to another query. Repeat the same query, filters, order and model to continue."
            )
        return cursor


def query_digest(space: str, vector: NDArray[np.float32], filters: Filters, *rest: object) -> str:
    """Return a digest of everything that determines the order of the hits.

    `space` is the fingerprint of the embedding space, `vector` the query vector (D,).
    """
    ranking = f"{space}|{vector.tobytes().hex()}|{filters!r}|{rest!r}"
    return hashlib.sha256(ranking.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _seconds(moment: datetime) -> float:
    """Return seconds since the year 1; `timestamp()` fails for some of the naive dates that cameras write."""
    return (moment - datetime.min).total_seconds()  # noqa: DTZ901
