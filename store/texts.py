"""Text that was read in pictures: what has not been read yet, writing it, and finding contents by it."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
)

from core.text_lines import Corners, TextLine
from store.catalog.collation import clean_name
from store.catalog.frame_ids import frame_id
from store.catalog.id_sets import batch_slices
from store.catalog.portable_sql import index_of
from store.catalog.tables import Content, Picture, PictureState, Root, RootKind, TextFrame, TextLineRow, TextReadingRow
from store.catalog.text_comparison import TextPattern, comparable, contains_word, join_lines
from store.catalog.text_search import INDEXED_LENGTH, frames_with
from store.library import Library, Writer

__all__ = [
    "ContentTexts",
    "FrameTexts",
    "TextCoverage",
    "UnreadText",
    "containing",
    "contents_with_line",
    "count_unread_texts",
    "load_shares",
    "load_texts",
    "text_coverage",
    "unread_texts",
    "write_texts",
]

UNREAD_PAGE_SIZE = 200
"""Contents read from the catalogue at a time."""

MAX_LINE_LENGTH = 2_000
"""Characters kept of a line."""

COMMON_FRAMES, COMMON_SHARE = 1_000, 0.05
"""A word that is a part of the text of more frames, and of a larger share of them, is a common one."""

_CORNER_TYPE = np.dtype("<f4")


@dataclass(frozen=True)
class UnreadText:
    """A content whose text has not been read, and its present files."""

    content_id: int
    digest: bytes
    files: tuple[bytes, ...]
    """Absolute paths."""


@dataclass(frozen=True)
class FrameTexts:
    """The lines of text in a frame, in reading order."""

    number: int
    """The number of the frame, from 0."""
    lines: tuple[TextLine, ...]


@dataclass(frozen=True)
class ContentTexts:
    """The outcome of reading a content: the frames with text, or why it failed."""

    frames: tuple[FrameTexts, ...] = ()
    reason: str | None = None
    """A stable identifier."""
    detail: str | None = None


@dataclass(frozen=True)
class TextCoverage:
    """How many contents with a present file have been read, by whichever recogniser."""

    contents: int
    read: int
    """Failures not included."""
    with_text: int
    failed: int


def count_unread_texts(library: Library, recognizer: str, version: str, *, again: bool = False) -> int:
    """Return how many contents with a present file have not been read by this version of a recogniser.

    With `again`, those that it could not read are included.
    """
    statement = select(func.count(Content.id)).where(*_unread(recognizer, version, again=again))
    with library.read() as connection:
        return connection.scalar(statement) or 0


def unread_texts(library: Library, recognizer: str, version: str, *, again: bool = False) -> Iterator[UnreadText]:
    """Yield the contents that `count_unread_texts` counts, the last added first."""
    conditions = _unread(recognizer, version, again=again)
    before: int | None = None
    while page := _page(library, conditions, before):
        yield from page
        before = page[-1].content_id


def write_texts(writer: Writer, recognizer: str, version: str, texts: Mapping[int, ContentTexts]) -> None:
    """Replace the texts of contents, by ID, in one transaction. Contents that have been removed are left out."""
    with writer.transaction() as connection:
        known = set(connection.execute(select(Content.id).where(Content.id.in_(list(texts)))).scalars())
        for table in (TextFrame, TextReadingRow):
            connection.execute(delete(table).where(table.content_id.in_(known)))
        for content_id in sorted(known):
            outcome = texts[content_id]
            row = {"recognizer": recognizer, "version": version, "reason": outcome.reason, "detail": outcome.detail}
            connection.execute(insert(TextReadingRow).values(content_id=content_id, **row))
            for frame in outcome.frames:
                _write_frame(connection, content_id, frame)


def load_texts(library: Library, content_ids: Sequence[int]) -> dict[int, list[FrameTexts]]:
    """Return the texts of contents by ID: their frames with text, in order. Contents without text are left out."""
    found: dict[int, list[FrameTexts]] = {}
    with library.read() as connection:
        for batch in batch_slices(len(content_ids)):
            is_wanted = TextFrame.content_id.in_(list(content_ids[batch]))
            for content_id, frame in _load_frames(connection, is_wanted):
                found.setdefault(content_id, []).append(frame)
    return found


def text_coverage(library: Library) -> TextCoverage:
    """Return how many contents have been read."""
    has_text = exists().where(TextFrame.content_id == Content.id)
    statement = (
        select(
            func.count().label("contents"),
            func.count(TextReadingRow.content_id).filter(TextReadingRow.reason.is_(None)).label("read"),
            func.count().filter(has_text).label("with_text"),
            func.count(TextReadingRow.reason).label("failed"),
        )
        .select_from(Content)
        .outerjoin(TextReadingRow, TextReadingRow.content_id == Content.id)
        .where(_present().exists())
    )
    with library.read() as connection:
        row = connection.execute(statement).one()
    return TextCoverage(row.contents, row.read, row.with_text, row.failed)


def containing(pieces: Collection[str]) -> ColumnElement[bool]:
    """Whether a row of `TextFrame` contains all of these comparable texts, also across the ends of lines."""
    short = [piece for piece in pieces if len(piece) < INDEXED_LENGTH]
    conditions = [index_of(TextFrame.comparable, piece) > 0 for piece in short]
    if indexed := [piece for piece in pieces if len(piece) >= INDEXED_LENGTH]:
        conditions.append(frames_with(indexed))
    return and_(true(), *conditions)


def load_shares(library: Library, words: Sequence[str]) -> dict[int, float]:
    """Return, by frame ID, the share of the characters of `words` that belong to words in the frame, if it is not 0.

    The comparable words are distinct. Words that are too common to tell pictures apart (`COMMON_FRAMES`,
    `COMMON_SHARE`) bring no frame into the result, nor do words of one or two characters unless all are so short. Both
    add to the share of the frames with another word.
    """
    if not (total := sum(map(len, words))):
        return {}
    with library.read() as connection:
        frames = connection.scalar(select(func.count(TextFrame.id))) or 0
        long = [word for word in words if len(word) >= INDEXED_LENGTH]
        telling = [word for word in long or words if not _is_common(connection, word, frames)]
        statement = select(TextFrame.content_id, TextFrame.number, TextFrame.comparable)
        rows = connection.execute(statement.where(or_(false(), *(containing([word]) for word in telling)))).all()
    shares: dict[int, float] = {}
    for row in rows:
        found = [word for word in words if contains_word(row.comparable, word)]
        if set(found) & set(telling):
            shares[frame_id(row.content_id, row.number)] = sum(map(len, found)) / total
    return shares


def _is_common(connection: Connection, word: str, frames: int) -> bool:
    if frames <= COMMON_FRAMES:
        return False
    limit = max(COMMON_FRAMES, round(frames * COMMON_SHARE))
    rows = select(TextFrame.id).where(containing([word])).limit(limit + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(rows)) or 0) > limit


def contents_with_line(connection: Connection, pattern: TextPattern) -> list[int]:
    """Return the contents with a line that matches."""
    frames = _load_frames(connection, containing(pattern.pieces))
    found = (content for content, frame in frames if pattern.find([comparable(line.text) for line in frame.lines]))
    return list(dict.fromkeys(found))


def _load_frames(connection: Connection, is_wanted: ColumnElement[bool]) -> Iterator[tuple[int, FrameTexts]]:
    """Yield the frames that meet a condition, with the ID of their content."""
    statement = (
        select(TextFrame.content_id, TextFrame.number.label("frame"), TextLineRow.__table__)
        .join(TextLineRow, TextLineRow.frame_id == TextFrame.id)
        .where(is_wanted)
        .order_by(TextFrame.content_id, TextFrame.number, TextLineRow.number)
    )
    for (content_id, number), rows in groupby(connection.execute(statement), lambda row: (row.content_id, row.frame)):
        yield content_id, FrameTexts(number, tuple(_line(row) for row in rows))


def _line(row: Any) -> TextLine:
    corners = tuple(np.frombuffer(row.corners, _CORNER_TYPE).tolist())
    return TextLine(row.text, row.confidence, cast("Corners", corners))


def _write_frame(connection: Connection, content_id: int, frame: FrameTexts) -> None:
    texts = [clean_name(line.text, MAX_LINE_LENGTH) for line in frame.lines]
    lines = [(plain, line) for plain, line in zip(texts, frame.lines, strict=True) if plain]
    if not lines:
        return
    whole, _ = join_lines([comparable(plain) for plain, _ in lines])
    statement = insert(TextFrame).values(content_id=content_id, number=frame.number, comparable=whole)
    (row_id,) = connection.execute(statement).inserted_primary_key or (None,)
    rows = [
        {
            "frame_id": row_id,
            "number": number,
            "text": plain,
            "confidence": line.confidence,
            "corners": np.array(line.corners, _CORNER_TYPE).tobytes(),
        }
        for number, (plain, line) in enumerate(lines)
    ]
    connection.execute(insert(TextLineRow), rows)


def _unread(recognizer: str, version: str, *, again: bool) -> list[ColumnElement[bool]]:
    is_current = [
        TextReadingRow.content_id == Content.id,
        TextReadingRow.recognizer == recognizer,
        TextReadingRow.version == version,
    ]
    if again:
        is_current.append(TextReadingRow.reason.is_(None))
    return [_present().exists(), ~exists().where(*is_current)]


def _present() -> Select[Any]:
    """The present files of a content. Documents of imported spaces have none."""
    return (
        select(Picture.id)
        .join(Root, Root.id == Picture.root_id)
        .where(Picture.content_id == Content.id, Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
    )


def _page(library: Library, conditions: Sequence[ColumnElement[bool]], before: int | None) -> list[UnreadText]:
    statement = (
        select(Content.id, Content.digest)
        .where(*conditions, true() if before is None else Content.id < before)
        .order_by(Content.id.desc())
        .limit(UNREAD_PAGE_SIZE)
    )
    with library.read() as connection:
        digests = {row.id: row.digest for row in connection.execute(statement)}
        files: dict[int, list[bytes]] = {content_id: [] for content_id in digests}
        with_paths = (
            select(Picture.content_id, Root.path, Picture.relpath)
            .join(Root, Root.id == Picture.root_id)
            .where(Picture.content_id.in_(list(digests)), Picture.state == PictureState.PRESENT)
            .where(Root.kind == RootKind.FOLDER)
            .order_by(Picture.id)
        )
        for row in connection.execute(with_paths):
            files[row.content_id].append(os.path.join(row.path, row.relpath))  # noqa: PTH118 (bytes)
    return [UnreadText(content_id, digest, tuple(files[content_id])) for content_id, digest in digests.items()]
