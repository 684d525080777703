"""Counts of the contents of one block by what facets and folders show, and their form in the catalogue."""

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["FACTS", "KIND", "BlockCounts", "FolderCount"]

KIND = "facets-1"
"""Raise the number when what is counted changes."""

FACTS = ("month", "camera", "lens", "format", "orientation", "country", "city")
"""What is counted of the columns of a content."""


class FolderCount(NamedTuple):
    """The present files directly in a folder."""

    files: int
    cover: int
    """The content of them that was added last."""


@dataclass
class BlockCounts:
    """Counts of contents with a present file; of one block, or of several after `add`.

    A folder is the ID of a root and a path relative to it, which is empty for all documents of a collection.
    """

    contents: int = 0
    absent: int = 0
    """Contents without a present file, which are in no other count."""
    facts: dict[str, Counter[str | None]] = field(default_factory=lambda: {name: Counter() for name in FACTS})
    places: Counter[int] = field(default_factory=Counter)
    """By the place that a gazetteer knows, of contents whose file names none."""
    people: Counter[str] = field(default_factory=Counter)
    """By the comparable form of the name."""
    people_names: dict[str, str] = field(default_factory=dict)
    """The form of each name that sorts first."""
    tags: Counter[int] = field(default_factory=Counter)
    folders: dict[tuple[int, bytes], FolderCount] = field(default_factory=dict)

    def add(self, other: "BlockCounts") -> None:
        """Add the counts of another block."""
        self.contents += other.contents
        self.absent += other.absent
        for name, counts in other.facts.items():
            _add(self.facts[name], counts)
        _add(self.places, other.places)
        _add(self.people, other.people)
        _add(self.tags, other.tags)
        for key, name in other.people_names.items():
            self.people_names[key] = min(name, self.people_names.get(key, name))
        for folder, (files, cover) in other.folders.items():
            known = self.folders.get(folder)
            self.folders[folder] = (
                FolderCount(files + known.files, max(cover, known.cover)) if known else FolderCount(files, cover)
            )

    def to_bytes(self) -> bytes:
        """Return the counts in the form that is stored."""
        values = {
            "contents": self.contents,
            "absent": self.absent,
            "facts": {name: list(counts.items()) for name, counts in self.facts.items()},
            "places": list(self.places.items()),
            "people": [(key, self.people_names[key], number) for key, number in self.people.items()],
            "tags": list(self.tags.items()),
            "folders": [(root, path.decode("latin-1"), *count) for (root, path), count in self.folders.items()],
        }
        return zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "BlockCounts":
        """Return what `to_bytes` has stored."""
        values = json.loads(zlib.decompress(stored))
        return cls(
            contents=values["contents"],
            absent=values["absent"],
            facts={name: Counter(dict(counts)) for name, counts in values["facts"].items()},
            places=Counter(dict(values["places"])),
            people=Counter({key: number for key, _, number in values["people"]}),
            people_names={key: name for key, name, _ in values["people"]},
            tags=Counter(dict(values["tags"])),
            folders={
                (root, path.encode("latin-1")): FolderCount(files, cover)
                for root, path, files, cover in values["folders"]
            },
        )


def _add(counts: Counter[Any], others: Counter[Any]) -> None:
    for value, number in others.items():  # `update` of a Counter is slower
        counts[value] += number
