"""Groups of near-duplicates in pages, those with the most spare bytes first, and the rest of the files to export."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.filters import Filters
from search.near_duplicates import DuplicateGroup, sort_key, to_group
from search.paging import Cursor, CursorPosition, query_digest
from store.library import Library
from store.near_duplicates.members import GroupMember, list_members
from store.queries import ContentRecord, load_content_records

__all__ = [
    "DuplicatePage",
    "GroupListing",
    "GroupSummary",
    "RestFile",
    "group_duplicates",
    "list_duplicate_page",
    "list_rest",
]


@dataclass(frozen=True)
class DuplicatePage:
    """A page of groups, with the numbers of all pages."""

    groups: tuple[DuplicateGroup, ...]
    next_cursor: str | None
    total: int
    """The number of groups."""
    files: int
    """The number of files in them."""
    spare: int
    """The total size in bytes of all files but the best of each group."""


@dataclass(frozen=True)
class RestFile:
    """A file that is not the best of its group."""

    path: Path
    record: ContentRecord
    best: Path
    group: int
    """The number of the group, from 1."""


@dataclass(frozen=True)
class GroupSummary:
    """A group before its records are loaded."""

    ids: tuple[int, ...]
    """Best first."""
    files: int
    spare: int

    @property
    def position(self) -> CursorPosition:
        """The place of the group among the others."""
        return CursorPosition(float(self.spare), min(self.ids))


@dataclass(frozen=True)
class GroupListing:
    """All groups of several files, those with the most spare bytes first."""

    summaries: tuple[GroupSummary, ...]
    files: int
    spare: int


def group_duplicates(library: Library, filters: Filters | None = None) -> GroupListing:
    """Group the pictures that match the filters. Raises as `search.browse.browse` does."""
    groups: dict[int, list[GroupMember]] = {}
    for member in list_members(library, (filters or Filters()).condition()):
        groups.setdefault(member.anchor, []).append(member)
    summaries = sorted(map(_summary, groups.values()), key=_place)
    spare, files = sum(each.spare for each in summaries), sum(each.files for each in summaries)
    return GroupListing(tuple(summaries), files, spare)


def list_duplicate_page(
    library: Library,
    k: int = 20,
    filters: Filters | None = None,
    cursor: str | None = None,
    listing: GroupListing | None = None,
) -> DuplicatePage:
    """Return up to `k` groups of several files. With filters, a group consists of the pictures that match them.

    `cursor` is the `next_cursor` of the page before: groups that are separated between two pages do not shift the
    others. `listing` is the result of `group_duplicates` for these filters, if it is known. Raises `InvalidQuery` for a
    cursor of another listing, and as `search.browse.browse` does.
    """
    filters = filters or Filters()
    digest = query_digest("duplicates", np.empty(0, np.float32), filters)
    last = None if cursor is None else Cursor.parse(cursor, digest)
    listing = listing or group_duplicates(library, filters)
    start = 0
    if last is not None:
        start = bisect_right(listing.summaries, last.position.key("relevance"), key=_place)
    page, next_cursor = listing.summaries[start : start + k], None
    if len(listing.summaries) > start + k:
        next_cursor = str(Cursor(digest, (last.shown if last else 0) + k, page[-1].position))
    groups = tuple(_load(library, page))
    return DuplicatePage(groups, next_cursor, len(listing.summaries), listing.files, listing.spare)


def list_rest(library: Library, filters: Filters | None = None) -> Iterator[RestFile]:
    """Yield all files but the best of each group, in the order of `list_duplicate_page`. Raises as it does."""
    return _rest(library, group_duplicates(library, filters).summaries)


def _rest(library: Library, summaries: Sequence[GroupSummary], batch_size: int = 500) -> Iterator[RestFile]:
    for start in range(0, len(summaries), batch_size):
        for number, group in enumerate(_load(library, summaries[start : start + batch_size]), start + 1):
            yield from (RestFile(path, record, group.best, number) for path, record in group.files[1:])


def _load(library: Library, summaries: Sequence[GroupSummary]) -> Iterator[DuplicateGroup]:
    records = load_content_records(library, [content_id for summary in summaries for content_id in summary.ids])
    for summary in summaries:
        present = [records[content_id] for content_id in summary.ids if content_id in records]
        group = to_group(present)
        if len(group.files) > 1:  # files may have gone since
            yield group


def _place(summary: GroupSummary) -> tuple[float, ...]:
    return summary.position.key("relevance")


def _summary(members: Sequence[GroupMember]) -> GroupSummary:
    ordered = sorted(members, key=sort_key)
    total = sum(member.files * member.size for member in members)
    files = sum(member.files for member in members)
    return GroupSummary(tuple(member.id for member in ordered), files, total - ordered[0].size)
