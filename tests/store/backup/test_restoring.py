"""User data comes back from a snapshot, in any library that has the pictures."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from core.errors import SnapshotDamaged, SnapshotUnwritable
from store import Library
from store.albums.by_hand import add_to_album, contents_of_album, create_album, move_in_album
from store.albums.records import AlbumRecord, find_album, set_cover
from store.albums.saved import save_album
from store.backup.outcomes import Outcome, RestoreReport, Statement
from store.backup.records import AlbumPicture, Judgement, PictureName, PictureRecord, SavedAlbum, TellApart
from store.backup.restore_context import RestoreSettings
from store.backup.restoring import restore
from store.backup.snapshot_file import Snapshot, open_snapshot
from store.backup.snapshot_folder import SNAPSHOTS_FOLDER, list_snapshots, snapshot_name
from store.backup.taking import (
    FOLDER_VARIABLE,
    save_snapshot,
    take_snapshot,
    take_snapshots,
    take_snapshots_if_due,
)
from store.catalog.collation import fold
from store.catalog.tables import Content
from store.content_digests import digests_of
from store.filters.conditions import FieldTest, Op
from store.library_key import library_key
from store.near_duplicates.verdicts import tell_apart
from store.ratings import rate
from store.tags import Tagging, add_tags, remove_tags, tags_of
from tests.store.backup.conftest import NewLibrary, add_pictures, digest_of
from tests.support.albums import list_albums

Said = dict[str, Any]
NUMBERS = range(1, 9)


def snapshot_of(library: Library, judgements: Sequence[Judgement] = ()) -> Snapshot:
    path = library.path / "said.jsonl"
    save_snapshot(library, path, lambda: judgements)
    return open_snapshot(path)


def said_in(library: Library) -> Said:
    """What a snapshot of the library says, without the places of files, in an order that no ID decides."""
    said: Said = {"pictures": {}, "albums": {}, "members": {}, "verdicts": set()}
    for record in snapshot_of(library).records():
        match record:
            case PictureRecord():
                said["pictures"][record.picture.digest] = (set(record.tags), record.rating)
            case SavedAlbum():
                cover = record.cover and record.cover.digest
                said["albums"][record.name] = (record.by_hand, record.query, record.condition, record.top, cover)
            case AlbumPicture():
                said["members"].setdefault(record.album, []).append(record.picture.digest)
            case TellApart():
                said["verdicts"].add(frozenset((record.first.digest, record.second.digest)))
    return said


def total(report: RestoreReport, subject: Statement) -> dict[str, int]:
    return {outcome.value: number for outcome, number in report.counts[subject].items()}


@dataclass
class Statements:
    """Anything that people can say about eight pictures."""

    tags: list[tuple[int, str]] = field(default_factory=list)
    ratings: list[tuple[int, int | None]] = field(default_factory=list)
    by_hand: dict[str, list[int]] = field(default_factory=dict)
    covers: dict[str, int] = field(default_factory=dict)
    searches: dict[str, tuple[str, float, int]] = field(default_factory=dict)
    verdicts: list[tuple[int, int]] = field(default_factory=list)

    def say(self, library: Library, ids: dict[int, int]) -> None:
        add_tags(library, [Tagging(ids[number], name) for number, name in self.tags])
        for number, stars in self.ratings:
            rate(library, [ids[number]], stars)
        for name, numbers in self.by_hand.items():
            create_album(library, f"hand {name}", [ids[number] for number in numbers])
            if numbers and name in self.covers:
                set_cover(library, f"hand {name}", ids[numbers[self.covers[name] % len(numbers)]])
        for name, (query, value, top) in self.searches.items():
            save_album(library, AlbumRecord(f"saved {name}", query, FieldTest("iso", Op.GT, value), top, bool(query)))
        tell_apart(
            library,
            [(min(pair), max(pair)) for pair in ((ids[a], ids[b]) for a, b in self.verdicts) if len(set(pair)) == 2],
        )


NUMBER = st.sampled_from(NUMBERS)
NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
STATEMENTS = st.builds(
    Statements,
    st.lists(st.tuples(NUMBER, NAME), max_size=12),
    st.lists(st.tuples(NUMBER, st.sampled_from([None, -1, 0, 1, 5])), max_size=8),
    st.dictionaries(st.sampled_from("abc"), st.lists(NUMBER, unique=True), max_size=3),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 7)),
    st.dictionaries(st.sampled_from("def"), st.tuples(st.text("ab ", max_size=5), st.floats(1, 9e3), NUMBER)),
    st.lists(st.tuples(NUMBER, NUMBER), max_size=6),
)


@given(STATEMENTS, st.permutations(NUMBERS), st.integers(0, 8))
@settings(max_examples=12 * int(os.environ.get("SIGHTLINE_EXAMPLES", "1")))
def test_what_was_said_survives_in_a_new_library(
    empty_library: Path, statements: Statements, order: list[int], first: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for library in ("one", "two"):
            shutil.copytree(empty_library, folder / library)
        with Library.open(folder / "one") as one, Library.open(folder / "two") as two:
            statements.say(one, add_pictures(one, folder / "pictures", *NUMBERS))
            snapshot, said = snapshot_of(one), said_in(one)
            add_pictures(two, folder / "elsewhere" / "photos", *order[:first])
            restore(two, snapshot)
            add_pictures(two, folder / "elsewhere" / "photos", *order[first:])  # the rest is indexed later
            restore(two, snapshot)
            assert said_in(two) == said
            before = (two.path / "said.jsonl").read_bytes().splitlines()[1:-1]
            again = restore(two, snapshot, RestoreSettings(replace=True))
            assert (again.total(Outcome.RESTORED), again.total(Outcome.UNKNOWN)) == (0, 0)
            assert said_in(two) == said
            assert (two.path / "said.jsonl").read_bytes().splitlines()[1:-1] == before


@given(STATEMENTS, STATEMENTS, st.booleans())
@settings(max_examples=8 * int(os.environ.get("SIGHTLINE_EXAMPLES", "1")))
def test_merging_removes_nothing_and_is_counted_by_a_dry_run(
    empty_library: Path, here: Statements, other: Statements, replace: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for library in ("one", "two"):
            shutil.copytree(empty_library, folder / library)
        with Library.open(folder / "one") as one, Library.open(folder / "two") as two:
            other.say(one, add_pictures(one, folder / "pictures", *NUMBERS))
            here.say(two, add_pictures(two, folder / "pictures", *reversed(NUMBERS)))
            snapshot, before = snapshot_of(one), said_in(two)
            planned = restore(two, snapshot, RestoreSettings(replace, dry_run=True))
            assert said_in(two) == before
            done = restore(two, snapshot, RestoreSettings(replace))
            assert planned.counts == done.counts
            after, said = said_in(two), said_in(one)
            for digest in before["pictures"] | said["pictures"]:
                tags, rating = after["pictures"][digest]
                tags_here, rating_here = before["pictures"].get(digest, (set(), None))
                tags_said, rating_said = said["pictures"].get(digest, (set(), None))
                assert set(map(fold, tags)) == set(map(fold, tags_here | tags_said))
                first, second = (rating_said, rating_here) if replace else (rating_here, rating_said)
                assert rating == (second if first is None else first)
            assert after["albums"].keys() == before["albums"].keys() | said["albums"].keys()
            for album in before["members"] | said["members"]:
                here_order, said_order = (each["members"].get(album, []) for each in (before, said))
                assert set(after["members"][album]) == {*here_order, *said_order}
                leading = said_order if replace else here_order
                assert [each for each in after["members"][album] if each in leading] == leading
            assert after["verdicts"] == before["verdicts"] | said["verdicts"]
            assert restore(two, snapshot, RestoreSettings(replace)).total(Outcome.RESTORED) == 0


def test_pictures_edited_since_are_found_by_their_path(new_library: NewLibrary, tmp_path: Path) -> None:
    one, two, three = new_library(), new_library(), new_library()
    ids = add_pictures(one, tmp_path / "photos", 1, 2)
    add_tags(one, [Tagging(ids[1], "a"), Tagging(ids[2], "b")])
    snapshot = snapshot_of(one)
    for library, root in ((two, tmp_path / "photos"), (three, tmp_path / "moved" / "photos")):
        new = add_pictures(library, root, 1)
        with library.transaction() as connection:
            connection.execute(update(Content).where(Content.id == new[1]).values(digest=digest_of(77)))
        exact = restore(library, snapshot, RestoreSettings(exact=True))
        assert (exact.found_by_path, exact.unknown_pictures, exact.total(Outcome.RESTORED)) == (0, 2, 0)
        report = restore(library, snapshot)
        assert (report.found_by_path, report.unknown_pictures) == (1, 1)
        assert total(report, Statement.TAGS) == {"restored": 1, "unknown": 1}
        assert [tag.name for tag in tags_of(library, [new[1]])[new[1]]] == ["a"]


def test_moved_roots_are_named(new_library: NewLibrary, tmp_path: Path) -> None:
    one, two = new_library(), new_library()
    ids = add_pictures(one, tmp_path / "photos", 1)
    add_tags(one, [Tagging(ids[1], "a")])
    folder = FieldTest("folder", Op.EQ, tmp_path / "photos" / "2020")
    save_album(one, AlbumRecord("old", "in:old", folder))
    new = add_pictures(two, tmp_path / "pictures", 1)
    with two.transaction() as connection:
        connection.execute(update(Content).where(Content.id == new[1]).values(digest=digest_of(77)))
    assert restore(two, snapshot_of(one), RestoreSettings(dry_run=True)).unknown_pictures == 1
    moved = RestoreSettings(moved={tmp_path / "photos": tmp_path / "pictures"})
    assert restore(two, snapshot_of(one), moved).found_by_path == 1
    condition = find_album(two, "old").condition
    assert isinstance(condition, FieldTest)
    assert condition.value == tmp_path / "pictures" / "2020"


def test_what_differs_is_kept_unless_it_is_replaced(new_library: NewLibrary, tmp_path: Path) -> None:
    one, two = new_library(), new_library()
    for library, stars, iso in ((one, 5, 100.0), (two, 2, 200.0)):
        ids = add_pictures(library, tmp_path / "photos", 1, 2, 3)
        rate(library, [ids[1]], stars)
        save_album(library, AlbumRecord("saved", f"iso:{iso}", FieldTest("iso", Op.EQ, iso)))
        create_album(library, "hand", [ids[1], ids[2]])
    move_in_album(one, "hand", [ids[2]], ids[1])
    set_cover(one, "hand", ids[1])
    set_cover(two, "hand", ids[2])
    add_to_album(two, "hand", [ids[3]])
    snapshot = snapshot_of(one)
    report = restore(two, snapshot)
    assert report.total(Outcome.RESTORED) == 0
    assert total(report, Statement.ALBUMS) == {"kept": 2}
    assert (total(report, Statement.RATINGS), total(report, Statement.COVERS)) == ({"kept": 1}, {"kept": 1})
    report = restore(two, snapshot, RestoreSettings(replace=True))
    assert total(report, Statement.ALBUMS) == {"restored": 2}
    assert find_album(two, "saved").query == "iso:100.0"
    assert contents_of_album(two, "hand") == [ids[2], ids[3], ids[1]]  # 3 stays behind 2
    assert find_album(two, "hand").cover == ids[1]


def test_albums_of_different_kinds_are_not_mixed(new_library: NewLibrary, tmp_path: Path) -> None:
    one, two = new_library(), new_library()
    ids = add_pictures(one, tmp_path / "photos", 1)
    add_pictures(two, tmp_path / "photos", 1)
    create_album(one, "ROME", [ids[1]])
    save_album(two, AlbumRecord("Rome", "iso:1", FieldTest("iso", Op.EQ, 1.0)))
    report = restore(two, snapshot_of(one), RestoreSettings(replace=True))
    assert report.conflicts == ["Rome"]
    assert [album.by_hand for album in list_albums(two)] == [False]


def test_withdrawn_statements_do_not_hide_others(new_library: NewLibrary, tmp_path: Path) -> None:
    library = new_library()
    ids = add_pictures(library, tmp_path / "photos", 1, 2)
    add_tags(library, [Tagging(ids[1], "a"), Tagging(ids[2], "a")])
    snapshot = snapshot_of(library)
    remove_tags(library, [ids[1]], ["a"])
    assert total(restore(library, snapshot), Statement.TAGS) == {"restored": 1, "present": 1}


def test_judgements_are_handed_over(new_library: NewLibrary) -> None:
    judgement = Judgement("a dog", "a dog", b"photos/1.png", 1, digest_of(1))
    seen: list[Judgement] = []

    def merge(judgements: Sequence[Judgement], _settings: RestoreSettings) -> dict[Outcome, int]:
        seen.extend(judgements)
        return {Outcome.PRESENT: 1}

    library = new_library()
    assert total(restore(library, snapshot_of(library, [judgement]), None, merge), Statement.JUDGEMENTS) == {
        "present": 1
    }
    assert seen == [judgement]


def test_file_that_changes_while_it_is_restored_is_reported(new_library: NewLibrary, tmp_path: Path) -> None:
    library = new_library()
    ids = add_pictures(library, tmp_path / "photos", 1)
    rate(library, [ids[1]], 3)
    snapshot = snapshot_of(library)
    snapshot.path.write_bytes(snapshot.path.read_bytes().replace(b'"rating":3', b'"rating":4'))
    with pytest.raises(SnapshotDamaged):
        restore(library, snapshot)


def test_snapshots_are_taken_only_after_changes(new_library: NewLibrary, tmp_path: Path) -> None:
    library = new_library()
    folder = tmp_path / "snapshots"
    ids = add_pictures(library, tmp_path / "photos", 1, 2)
    first = take_snapshot(library, folder)
    assert (first.is_new, sum(first.counts.values())) == (True, 0)
    rate(library, [ids[1]], 3)
    second = take_snapshot(library, folder)
    assert (second.is_new, second.counts["picture"]) == (True, 1)
    third = take_snapshot(library, folder)
    assert (third.is_new, third.path) == (False, second.path)
    second.path.write_bytes(second.path.read_bytes()[:-20])  # a damaged one does not count
    assert take_snapshot(library, folder).is_new
    assert len(list(folder.iterdir())) == 3


def test_names_follow_the_files_of_a_content(new_library: NewLibrary, tmp_path: Path) -> None:
    library = new_library()
    ids = add_pictures(library, tmp_path / "photos", 1)
    rate(library, [ids[1]], 3)
    (record,) = snapshot_of(library).records()
    assert isinstance(record, PictureRecord)
    assert digests_of(library, [ids[1]]) == {ids[1]: record.picture.digest}
    assert isinstance(record.picture, PictureName)
    assert [place.relpath for place in record.picture.places] == [b"0001.png"]


def test_tags_do_not_go_to_another_picture_that_took_the_path(new_library: NewLibrary, tmp_path: Path) -> None:
    one, two = new_library(), new_library()
    ids = add_pictures(one, tmp_path / "photos", 1, 2)
    add_tags(one, [Tagging(ids[1], "blurred"), Tagging(ids[2], "best")])
    rate(one, [ids[1]], -1)
    rate(one, [ids[2]], 5)
    snapshot = snapshot_of(one)
    new = add_pictures(two, tmp_path / "photos", 1)  # picture 2 was renamed to the name of picture 1, which is gone
    with two.transaction() as connection:
        connection.execute(update(Content).where(Content.id == new[1]).values(digest=digest_of(2)))
    report = restore(two, snapshot)
    assert (report.found_by_path, report.unknown_pictures) == (0, 1)
    assert [tag.name for tag in tags_of(two, [new[1]])[new[1]]] == ["best"]
    assert said_in(two)["pictures"] == {digest_of(2): ({"best"}, 5)}


def test_second_folder_gets_a_snapshot_if_the_first_cannot(
    new_library: NewLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = new_library()
    rate(library, [add_pictures(library, tmp_path / "photos", 1)[1]], 3)
    (library.path / SNAPSHOTS_FOLDER).write_text("a file")
    (tmp_path / "stick").mkdir()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "stick"))
    with pytest.raises(SnapshotUnwritable, match=SNAPSHOTS_FOLDER):
        take_snapshots(library)
    assert len(list_snapshots(tmp_path / "stick")) == 1


def test_snapshot_that_is_not_due_is_written_if_it_must_be(
    new_library: NewLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = new_library()
    monkeypatch.setattr("store.backup.taking.SMALL_SNAPSHOT_BYTES", 0)
    ids = add_pictures(library, tmp_path / "photos", 1)
    taken = []
    for stars, always in ((3, False), (4, False), (5, True)):
        rate(library, [ids[1]], stars)
        take_snapshots_if_due(library, tuple, pytest.fail, always=always)
        taken.append(len(list_snapshots(library.path / SNAPSHOTS_FOLDER)))
    assert taken == [1, 1, 2]


def test_snapshot_of_the_future_does_not_stand_for_the_last_one(new_library: NewLibrary, tmp_path: Path) -> None:
    library = new_library()
    ids = add_pictures(library, tmp_path / "photos", 1)
    rate(library, [ids[1]], 3)
    folder = library.path / SNAPSHOTS_FOLDER
    old = take_snapshot(library, folder).path
    old.rename(folder / snapshot_name(library_key(library), datetime.fromisoformat("9998-01-01T00:00:00")))
    rate(library, [ids[1]], 4)
    assert [take_snapshot(library, folder).is_new for _ in range(3)] == [True, False, False]
    assert len(list_snapshots(folder)) == 2


def test_automatic_snapshot_that_fails_is_a_warning(
    new_library: NewLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = new_library()
    rate(library, [add_pictures(library, tmp_path / "photos", 1)[1]], 3)
    warnings: list[str] = []

    def away() -> Sequence[Judgement]:
        raise OSError("the disk is away")

    assert not take_snapshots_if_due(library, away, warnings.append)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / ("x" * 300)))  # a name that is too long
    assert not take_snapshots_if_due(library, tuple, warnings.append)
    assert len(list_snapshots(library.path / SNAPSHOTS_FOLDER)) == 1
    first, second = warnings
    assert first.endswith("the disk is away.")
    assert "does not exist" in second
