"""What a search answers: pictures in order, with their scores; and what a list of pictures without a question is of."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from search.calibration import RELEVANT
from store.queries import ContentRecord

__all__ = ["Hit", "Listed", "newest_first"]


@dataclass(frozen=True)
class Listed:
    """One picture of a list."""

    rank: int
    """Its number, from 1."""
    record: ContentRecord
    """What the library knows of the picture."""

    @property
    def id(self) -> int:
        """Stands for what the picture shows, not for where it lies: copies share it."""
        return self.record.id

    @property
    def path(self) -> Path:
        """The file, or the first of them where there are copies."""
        return self.record.paths[0]

    @property
    def name(self) -> Path | str:
        """What to call it: the file, or the id of a document of which there is only the vector."""
        return self.record.document or self.path

    @property
    def copies(self) -> Sequence[Path]:
        """Other files of the very same bytes."""
        return self.record.paths[1:]

    @property
    def taken_at(self) -> datetime | None:
        """When the camera says it was taken, in the camera's local time."""
        return self.record.taken_at

    def seen_from(self, folders: Sequence[Path]) -> Self:
        """The same, with the files beneath `folders` named first: that is where the user is looking."""
        return replace(self, record=_near(self.record, folders))


@dataclass(frozen=True)
class Hit(Listed):
    """One picture of an answer."""

    score: float
    """Cosine similarity to the query, -1 to 1."""
    relevance: float | None = None
    """How likely it answers the query, 0 to 1 (`search/calibration.py`); None where nobody has measured that."""
    stack: tuple[ContentRecord, ...] = ()
    """Near-duplicates that it stands for, the best picture first; none where they were not folded."""
    parts: tuple[float, ...] | None = None
    """Its cosine similarity to each part of the query, in their order; only where that was asked for."""

    @property
    def is_relevant(self) -> bool | None:
        """Whether it is more likely an answer than not; None where nobody knows."""
        return None if self.relevance is None else self.relevance >= RELEVANT

    def seen_from(self, folders: Sequence[Path]) -> Self:
        """As of `Listed`, and so are the near-duplicates that it stands for."""
        return replace(super().seen_from(folders), stack=tuple(_near(other, folders) for other in self.stack))


def _near(record: ContentRecord, folders: Sequence[Path]) -> ContentRecord:
    """`record` with the files beneath `folders` named first."""
    near = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100 (links stay as they were named)
    order = sorted(record.paths, key=lambda path: not any(path.is_relative_to(folder) for folder in near))
    return replace(record, paths=tuple(order))


def newest_first(hits: Sequence[Hit]) -> list[Hit]:
    """By the date they were taken, those without one last; among equals as they were ranked."""
    dated = [(hit.taken_at, hit) for hit in hits if hit.taken_at is not None]
    undated = [hit for hit in hits if hit.taken_at is None]
    return [*(hit for _, hit in sorted(dated, key=lambda pair: pair[0], reverse=True)), *undated]
