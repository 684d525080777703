"""Say in sentences what a recovery saved, and what is gone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from store.recovery.recover import Recovery

__all__ = ["describe"]

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "roots": "folders",
        "pictures": "pictures",
        "contents": "contents of pictures",
        "embeddings": "vectors",
        "frame_embeddings": "vectors of further frames",
        "tags": "names of tags",
        "content_tags": "tags on pictures",
        "picture_tags": "tags from sidecar files",
        "albums": "albums",
        "album_contents": "pictures in albums",
        "distinct_pairs": "pairs that are no near-duplicates",
        "text_frames": "texts in pictures",
    }
)
"""The tables that people know by a name."""


def describe(recovery: Recovery) -> list[str]:
    """Return what was done, one sentence an item, without a full stop."""
    return list(_sentences(recovery))


def _sentences(recovery: Recovery) -> Iterator[str]:
    rows = recovery.rows
    yield f"the catalogue was damaged ({recovery.damage}); its files are kept in {recovery.damaged_files}"
    if recovery.unreadable_pages:
        yield f"the disk did not return {recovery.unreadable_pages:,} pages of the catalogue"
    if recovery.ignored_log:
        yield "the write-ahead log did not match the catalogue, which is intact without it; changes in it are gone"
    saved = [f"{rows.saved[name]:,} {title}" for name, title in NAMES.items() if rows.saved[name]]
    yield f"saved in a new catalogue: {', '.join(saved) or 'nothing'}"
    if recovery.vectors:
        yield f"restored {recovery.vectors:,} vectors from index files"
    if +rows.from_indexes:
        yield f"restored in part: {_list(rows.from_indexes)}; the next index run reads again what files have"
    gone = rows.gone + rows.removed
    if gone:
        yield f"gone: {'at least ' if rows.is_uncertain else ''}{_list(gone)}"
    elif recovery.lost_pages:
        certainty = "it is not known whether any are missing" if rows.is_uncertain else "none are missing"
        yield f"pages or records were damaged of: {_titles(recovery.lost_pages)}; {certainty}"
    if recovery.maybe_deleted:
        yield "the list of free pages was damaged, so that records which had been deleted may be back"


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {_title(table)}" for table, number in (+counts).most_common())


def _titles(counts: Counter[str]) -> str:
    return ", ".join(_title(table) for table in counts)


def _title(table: str) -> str:
    return NAMES.get(table, f"records in {table}")
