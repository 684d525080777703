"""Near-duplicates: collapse them in search results, and list the groups of a library.

In a search, the best hit of each group represents it, so the other hits keep their order and scores. Which picture of
a group is the best to keep is a separate question: `best_first` answers it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from core.files import absolute
from search.results import Hit
from store.catalog.id_sets import Ids
from store.library import Library
from store.near_duplicates.group_queries import (
    count_ungrouped,
    duplicate_anchors,
    list_duplicate_groups,
    near_duplicate_records,
)
from store.near_duplicates.grouper import DuplicateThresholds
from store.near_duplicates.groups import compute_duplicate_groups
from store.near_duplicates.members import GroupMember
from store.queries import ContentRecord
from store.spaces.registry import active_space

__all__ = [
    "DuplicateGroup",
    "best_first",
    "collapse",
    "count_ungrouped",
    "find_duplicates",
    "first_of_each_group",
    "sort_key",
    "to_group",
    "why_best",
    "with_near_duplicates",
]

LOSSLESS_FORMATS = frozenset({"PNG", "TIFF", "BMP", "DIB", "PPM", "TGA"})
"""Formats that are always lossless. WebP, JPEG 2000 and AVIF can be either."""

REASONS = ("most pixels", "largest file", "lossless", "taken first", "known first")
SAME_FILE_REASON = "an exact copy is as good"


@dataclass(frozen=True)
class DuplicateGroup:
    """A group of near-duplicates and exact copies, best first."""

    files: tuple[tuple[Path, ContentRecord], ...]
    """Each file with the record of its content."""
    why: str
    """The reason why the first file is better than the next one that is not a copy of it."""

    @property
    def best(self) -> Path:
        """The file to keep, if only one is kept."""
        return self.files[0][0]

    @property
    def others(self) -> list[Path]:
        """All files but the best."""
        return [path for path, _ in self.files[1:]]

    @property
    def spare(self) -> int:
        """The total size in bytes of all files but the best."""
        return sum(record.size for _, record in self.files[1:])


def collapse(library: Library, ids: Sequence[int]) -> list[int]:
    """Return the positions in the ranking `ids` that remain when the library's groups are collapsed."""
    return first_of_each_group(ids, duplicate_anchors(library, ids))


def first_of_each_group(ids: Sequence[int], groups: Mapping[int, int]) -> list[int]:
    """Return the positions in `ids` of the first member of each group, and of all contents without a group."""
    seen = set[int]()
    positions = []
    for position, content_id in enumerate(ids):
        group = groups.get(content_id)
        if group is None or group not in seen:
            positions.append(position)
        if group is not None:
            seen.add(group)
    return positions


def with_near_duplicates(library: Library, hits: Sequence[Hit], candidates: Ids | None = None) -> list[Hit]:
    """Add to each hit its near-duplicates, only those among the content IDs `candidates` if given."""
    others = near_duplicate_records(library, [hit.id for hit in hits], candidates)
    return [replace(hit, stack=best_first(others.get(hit.id, ()))) for hit in hits]


def find_duplicates(
    library: Library, within: Sequence[Path] = (), threshold: int | None = None
) -> list[DuplicateGroup]:
    """Return the groups of several files, those with the most spare bytes first.

    With `within`, only files in these folders count. Without a `threshold`, groups are those found by index runs. With
    one, all pictures are compared again with this many of 256 hash bits allowed to differ, and nothing is written.
    Raises `PathNotIndexed` for a folder that the library does not cover.
    """
    folders = [absolute(folder) for folder in within]
    anchors = None if threshold is None else _anchors_within(library, threshold)
    groups = [to_group(records, folders) for records in list_duplicate_groups(library, folders, anchors)]
    return sorted((group for group in groups if len(group.files) > 1), key=lambda group: (-group.spare, group.best))


def best_first(records: Iterable[ContentRecord]) -> tuple[ContentRecord, ...]:
    """Sort the pictures of a group: most pixels, largest file, lossless format, taken first, known first."""
    return tuple(sorted(records, key=sort_key))


def why_best(records: Sequence[ContentRecord]) -> str:
    """Return the reason why the first of `best_first` is better than the second."""
    best, second = sort_key(records[0]), sort_key(records[1])
    return next(reason for reason, one, other in zip(REASONS, best, second, strict=True) if one != other)


def sort_key(record: ContentRecord | GroupMember) -> tuple[int, int, bool, datetime, int]:
    """Return a key that sorts better pictures first; its items correspond to `REASONS`."""
    taken = record.taken_at or datetime.max  # noqa: DTZ901 (cameras know no time zone)
    return -record.width * record.height, -record.size, record.format not in LOSSLESS_FORMATS, taken, record.id


def _anchors_within(library: Library, threshold: int) -> dict[int, int]:
    """Group all pictures with this threshold in bits; return the anchor of each content."""
    active, defaults = active_space(library), DuplicateThresholds()
    if active is None:
        return {}
    thresholds = replace(defaults, certain_bits=min(defaults.certain_bits, threshold), max_bits=threshold)
    return compute_duplicate_groups(library, active, thresholds)


def to_group(records: Sequence[ContentRecord], folders: Sequence[Path] = ()) -> DuplicateGroup:
    """Return the group of these contents, with only the files in `folders` if there are any."""
    files = [
        (path, record)
        for record in best_first(records)
        for path in record.paths
        if not folders or any(path.is_relative_to(folder) for folder in folders)
    ]
    best = files[0][1] if files else None
    other = next((record for _, record in files if record != best), None)
    why = SAME_FILE_REASON if best is None or other is None else why_best([best, other])
    return DuplicateGroup(tuple(files), why)
