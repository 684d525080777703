"""What a search answers: pictures in order, with their scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from store.lookup import ContentRecord

__all__ = ["Hit"]


@dataclass(frozen=True)
class Hit:
    """One picture of an answer."""

    rank: int
    """From 1."""
    score: float
    """Cosine similarity to the query, -1 to 1."""
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
