"""The answer to a search: hits in order, each a picture with its score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self, overload

from core.files import absolute
from core.frames import FIRST_FRAME, Frame
from store.catalog.frame_ids import frame_id
from store.queries import ContentRecord

__all__ = ["Answer", "Hit", "ListedImage", "escape_formula"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""The first character of cells that spreadsheets run as a formula (OWASP, "CSV Injection")."""


@dataclass(frozen=True)
class ListedImage:
    """A picture in a numbered list."""

    rank: int
    """The position in the list, from 1."""
    record: ContentRecord
    """The catalogue's record of the picture."""

    @property
    def id(self) -> int:
        """The content ID, shared by exact copies."""
        return self.record.id

    @property
    def path(self) -> Path:
        """The file, or the first of several copies."""
        return self.record.paths[0]

    @property
    def name(self) -> Path | str:
        """The file, or the ID of a document that has no file."""
        return self.record.document or self.path

    @property
    def copies(self) -> Sequence[Path]:
        """The other files with the same bytes."""
        return self.record.paths[1:]

    @property
    def frame_number(self) -> int:
        """The number of the frame that stands for the picture, from 0; 0 for a still picture."""
        return FIRST_FRAME

    @property
    def taken_at(self) -> datetime | None:
        """The time of capture, in the camera's local time."""
        return self.record.taken_at

    def prefer_folders(self, folders: Sequence[Path]) -> Self:
        """Return a copy whose paths list the files in `folders` first."""
        return replace(self, record=_prefer_folders(self.record, folders))


@dataclass(frozen=True)
class Hit(ListedImage):
    """A picture found by a search."""

    score: float
    """Cosine similarity to the query, from -1 to 1."""
    relevance: float | None = None
    """The probability that the picture answers the query (`search/relevance.py`); None without a calibration."""
    is_relevant: bool | None = None
    """Whether the picture is probably right (True) or probably wrong (False); None if that cannot be said."""
    stack: tuple[ContentRecord, ...] = ()
    """Near-duplicates that were collapsed into this hit, best picture first."""
    parts: tuple[float, ...] | None = None
    """Cosine similarity to each part of the query, in order; None unless requested with `explain`."""
    frame: Frame | None = None
    """The page or moment that was found; None for a still picture, and in a space of first frames only."""

    @property
    def frame_number(self) -> int:
        """The number of the frame that was found, from 0; 0 for a still picture."""
        return FIRST_FRAME if self.frame is None else self.frame.number

    @property
    def frame_id(self) -> int:
        """The ID of the frame in index files; for a still picture, the content ID."""
        return frame_id(self.id, self.frame_number)

    def prefer_folders(self, folders: Sequence[Path]) -> Self:
        """Return a copy whose paths, and those of its near-duplicates, list the files in `folders` first."""
        return replace(
            super().prefer_folders(folders), stack=tuple(_prefer_folders(record, folders) for record in self.stack)
        )


@dataclass(frozen=True)
class Answer(Sequence[Hit]):
    """One page of hits. Iterating, indexing and `len()` apply to the hits; a slice is a tuple of hits."""

    hits: tuple[Hit, ...] = ()
    next_cursor: str | None = None
    """The cursor of the next page; None on the last page."""
    notes: tuple[str, ...] = ()
    """Messages for the user about changes to the query, such as a text that was cut off."""

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]


def escape_formula(text: str) -> str:
    """Return the text of a table cell, with an apostrophe before it if a spreadsheet would run it as a formula.

    The names of files and cameras in a table can contain anything.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _prefer_folders(record: ContentRecord, folders: Sequence[Path]) -> ContentRecord:
    """Return `record` with the files in `folders` first."""
    preferred = [absolute(folder) for folder in folders]
    paths = sorted(record.paths, key=lambda path: not any(path.is_relative_to(folder) for folder in preferred))
    return replace(record, paths=tuple(paths))
