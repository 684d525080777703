"""Metadata of sidecar files that concerns the content of a picture: how it is stored, and merged with that of the file.

Title, description, rating and keywords of an XMP sidecar belong to the one picture next to it. All other values, such
as a corrected date, replace those of the file, and are found with every copy of it. What Google Takeout recorded only
fills gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, time
from typing import Any

from core.metadata import Area, DateSource, Person, PhotoMetadata, merge_metadata

__all__ = ["SidecarFacts", "merge_facts", "pack_facts", "unpack_facts"]

_REPLACING_DATES = (DateSource.ORIGINAL, DateSource.DIGITIZED)
"""The time of the last change is that of the sidecar."""


@dataclass(frozen=True)
class SidecarFacts:
    """Metadata for the content of a picture: `replacing` outranks that of the file, `filling` does not."""

    replacing: PhotoMetadata = field(default_factory=PhotoMetadata)
    filling: PhotoMetadata = field(default_factory=PhotoMetadata)

    @classmethod
    def of(cls, xmp: PhotoMetadata, takeout: PhotoMetadata) -> "SidecarFacts":
        """Return the part of the metadata of sidecar files that concerns the content."""
        replacing = replace(xmp, title=None, description=None, rating=None, keywords=())
        if xmp.date_source not in _REPLACING_DATES:
            replacing = _undated(replacing)
        return cls(replacing, takeout)


def merge_facts(file: PhotoMetadata, sidecars: Sequence[SidecarFacts], name: PhotoMetadata) -> PhotoMetadata:
    """Merge the metadata of a file, of the sidecars of all its copies, the first copy first, and of its name."""
    known = merge_metadata(file, *(each.filling for each in sidecars), name)
    replacing = merge_metadata(*(each.replacing for each in sidecars))
    if replacing.taken_at is not None and not _is_refined(replacing.taken_at, known.taken_at):
        known = _undated(known)
    return merge_metadata(replacing, known)


def pack_facts(facts: SidecarFacts) -> dict[str, Any] | None:
    """Return the facts as JSON, or None if there are none."""
    packed = {each.name: _packed(getattr(facts, each.name)) for each in fields(facts)}
    return {name: values for name, values in packed.items() if values} or None


def unpack_facts(packed: Mapping[str, Any]) -> SidecarFacts:
    """Return the facts that `pack_facts` packed."""
    return SidecarFacts(**{name: _unpacked(values) for name, values in packed.items()})


def _undated(metadata: PhotoMetadata) -> PhotoMetadata:
    return replace(metadata, taken_at=None, utc_offset=None, date_source=None)


def _is_refined(date: datetime, known: datetime | None) -> bool:
    """Return whether `known` adds the time of day to a mere date."""
    return date.time() == time.min and known is not None and known.date() == date.date()


def _packed(metadata: PhotoMetadata) -> dict[str, Any]:
    values = {each.name: getattr(metadata, each.name) for each in fields(metadata)}
    values["taken_at"] = metadata.taken_at and metadata.taken_at.isoformat()
    values["keywords"] = list(metadata.keywords)
    values["people"] = [_packed_person(person) for person in metadata.people]
    return {name: value for name, value in values.items() if value is not None and value != []}


def _packed_person(person: Person) -> list[Any]:
    area = person.area
    return [person.name] if area is None else [person.name, area.left, area.top, area.width, area.height]


def _unpacked(values: Mapping[str, Any]) -> PhotoMetadata:
    known = dict(values)
    if "taken_at" in known:
        known["taken_at"] = datetime.fromisoformat(known["taken_at"])
        known["date_source"] = DateSource(known["date_source"])
    known["keywords"] = tuple(known.get("keywords", ()))
    known["people"] = tuple(Person(name, Area(*area) if area else None) for name, *area in known.get("people", ()))
    return PhotoMetadata(**known)
