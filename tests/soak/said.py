"""What people said about pictures, as a test knows it and as a catalogue has it, read without Sightline's code."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

__all__ = ["Fact", "Said", "read_said"]

Fact: TypeAlias = tuple[object, ...]


@dataclass
class Said:
    """Pictures are named by numbers, which stay with a file that is edited."""

    tags: set[tuple[int, str]] = field(default_factory=set)
    ratings: dict[int, int] = field(default_factory=dict)
    albums: dict[str, list[int]] = field(default_factory=dict)
    covers: dict[str, int] = field(default_factory=dict)
    searches: dict[str, str] = field(default_factory=dict)
    """Queries of saved searches by name."""
    distinct: set[frozenset[int]] = field(default_factory=set)

    def copy(self) -> "Said":
        return deepcopy(self)

    def facts(self) -> set[Fact]:
        """Return what is said, one fact each; the order of albums is left out."""
        facts: set[Fact] = {("tag", *each) for each in self.tags}
        facts |= {("rating", *each) for each in self.ratings.items()}
        facts |= {("album", name) for name in self.albums}
        facts |= {("in", name, number) for name, numbers in self.albums.items() for number in numbers}
        facts |= {("cover", *each) for each in self.covers.items()}
        facts |= {("search", *each) for each in self.searches.items()}
        return facts | {("distinct", *sorted(pair)) for pair in self.distinct}

    def orders(self) -> dict[str, tuple[int, ...]]:
        """Return the pictures of each album in their order."""
        return {name: tuple(members) for name, members in self.albums.items()}

    def without(self, numbers: Iterable[int]) -> "Said":
        """Return what is said about other pictures: what is left after pictures are forgotten."""
        gone, left = set(numbers), self.copy()
        left.tags = {(number, name) for number, name in left.tags if number not in gone}
        left.ratings = {number: rating for number, rating in left.ratings.items() if number not in gone}
        left.albums = {name: [n for n in members if n not in gone] for name, members in left.albums.items()}
        left.covers = {name: number for name, number in left.covers.items() if number not in gone}
        left.distinct = {pair for pair in left.distinct if not pair & gone}
        return left

    def joined(self, other: "Said") -> "Said":
        """Return what is said here, and what only `other` says, as restoring does. The order is no fact."""
        both = self.copy()
        both.tags |= other.tags
        both.ratings = other.ratings | self.ratings
        for name, members in other.albums.items():
            here = both.albums.setdefault(name, [])
            here += [number for number in members if number not in here]
        both.covers = {name: number for name, number in (other.covers | self.covers).items() if name in both.albums}
        both.searches = other.searches | self.searches
        both.distinct |= other.distinct
        return both


def read_said(library: Path, numbers: Mapping[bytes, int]) -> Said:
    """Return what the catalogue says; `numbers` has the number of the picture of each SHA-256.

    Documents, which have no file, have the number -1. A catalogue of an older version has no ratings and no albums by
    hand.
    """
    said = Said()
    with closing(sqlite3.connect(library / "catalog.sqlite", timeout=60)) as catalog:
        number_of = {id_: numbers.get(digest, -1) for id_, digest in catalog.execute("SELECT id, digest FROM contents")}
        columns = {name for _, name, *_ in catalog.execute("PRAGMA table_info(albums)")}
        rows = catalog.execute(
            "SELECT content_id, name FROM content_tags JOIN tags ON tags.id = tag_id WHERE source = 'user'"
        )
        said.tags = {(number_of[content], name) for content, name in rows}
        if "by_hand" not in columns:
            said.searches = dict(catalog.execute("SELECT name, query FROM albums"))
            return said
        ratings = catalog.execute("SELECT id, user_rating FROM contents WHERE user_rating IS NOT NULL")
        said.ratings = {number_of[content]: rating for content, rating in ratings}
        said.searches = dict(catalog.execute("SELECT name, query FROM albums WHERE NOT by_hand"))
        for album, name, cover in catalog.execute("SELECT id, name, cover_id FROM albums WHERE by_hand").fetchall():
            members = catalog.execute(
                "SELECT content_id FROM album_contents WHERE album_id = ? ORDER BY position, content_id", (album,)
            )
            said.albums[name] = list(dict.fromkeys(number_of[content] for (content,) in members))
            if cover is not None:
                said.covers[name] = number_of[cover]
        pairs = catalog.execute("SELECT first_id, second_id FROM distinct_pairs")
        said.distinct = {frozenset((number_of[one], number_of[other])) for one, other in pairs}
    return said
