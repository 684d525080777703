"""Machines that have the folders of a library on a server at different places."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import FolderNotFound, RootElsewhere, RootMismatch, RootNotHere, RootOverlaps, UnknownRoot
from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, index
from indexer.jobs.kinds import require_kind
from search import Filters, Searcher
from search.browse import browse
from search.query_language import parse
from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.albums.records import AlbumRecord
from store.albums.saved import save_album
from store.backup.matching import _same_roots
from store.backup.snapshot_file import open_snapshot
from store.backup.taking import save_snapshot
from store.jobs import JobState, add_job, claim_next, end_run, find_job
from store.merge.merging import MergeHooks, merge
from store.migrate.migrating import migrate
from store.moved_roots import move_roots
from store.root_places import place_root
from store.roots import folder_roots, list_roots
from tests.support.albums import list_albums

pytestmark = pytest.mark.servers

Paint = Callable[..., Path]


class Machine:
    """A machine with its own place for the pictures, and its own folder for derived files."""

    def __init__(self, folder: Path, url: str, pictures: Path) -> None:
        self.local = folder / "local"
        self.photos = shutil.copytree(pictures, folder / "photos")
        self.url = url

    def open(self) -> Library:
        os.environ["SIGHTLINE_LOCAL"] = str(self.local)
        return Library.open(self.url, create=True)


@pytest.fixture
def machines(
    postgres_url: str, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Machine, Machine]]:
    """Two machines; the first one has indexed its folder, which the second one cannot see."""
    monkeypatch.setenv("SIGHTLINE_LOCAL", "")
    first, second = (Machine(tmp_path / name, postgres_url, album) for name in ("first", "second"))
    with first.open() as library:
        index(library, [first.photos], FakeEncoder())
    first.photos.rename(tmp_path / "away")
    yield first, second


def test_both_machines_see_one_root_at_their_places(machines: tuple[Machine, Machine], paint: Paint) -> None:
    first, second = machines
    with second.open() as library:
        assert [root.path for root in list_roots(library)] == [first.photos]
        placed = place_root(library, first.photos, second.photos)
        assert (placed.found.checked, placed.found.same_size) == (4, 4)
    paint(second.photos / "white.png", "white")
    with second.open() as library:
        assert [root.path for root in list_roots(library)] == [second.photos]
        summary = index(library, [second.photos], FakeEncoder())
        assert (summary.new, summary.missing) == (1, 0)
        assert Searcher(library).search("white").hits[0].path == second.photos / "white.png"
    with first.open() as library:
        (root,) = list_roots(library)
        assert (root.path, root.present) == (first.photos, 5)
        assert Searcher(library).search("white").hits[0].path == first.photos / "white.png"


def test_first_index_run_elsewhere_makes_no_second_root(machines: tuple[Machine, Machine]) -> None:
    first, second = machines
    for folder in (second.photos, second.photos / "more", second.photos.parent):
        with second.open() as library:
            with pytest.raises(RootElsewhere) as raised:
                index(library, [folder], FakeEncoder())
            assert (raised.value.root, raised.value.here) == (first.photos, second.photos)
            assert [path for _, path in folder_roots(library)] == [first.photos]


def test_other_folder_is_added_as_usual(machines: tuple[Machine, Machine], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "other" / "red.png", "red", size=(9, 9))
    with machines[1].open() as library:
        assert index(library, [tmp_path / "other"], FakeEncoder()).new == 1
        assert len(folder_roots(library)) == 2


def test_folder_with_the_same_path_and_other_files_makes_nothing_missing(
    machines: tuple[Machine, Machine], paint: Paint
) -> None:
    first, second = machines
    for number in range(5):
        paint(first.photos / f"own-{number}.png", (number, 0, 0), size=(9, 9))
    with second.open() as library:
        with pytest.raises(RootNotHere, match="of 4 checked, 0 are there"):
            index(library, [first.photos], FakeEncoder())
        assert [root.present for root in list_roots(library)] == [4]
        accepted = index(library, [first.photos], FakeEncoder(), IndexSettings(accept_missing=True))
        assert (accepted.new, accepted.missing) == (5, 4)
        assert index(library, [first.photos], FakeEncoder()).new == 0  # it was asked once


def test_root_with_changed_files_is_not_asked_for_twice(
    machines: tuple[Machine, Machine], tmp_path: Path, paint: Paint
) -> None:
    """The machine that indexed a root knows it, even if all of its files have changed."""
    first, _ = machines
    (tmp_path / "away").rename(first.photos)
    for name in ("red", "green", "blue"):
        paint(first.photos / f"{name}.png", "white", size=(20, 20))
    with first.open() as library:
        index(library, [first.photos], FakeEncoder())


def test_saved_searches_name_folders_for_all_machines(machines: tuple[Machine, Machine], tmp_path: Path) -> None:
    first, second = machines
    (tmp_path / "away").rename(first.photos)
    with second.open() as library:
        place_root(library, first.photos, second.photos)
    names = {}
    for name, machine in (("First", first), ("Second", second)):
        with machine.open() as library:
            line = f'in:"{machine.photos / "more"}"'
            where = parse(line).where
            save_album(library, AlbumRecord(name, line, where, 10, False), with_folders_moved)
    for machine in machines:
        with machine.open() as library:
            for album in list_albums(library):
                found = browse(library, filters=Filters(where=album.condition))
                names[machine, album.name] = [picture.path for picture in found.pictures]
                assert album.query == f'in:"{first.photos / "more"}"'
    assert names == {
        (machine, name): [machine.photos / "more" / "yellow.png"]
        for machine in machines
        for name in ("First", "Second")
    }


def test_folder_around_a_root_is_found_by_the_name_that_others_have(machines: tuple[Machine, Machine]) -> None:
    first, second = machines
    with second.open() as library:
        place_root(library, first.photos, second.photos)
    with second.open() as library:
        for folder in (first.photos.parent, second.photos.parent):
            found = browse(library, filters=Filters(where=parse(f'in:"{folder}"').where))
            assert len(found.pictures) == 4


def test_copy_of_the_library_has_the_paths_of_the_machine_that_copied_it(
    machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    first, second = machines
    with second.open() as library:
        line = f'in:"{first.photos / "more"}"'
        save_album(library, AlbumRecord("More", line, parse(line).where, 10, False), with_folders_moved)
        place_root(library, first.photos, second.photos)
    with second.open() as library, Library.open(tmp_path / "copy", create=True) as copy:
        migrate(library, copy, move_paths=with_folders_moved)
        assert [root.path for root in list_roots(copy)] == [second.photos]
        (album,) = list_albums(copy)
        assert album.query == f'in:"{second.photos / "more"}"'
        found = browse(copy, filters=Filters(where=album.condition))
        assert [picture.path for picture in found.pictures] == [second.photos / "more" / "yellow.png"]


def test_snapshot_and_merge_of_a_library_with_other_places(machines: tuple[Machine, Machine], tmp_path: Path) -> None:
    first, second = machines
    with second.open() as library:
        line = f'in:"{first.photos / "more"}"'
        save_album(library, AlbumRecord("More", line, parse(line).where, 10, False), with_folders_moved)
        place_root(library, first.photos, second.photos)
    with second.open() as library:
        save_snapshot(library, tmp_path / "said.jsonl.gz")
        snapshot = open_snapshot(tmp_path / "said.jsonl.gz")
        assert [os.fsdecode(root.path) for root in snapshot.header.roots] == [str(first.photos)]
        with library.read() as connection:
            assert _same_roots(connection, snapshot.header.roots, {}) == {0: folder_roots(library)[0][0]}
        with Library.open(tmp_path / "merged", create=True) as merged:
            merge(merged, library, hooks=MergeHooks(move_paths=with_folders_moved))
            (album,) = list_albums(merged)
            assert album.query == f'in:"{second.photos / "more"}"'


def test_jobs_name_folders_for_all_machines(machines: tuple[Machine, Machine]) -> None:
    """A job that removes a folder passes over those that are not in the library."""
    first, second = machines
    with second.open() as library:
        place_root(library, first.photos, second.photos)
    with second.open() as library:
        job = add_job(library, "index", {"folders": [str(second.photos / "more")], "retry_failed": True})
        assert job.parameters["folders"] == [str(second.photos / "more")]
        assert add_job(library, "index", dict(job.parameters)).id == job.id
    with first.open() as library:
        assert find_job(library, job.id).parameters["folders"] == [str(first.photos / "more")]
        removal = add_job(library, "forget", {"folders": [str(first.photos)]})
    with second.open() as library:
        while (claimed := claim_next(library)) is not None:
            require_kind(claimed.kind).run(library, claimed.parameters, Progress())
            end_run(library, claimed.id, {})
        assert list_roots(library) == []
        assert find_job(library, removal.id).state == JobState.DONE


def test_two_runs_over_one_root_wait_for_each_other(machines: tuple[Machine, Machine]) -> None:
    """The lock has the name of the root in the catalogue, on all machines."""
    first, second = machines
    with second.open() as library:
        place_root(library, first.photos, second.photos)
    with second.open() as there, first.open() as here, there.root_lock(second.photos):

        def give_up() -> None:
            raise TimeoutError

        with pytest.raises(TimeoutError), here.root_lock(first.photos, check=give_up):
            pass


def test_wrong_places_are_refused(machines: tuple[Machine, Machine], tmp_path: Path, paint: Paint) -> None:
    first, second = machines
    paint(tmp_path / "other" / "red.png", "red", size=(9, 9))
    with second.open() as library:
        index(library, [tmp_path / "other"], FakeEncoder())
        with pytest.raises(UnknownRoot):
            place_root(library, tmp_path, second.photos)
        with pytest.raises(FolderNotFound):
            place_root(library, first.photos, tmp_path / "nothing")
        with pytest.raises(RootMismatch):
            place_root(library, first.photos, second.photos / "more")
        with pytest.raises(RootOverlaps):
            place_root(library, first.photos, tmp_path / "other")
        place_root(library, first.photos, second.photos, dry_run=True)
    with second.open() as library:
        assert first.photos in [path for _, path in folder_roots(library)]


def test_root_that_has_a_place_here_can_get_another_one(machines: tuple[Machine, Machine], tmp_path: Path) -> None:
    first, second = machines
    with second.open() as library:
        place_root(library, first.photos, second.photos)
    second.photos.rename(tmp_path / "again")
    with second.open() as library:
        place_root(library, second.photos, tmp_path / "again")
    with second.open() as library:
        assert [path for _, path in folder_roots(library)] == [tmp_path / "again"]
        (tmp_path / "again").rename(tmp_path / "everywhere")
        move_roots(library, tmp_path / "again", tmp_path / "everywhere")
    for machine in machines:
        with machine.open() as library:
            assert [path for _, path in folder_roots(library)] == [tmp_path / "everywhere"]
