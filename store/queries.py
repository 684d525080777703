"""Records of contents and files to show, and the counts that a status report needs."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, true

from core.metadata import DateSource, Person
from core.object_paths import as_path
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids, among, batch_slices
from store.catalog.tables import (
    Content,
    ContentPlace,
    Picture,
    PictureState,
    PlaceRow,
    Root,
    RootKind,
)
from store.filters.conditions import Condition
from store.filters.people_and_places import has_own_place
from store.filters.selection import count_matching, matching_and_number, matching_contents
from store.ingest.scanned_files import unpack_names
from store.kept_counts.keeping import count_everything
from store.library import Library
from store.people import people_of
from store.roots import is_finished_collection
from store.spaces.embeddings import searchable_ids
from store.spaces.registry import StoredSpace

__all__ = [
    "ContentRecord",
    "RecordPage",
    "StoredFile",
    "content_records_in",
    "count_by_state",
    "count_contents",
    "count_documents",
    "list_files",
    "load_content_record",
    "load_content_records",
    "load_dates_taken",
    "newest_contents",
    "searchable_records",
]

MAX_PAGE_SIZE = 2**31
"""Records of one page; within what every database counts to."""

_FACTS = (
    Content.id, Content.width, Content.height, Content.format, Content.size, Content.taken_at, Content.camera,
    Content.lens, Content.latitude, Content.longitude, Content.utc_offset, Content.date_source, Content.sublocation,
    Content.duration, Content.color,
)  # fmt: skip
"""What a record shows of a content, apart from its place."""


@dataclass(frozen=True)
class ContentRecord:
    """A content that can be shown, with the paths of its present files, first indexed first."""

    id: int
    paths: tuple[Path, ...]
    width: int
    height: int
    format: str
    size: int
    taken_at: datetime | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    utc_offset: int | None = None
    """Minutes that `taken_at` is ahead of UTC, where the source says it."""
    date_source: DateSource | None = None
    """What `taken_at` is."""
    sublocation: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    """Names of the place: all of the file, or else all of a gazetteer."""
    people: tuple[Person, ...] = ()
    companions: tuple[Path, ...] = ()
    """Other files of the same shot, such as a RAW file."""
    duration: float | None = None
    """Seconds, of a video."""
    color: int | None = None
    """The average colour as 0xRRGGBB; None if it was indexed before that was stored."""
    document: str | None = None
    """The ID of a document that came with an imported space. It has no file, and `paths` contains this ID."""


@dataclass(frozen=True)
class RecordPage:
    """A page of contents, and how many there are on all pages."""

    records: tuple[ContentRecord, ...]
    has_more: bool
    total: int


@dataclass(frozen=True)
class StoredFile:
    """A file that is present, as the last scan saw it."""

    root: Path
    path: Path
    digest: bytes
    """SHA-256 of its bytes."""
    format: str
    size: int
    mtime_ns: int
    companions: tuple[Path, ...] = ()
    """Other files of the same shot, such as a RAW file."""


def load_content_records(library: Library, ids: Sequence[int]) -> dict[int, ContentRecord]:
    """Return the records of contents `ids` by ID. Contents without a present file are left out."""
    with library.read() as connection:
        return content_records_in(connection, ids)


def load_content_record(library: Library, content_id: int) -> ContentRecord | None:
    """Return the record of one content, or None if it has no present file."""
    return load_content_records(library, [content_id]).get(content_id)


def content_records_in(connection: Connection, ids: Sequence[int]) -> dict[int, ContentRecord]:
    """As `load_content_records`, within a transaction. The records are in the order of their IDs."""
    records: dict[int, ContentRecord] = {}
    for batch in batch_slices(len(ids)):
        files: dict[int, list[Row[Any]]] = {}
        # Sorted here: asked to do it, SQLite walks through every present picture in the order of their IDs.
        for row in sorted(connection.execute(_present_files(ids[batch])), key=attrgetter("picture_id")):
            files.setdefault(row.id, []).append(row)
        people = people_of(connection, list(files))
        records |= {content_id: _record(files[content_id], people.get(content_id, ())) for content_id in sorted(files)}
    return records


def _present_files(ids: Sequence[int]) -> Select[Any]:
    """A statement for the present files of contents, with the facts of the content and the names of its place.

    It is one statement because each is a request if the database is on a server.
    """
    looked_up = (PlaceRow.city, PlaceRow.region, PlaceRow.country)
    own = (Content.city, Content.region, Content.country)
    shown = (
        case((has_own_place(), named), else_=found).label(f"shown_{named.key}")
        for named, found in zip(own, looked_up, strict=True)
    )
    file = (Picture.id.label("picture_id"), Root.path, Picture.relpath, Root.kind, Picture.companions)
    columns: tuple[Any, ...] = (*file, *_FACTS, *shown)
    return (
        select(*columns)
        .select_from(Picture)
        .join(Root, Root.id == Picture.root_id)
        .join(Content, Content.id == Picture.content_id)
        .outerjoin(ContentPlace, ContentPlace.content_id == Content.id)
        .outerjoin(PlaceRow, PlaceRow.id == ContentPlace.place_id)
        .where(among(Picture.content_id, list(ids)), Picture.state == PictureState.PRESENT)
    )


def _record(files: Sequence[Row[Any]], people: tuple[Person, ...]) -> ContentRecord:
    """Return the record of a content from the rows of its files."""
    row, document = files[0], None
    paths, companions = list[Path](), list[Path]()
    for file in files:
        if file.kind == RootKind.COLLECTION:
            document = os.fsdecode(file.relpath)
            paths = [Path(document)]
            continue
        paths.append(_file_path(file.path, file.relpath))
        companions.extend(_companion_paths(paths[-1], file.companions))
    return ContentRecord(
        id=row.id,
        paths=tuple(paths),
        width=row.width,
        height=row.height,
        format=row.format,
        size=row.size,
        taken_at=row.taken_at,
        camera=row.camera,
        lens=row.lens,
        latitude=row.latitude,
        longitude=row.longitude,
        utc_offset=row.utc_offset,
        date_source=row.date_source and DateSource(row.date_source),
        sublocation=row.sublocation,
        city=row.shown_city,
        region=row.shown_region,
        country=row.shown_country,
        people=people,
        companions=tuple(companions),
        duration=row.duration,
        color=row.color,
        document=document,
    )


def searchable_records(library: Library, spaces: Sequence[StoredSpace]) -> list[ContentRecord]:
    """Return the contents that a search can find in every one of `spaces`."""
    with library.read() as connection:
        ids: Ids = reduce(np.intersect1d, [content_of(searchable_ids(connection, stored)) for stored in spaces])
        return list(content_records_in(connection, ids.tolist()).values())


def newest_contents(
    library: Library, condition: Condition | None, limit: int, after: tuple[int, datetime | None] | None = None
) -> RecordPage:
    """Return up to `limit` contents that `condition` keeps, newest first and undated ones last.

    `after` is the ID and the date of the last content on the previous page. Raises `InvalidQuery` and `PathNotIndexed`.
    """
    with library.read() as connection:
        total: int | None = None
        if condition is None:
            is_kept = matching_contents(connection, None)
        else:
            is_kept, total = matching_and_number(connection, condition)
        statement = (
            select(Content.id)
            .where(is_kept, true() if after is None else _is_after(*after))
            .order_by(Content.taken_at.desc().nulls_last(), Content.id.desc())
            .limit(min(limit, MAX_PAGE_SIZE) + 1)
        )
        ids = list(connection.execute(statement).scalars())
        records = content_records_in(connection, ids[:limit])
    if total is None:
        total = count_everything(library).contents
    return RecordPage(tuple(records[content_id] for content_id in ids[:limit]), len(ids) > limit, total)


def count_contents(library: Library, condition: Condition | None = None) -> int:
    """Return how many contents `condition` keeps. Raises `InvalidQuery` and `PathNotIndexed`."""
    if condition is None:
        return count_everything(library).contents
    with library.read() as connection:
        return count_matching(connection, condition)


def list_files(library: Library, content_id: int) -> list[StoredFile]:
    """Return the present files of a content, first indexed first; none for a document or an unknown ID."""
    statement = (
        select(
            Root.path,
            Picture.relpath,
            Content.digest,
            Content.format,
            Picture.size,
            Picture.mtime_ns,
            Picture.companions,
        )
        .join(Picture, Picture.root_id == Root.id)
        .join(Content, Content.id == Picture.content_id)
        .where(Content.id == content_id, Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
        .order_by(Picture.id)
    )
    with library.read() as connection:
        rows = connection.execute(statement).all()
    return [
        StoredFile(
            root=as_path(row.path),
            path=_file_path(row.path, row.relpath),
            digest=row.digest,
            format=row.format,
            size=row.size,
            mtime_ns=row.mtime_ns,
            companions=tuple(_companion_paths(_file_path(row.path, row.relpath), row.companions)),
        )
        for row in rows
    ]


def load_dates_taken(library: Library, ids: Ids) -> dict[int, datetime]:
    """Return when contents `ids` were taken, by the camera's clock. Undated contents are left out."""
    dates: dict[int, datetime] = {}
    with library.read() as connection:
        for batch in batch_slices(len(ids)):
            statement = select(Content.id, Content.taken_at).where(
                among(Content.id, ids[batch].tolist()), Content.taken_at.is_not(None)
            )
            dates |= {row.id: row.taken_at for row in connection.execute(statement)}
    return dates


def count_by_state(library: Library) -> dict[PictureState, int]:
    """Return how many pictures are in each state. Companions of pictures and imported documents are not counted."""
    of_all = select(Picture.state, func.count()).group_by(Picture.state)  # in the index of states alone
    with library.read() as connection:
        by_state = _by_state(connection, of_all)
        collections = connection.execute(select(Root.id).where(Root.kind == RootKind.COLLECTION)).scalars().all()
        if collections:
            by_state -= _by_state(connection, of_all.where(Picture.root_id.in_(collections)))
    return {state: by_state[state] for state in PictureState if state is not PictureState.PAIRED}


def _by_state(connection: Connection, statement: Select[str, int]) -> Counter[PictureState]:
    return Counter({PictureState(state): number for state, number in connection.execute(statement)})


def count_documents(library: Library) -> int:
    """Return how many documents came with imported spaces; the library has only their vectors."""
    collections = select(Root.id).where(is_finished_collection())
    with library.read() as connection:
        return connection.scalar(select(func.count(Picture.id)).where(Picture.root_id.in_(collections))) or 0


def _companion_paths(path: Path, packed: bytes | None) -> list[Path]:
    """Return the paths of the companions of the picture at `path`."""
    return [path.parent / os.fsdecode(name) for name in unpack_names(packed)]


def _file_path(root: bytes, relpath: bytes) -> Path:
    return as_path(root) / os.fsdecode(relpath)


def _is_after(content_id: int, taken_at: datetime | None) -> ColumnElement[bool]:
    """Contents that come after this one, newest first."""
    is_undated = Content.taken_at.is_(None)
    if taken_at is None:
        return and_(is_undated, Content.id < content_id)
    return or_(is_undated, Content.taken_at < taken_at, and_(Content.taken_at == taken_at, Content.id < content_id))
