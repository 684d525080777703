"""Any sequence of changes, crashes, snapshots and restores keeps user data.

A crash is an exception at the n-th transaction of a change, before it begins or before it is committed: the same
transactions are in the catalogue as after a killed process. User data is compared with a model of it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from encoders.fake import FakeEncoder
from indexer import index
from indexer.filling import fill
from store import Library
from store.albums.by_hand import add_to_album, create_album, move_in_album, remove_from_album
from store.albums.records import AlbumRecord, drop_album, rename_album, set_cover
from store.albums.saved import save_album
from store.backup.restoring import restore
from store.backup.snapshot_file import open_snapshot
from store.backup.taking import save_snapshot
from store.check import repair, verify
from store.forget import forget
from store.moved_roots import move_roots
from store.near_duplicates.verdicts import pairs_among, tell_apart, withdraw_verdicts
from store.ratings import rate
from store.tags import Tagging, add_tags, remove_tags
from tests.soak.photos import Photos
from tests.soak.said import Said, read_said
from tests.support.examples import EXAMPLES_FACTOR

pytestmark = pytest.mark.sqlite("recovers the pages of its file")

STEPS = 45
SHARE_OF_CRASHES = 0.6
CHECK_EVERY = 5
"""Steps between two calls of `verify`."""

Change = Callable[[], object]


class Crash(BaseException):
    """The process is gone."""


class Other(FakeEncoder):
    """Another model of the same kind."""

    def __init__(self) -> None:
        super().__init__()
        self.space = type(self.space)("other", "none", 13, self.space.preprocessing)


class Life:
    """A library, its photos, their user data, and snapshots with what they say."""

    def __init__(self, place: Path, chance: Random) -> None:
        self.place, self.chance = place, chance
        self.path = place / "library"
        self.photos = Photos(place / "photos", chance)
        self.said = Said()
        self.snapshots: list[tuple[Path, Said, dict[int, set[bytes]]]] = []
        """Files, what they say, and the contents that each picture had."""
        self.encoder: FakeEncoder = FakeEncoder()
        self.stale = set[int]()
        """Pictures whose file was changed since the last complete index run."""
        self.photos.add("a", 8)
        with Library.open(self.path, create=True) as library:
            self.library = library
            self._index()

    def step(self, number: int) -> None:
        names = ("tag", "untag", "rate", "album", "distinct", "index", "model", "snapshot", "restore", "forget", "move")
        name = self.chance.choice(names)
        with Library.open(self.path) as self.library:
            getattr(self, f"do_{name}")()
        if number % CHECK_EVERY == 0:
            with Library.open(self.path) as library:
                # A model change does not wait for files that have changed since the last index run.
                allowed = {"unembedded"} if self.stale else set[str]()
                assert {fault.kind for fault in verify(library)} <= allowed

    def change(self, after: Said, change: Change, *, least: Said | None = None) -> None:
        """Make a change, which may crash, and check user data before and after it.

        With `least`, not all of `after` need be there, and a crash leaves a part of the change.
        """
        before = self.said
        with crashing(self.library, self.chance) as crash:
            change()
        self.library.close()
        self.said = read_said(self.path, self.photos.numbers)
        facts, old, new = self.said.facts(), before.facts(), after.facts()
        if not crash.happened:
            assert (new if least is None else least.facts()) <= facts <= new
        elif least is None:
            assert facts in (old, new)
        else:
            assert old & new <= facts <= old | new

    def ids(self, numbers: list[int]) -> list[int]:
        """Return the content IDs of pictures, in the order of their numbers."""
        with self.library.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT digest, content_id FROM pictures JOIN contents ON contents.id = content_id "
                "WHERE state = 'present'"
            ).all()
        by_number = {self.photos.numbers[digest]: content_id for digest, content_id in rows}
        return [by_number[number] for number in numbers]

    def some(self, count: int) -> list[int]:
        """Return numbers of pictures that are in the library as they are on the disk."""
        return self.chance.sample(sorted(set(self.photos.files) - self.stale), count)

    # What people say.

    def do_tag(self) -> None:
        numbers, name = self.some(2), f"tag {self.chance.randrange(4)}"
        after = self.said.copy()
        after.tags |= {(number, name) for number in numbers}
        taggings = [Tagging(content_id, name) for content_id in self.ids(numbers)]
        self.change(after, lambda: add_tags(self.library, taggings))

    def do_untag(self) -> None:
        numbers, name = self.some(3), f"tag {self.chance.randrange(4)}"
        after = self.said.copy()
        after.tags -= {(number, name) for number in numbers}
        ids = self.ids(numbers)
        self.change(after, lambda: remove_tags(self.library, ids, [name]))

    def do_rate(self) -> None:
        numbers, rating = self.some(2), self.chance.randrange(6)
        after = self.said.copy()
        after.ratings |= dict.fromkeys(numbers, rating)
        ids = self.ids(numbers)
        self.change(after, lambda: rate(self.library, ids, rating))

    def do_distinct(self) -> None:
        numbers = self.some(2)
        after, pair = self.said.copy(), frozenset(numbers)
        pairs = pairs_among(self.ids(numbers))
        if self.chance.random() < 0.7:
            after.distinct |= {pair}
            self.change(after, lambda: tell_apart(self.library, pairs))
        else:
            after.distinct -= {pair}
            self.change(after, lambda: withdraw_verdicts(self.library, pairs))

    def do_album(self) -> None:
        """Create, save, extend, shorten, reorder, cover, rename or drop an album."""
        after, library = self.said.copy(), self.library
        names, new = sorted(self.said.albums), f"album {self.chance.randrange(10**6)}"
        numbers = self.some(3)
        ids = self.ids(numbers)
        what = self.chance.choice(("create", "save", "add", "remove", "order", "cover", "rename", "drop"))
        if what == "save":
            after.searches[new] = "red"
            self.change(after, lambda: save_album(library, AlbumRecord(new, query="red")))
            return
        if what == "create" or not names:
            after.albums[new] = numbers
            self.change(after, lambda: create_album(library, new, ids))
            return
        name = self.chance.choice(names)
        members = after.albums[name]
        first = next((number for number in members if number in set(self.photos.files) - self.stale), None)
        if what == "add":
            members += [number for number in numbers if number not in members]
            self.change(after, lambda: add_to_album(library, name, ids))
        elif what == "remove":
            after.albums[name] = [number for number in members if number not in numbers]
            if after.covers.get(name) in numbers:
                del after.covers[name]
            self.change(after, lambda: remove_from_album(library, name, ids))
        elif what in ("rename", "drop"):
            cover = after.covers.pop(name, None)
            del after.albums[name]
            if what == "rename":
                after.albums[new] = members
                after.covers |= {} if cover is None else {new: cover}
                self.change(after, lambda: rename_album(library, name, new, lambda query, *_: query))
            else:
                self.change(after, lambda: drop_album(library, name))
        elif first is not None:
            content_id = self.ids([first])[0]
            if what == "cover":
                after.covers[name] = first
                self.change(after, lambda: set_cover(library, name, content_id))
            else:
                self.change(after, lambda: move_in_album(library, name, [content_id]))

    # What else happens to a library.

    def _index(self) -> None:
        index(self.library, [self.photos.folder], self.encoder)
        self.stale.clear()

    def do_index(self) -> None:
        added = self.photos.add("a", self.chance.randrange(3))
        edited, renamed = self.chance.sample(sorted(self.photos.files), 2)
        self.photos.edit(edited)
        self.photos.rename(renamed)
        self.stale |= {*added, edited, renamed}
        self.change(self.said, self._index)

    def do_model(self) -> None:
        other = Other() if type(self.encoder) is FakeEncoder else FakeEncoder()

        def change() -> None:
            fill(self.library, other)
            self.encoder = other

        self.change(self.said, change)
        with Library.open(self.path) as library, library.read() as connection:
            statement = "SELECT model FROM library JOIN spaces ON spaces.id = active_space_id"
            model = connection.exec_driver_sql(statement).scalar()
        self.encoder = FakeEncoder() if model == "fake" else Other()

    def do_snapshot(self) -> None:
        path = self.place / f"{len(self.snapshots)}.jsonl.gz"
        self.change(self.said, lambda: save_snapshot(self.library, path))
        if path.exists():
            self.snapshots.append((path, self.said.copy(), self.contents()))

    def do_restore(self) -> None:
        """Drop something that a snapshot says, and restore it; the second time without a crash."""
        if not self.snapshots:
            return
        path, kept, contents = self.chance.choice(self.snapshots)
        now = self.contents()
        # Others were forgotten; or edited, and are recognised by their path if they were not renamed.
        uncertain = {number for number, digests in contents.items() if not digests <= now.get(number, set())}
        known = read_said(self.path, self.photos.numbers)
        for name in sorted(known.albums)[:1]:
            drop_album(self.library, name)
        self.said = read_said(self.path, self.photos.numbers)
        after, least = self.said.joined(kept), self.said.joined(kept.without(uncertain))
        self.change(after, lambda: restore(self.library, open_snapshot(path)), least=least)
        with Library.open(self.path) as library:
            restore(library, open_snapshot(path))
        self.said = read_said(self.path, self.photos.numbers)
        assert least.facts() <= self.said.facts() <= after.facts()

    def contents(self) -> dict[int, set[bytes]]:
        """Return the SHA-256 of the contents of each picture in the library."""
        found = defaultdict[int, set[bytes]](set)
        with Library.open(self.path) as library, library.read() as connection:
            for digest in connection.exec_driver_sql("SELECT digest FROM contents").scalars():
                found[self.photos.numbers[digest]].add(digest)
        return found

    def do_forget(self) -> None:
        numbers = self.photos.add("gone", 2)
        self._index()
        add_tags(self.library, [Tagging(content_id, "gone") for content_id in self.ids(numbers)])
        said = read_said(self.path, self.photos.numbers)
        self.said = said
        folder = self.photos.folder / "gone"
        for number in numbers:
            self.photos.delete(number)

        def remove() -> None:
            forget(self.library, folder)

        self.change(said.without(numbers), remove)
        if self.said.facts() == said.facts():
            with Library.open(self.path) as self.library:
                remove()
            self.said = read_said(self.path, self.photos.numbers)
            assert self.said.facts() == said.without(numbers).facts()

    def do_move(self) -> None:
        old, new = self.photos.folder, self.place / f"photos {self.chance.randrange(10**6)}"
        self.photos.move(new)
        self.change(self.said, lambda: move_roots(self.library, old, new, force=True))
        with Library.open(self.path) as library:
            with library.read() as connection:
                is_old = str(old).encode() in connection.exec_driver_sql("SELECT path FROM roots").scalars().all()
            if is_old:
                move_roots(library, old, new, force=True)


class Crashed:
    """Whether a crash happened."""

    happened = False


@contextmanager
def crashing(library: Library, chance: Random) -> Iterator[Crashed]:
    """Raise `Crash` at some transaction within the block, or at none, and stop it there."""
    crash, left = Crashed(), chance.randrange(1, 8)
    name = chance.choice(("begin", "commit"))

    def count(_connection: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:  # also in what cleans up afterwards: a killed process does nothing more
            crash.happened = True
            raise Crash

    if chance.random() > SHARE_OF_CRASHES:
        yield crash
        return
    event.listen(library.backend.engine, name, count, insert=True)
    try:
        yield crash
    except Crash:
        pass
    finally:
        event.remove(library.backend.engine, name, count)


@pytest.mark.parametrize("seed", range(2 * EXAMPLES_FACTOR))
def test_what_people_said_survives_any_sequence(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, Random(seed))
    for number in range(1, STEPS + 1):
        life.step(number)
    with Library.open(life.path) as life.library:
        life._index()
        repair(life.library)
        assert verify(life.library) == []
    assert read_said(life.path, life.photos.numbers).facts() == life.said.facts()
