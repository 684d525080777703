"""The answer to a search: hits in order, each a picture with its score."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Self, overload

from core.files import absolute
from core.frames import FIRST_FRAME, Frame
from core.notices import Notice
from core.text_lines import TextLine
from store.catalog.frame_ids import frame_id
from store.queries import ContentRecord

__all__ = ["Answer", "FoundText", "Hit", "ListedImage", "escape_formula"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The first character of cells that spreadsheets run as a formula (OWASP, "CSV Injection")."""


@dataclass(frozen=True)
class FoundText:
    """A line of text that a search found, and the number of its frame, from 0."""

    frame: int
    line: TextLine


@dataclass(frozen=True)
class ListedImage:
    """A picture in a numbered list."""

    rank: int
    """The position in the list, from 1."""
    record: ContentRecord
    """The catalogue's record of the picture."""
    texts: tuple[FoundText, ...] = field(default=(), kw_only=True)
    """The lines of text that a `text:` filter found, or in which words of the query stand, if these count."""

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
    contributions: tuple[float, ...] | None = None
    """What each part contributes to the score: its weighted similarity, divided by the length of the weighted sum of
    the parts. They add up to the score, and are negative for a part to avoid; None unless requested with `explain`."""
    frame: Frame | None = None
    """The page or moment that was found; None for a still picture, and in a space of first frames only."""
    text_match: float | None = None
    """The share of the characters of the query's words that belong to words in the picture (or frame), 0 to 1; None
    unless requested with `text_weight`."""

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
    notices: tuple[Notice, ...] = ()
    """What the user should know about changes to the query, such as a text that was cut off."""
    complete: bool = True
    """Whether every picture was compared. If not, a better one may be missing; scores are exact in any case."""

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
