"""What of a library is there more than once: groups of files that hold the same picture, or nearly."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import NothingKnown
from search.near_duplicates import best_first, why_best
from store.library import Library
from store.near_duplicates.grouping import Nearness
from store.near_duplicates.groups import count_unseen, group_all, several
from store.queries import ContentRecord, describe
from store.roots import places_at
from store.spaces.registry import active_space

__all__ = ["Group", "alike", "count_unseen"]

SAME_FILE = "an exact copy is as good"


@dataclass(frozen=True)
class Group:
    """Files of near-duplicates and exact copies, best first; a file of each, with what it holds."""

    files: tuple[tuple[Path, ContentRecord], ...]
    why: str
    """What makes the first better than the second."""

    @property
    def best(self) -> Path:
        """The file to keep, if only one."""
        return self.files[0][0]

    @property
    def others(self) -> list[Path]:
        """All but the best."""
        return [path for path, _ in self.files[1:]]

    @property
    def spare(self) -> int:
        """Bytes of all but the best."""
        return sum(record.size for _, record in self.files[1:])


def alike(library: Library, within: Sequence[Path] = (), threshold: int | None = None) -> list[Group]:
    """Every group of several files, those that take most room first; of files in one of the folders `within` only.

    Without a `threshold` (of 256 bits that may differ) the groups are those that index runs found; with one, every
    picture is compared again, and nothing is changed. Raises `NothingKnown` for a folder that the library does not
    cover.
    """
    folders = [Path(os.path.abspath(folder)) for folder in within]  # noqa: PTH100 (links stay as they were named)
    anchors = _regrouped(library, threshold) if threshold is not None else {}
    with library.read() as connection:
        for folder in folders:
            if not places_at(connection, folder):
                raise NothingKnown(folder)
        groups: dict[int, list[int]] = {}
        for content, anchor in several(connection, anchors if threshold is not None else None).items():
            groups.setdefault(anchor, []).append(content)
        records = describe(connection, [content for members in groups.values() for content in members])
    found = [_group([records[one] for one in members if one in records], folders) for members in groups.values()]
    return sorted((group for group in found if len(group.files) > 1), key=lambda group: (-group.spare, group.best))


def _regrouped(library: Library, threshold: int) -> dict[int, int]:
    active, nearness = active_space(library), Nearness()
    if active is None:
        return {}
    wanted = replace(nearness, surely=min(nearness.surely, threshold), bits=threshold)
    return group_all(library, active, wanted)


def _group(records: Sequence[ContentRecord], folders: Sequence[Path]) -> Group:
    files = [
        (path, record)
        for record in best_first(records)
        for path in record.paths
        if not folders or any(path.is_relative_to(folder) for folder in folders)
    ]
    several_contents = len(files) > 1 and files[0][1] != files[1][1]
    return Group(tuple(files), why_best([files[0][1], files[1][1]]) if several_contents else SAME_FILE)
