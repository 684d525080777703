"""Near-duplicates folded: of every group one picture stands for all, and no other moves.

The one that stands for its group is the one that answers the question best, so that what is shown is a part of the
whole ranking in the same order, with scores of its own. Which of the group is the best picture is another matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from search.hits import Hit
from store.library import Library
from store.near_duplicates.groups import anchors_of, others_of
from store.queries import ContentRecord, describe
from store.spaces.vector_index import Ids

__all__ = ["best_first", "fold", "unfolded", "why_best", "with_stacks"]

LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "DIB", "PPM", "TGA"})
"""Formats that keep every pixel; those that may or may not (WebP, JPEG 2000, AVIF) are not among them."""

REASONS = ("most pixels", "largest file", "lossless", "taken first", "known first")


def fold(ranked: Sequence[int], groups: Mapping[int, int]) -> list[int]:
    """The places in `ranked` of what is shown: the first of every group, and whatever is in none."""
    seen = set[int]()
    shown = []
    for place, content in enumerate(ranked):
        group = groups.get(content)
        if group is None or group not in seen:
            shown.append(place)
        if group is not None:
            seen.add(group)
    return shown


def unfolded(library: Library, ranked: Sequence[int]) -> list[int]:
    """As `fold`, by the groups of a library."""
    with library.read() as connection:
        return fold(ranked, anchors_of(connection, ranked))


def with_stacks(library: Library, hits: Sequence[Hit], among: Ids | None = None) -> list[Hit]:
    """`hits`, each with the near-duplicates that it stands for: of the contents `among`, if they are given."""
    with library.read() as connection:
        others = others_of(connection, [hit.id for hit in hits])
        alike = sorted({one for some in others.values() for one in some})
        shown = alike if among is None else np.intersect1d(among, np.array(alike, np.int64)).tolist()
        records = describe(connection, shown)
    return [
        replace(hit, stack=best_first(records[one] for one in others.get(hit.id, ()) if one in records)) for hit in hits
    ]


def best_first(records: Iterable[ContentRecord]) -> tuple[ContentRecord, ...]:
    """Pictures of one group, the best first: most pixels, largest file, a lossless format, taken first, known first."""
    return tuple(sorted(records, key=_merits))


def why_best(records: Sequence[ContentRecord]) -> str:
    """What makes the first of `best_first` better than the second."""
    one, other = _merits(records[0]), _merits(records[1])
    return next(reason for reason, mine, its in zip(REASONS, one, other, strict=True) if mine != its)


def _merits(record: ContentRecord) -> tuple[int, int, bool, datetime, int]:
    """Smaller is better."""
    taken = record.taken_at or datetime.max  # noqa: DTZ901 (cameras know no time zone)
    return -record.width * record.height, -record.size, record.format not in LOSSLESS, taken, record.id
