"""Errors about queries and filters."""

import unicodedata
from pathlib import Path

from core.errors.base import SightlineError
from core.frames import FIRST_FRAME
from core.notices import Notice

__all__ = [
    "AlbumIsRanked",
    "ContentNotEmbedded",
    "EmptyQuery",
    "InvalidQuery",
    "NothingIndexed",
    "QuerySyntax",
    "RelevanceNotCalibrated",
]

_CONTROL_TO_BLANK = dict.fromkeys([*range(32), 127], " ")
"""Translation of control characters, which would move the marker below the query, to blanks."""

_KINDS = {"word": "single words", "phrase": "short phrases", "sentence": "sentences", "picture": "pictures"}


class InvalidQuery(SightlineError):
    """A query or filter that cannot be run; the message says what is wrong with it."""


class EmptyQuery(InvalidQuery):
    """The query has no part to search for; `has_negative_parts` says whether it has parts to avoid."""

    def __init__(self, *, has_negative_parts: bool) -> None:
        super().__init__(
            "The query only says what to avoid. Add text or a picture to search for."
            if has_negative_parts
            else "The query is empty. Add text or a picture to search for."
        )
        self.has_negative_parts = has_negative_parts


class NothingIndexed(InvalidQuery):
    """The library at `path` contains no pictures and no space to search in."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"Nothing is indexed in {path} yet.")
        self.path = path


class ContentNotEmbedded(InvalidQuery):
    """The space that is searched has no vector of a picture with the ID `content_id`, or not of its frame `frame`."""

    def __init__(self, content_id: int, frame: int = FIRST_FRAME) -> None:
        if frame == FIRST_FRAME:
            message = f"No picture with the ID {content_id} has a vector in this space."
        else:
            message = f"The picture with the ID {content_id} has no vector of frame {frame + 1} in this space."
        super().__init__(message)
        self.content_id = content_id
        self.frame = frame


class AlbumIsRanked(InvalidQuery):
    """The album `name` is ranked by a query, so that it cannot be used as a filter."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The album {name!r} is ranked by a query and cannot be used as a filter.")
        self.name = name


class RelevanceNotCalibrated(InvalidQuery):
    """There is no calibration for the scores of `model`; if `model` is None, there is none for this kind of query.

    With both, the model has a calibration, but none for queries of this `kind`: a word, phrase, sentence or picture.
    `is_under_way` says whether the calibration is being made.
    """

    def __init__(self, model: str | None, kind: str | None = None, *, is_under_way: bool = False) -> None:
        what = f"the model {model}" if model else "queries of several parts, of regions or vectors, or without a word"
        what = f"{_KINDS.get(kind, kind)} as queries to {what}" if kind else what
        super().__init__(
            f"Relevance is being calibrated for {what}. Try again in a minute, or set a minimum score instead."
            if is_under_way
            else f"Relevance is not calibrated for {what}. Set a minimum score instead."
        )
        self.model, self.kind, self.is_under_way = model, kind, is_under_way


class QuerySyntax(InvalidQuery):
    """The query `text` cannot be parsed at the character `position` (from 0); `fault` says why, also by name.

    `is_operator` says whether the character is an operator, which quotation marks would turn into text.
    """

    def __init__(self, text: str, position: int, fault: Notice, *, is_operator: bool = False) -> None:
        line = text.translate(_CONTROL_TO_BLANK)
        start = max(position - 60, 0)
        before = line[start:position]
        # East Asian letters are two columns wide, combining marks zero.
        columns = sum(
            0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
            for sign in before
        )
        super().__init__(f"{fault}\n  {before}{line[position : position + 40]}\n  {' ' * columns}^")
        self.text, self.position, self.fault, self.is_operator = text, position, fault, is_operator
