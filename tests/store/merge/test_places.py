"""Where the folders of a merged library are here."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.errors import (
    FolderNotFound,
    ForeignRoot,
    RootMismatch,
    UnknownRoot,
)
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.catalog.tables import Picture, Root
from store.check import verify
from store.ingest.mount_points import known_mount_points, remember_mount_points
from store.merge.merging import merge
from store.merge.placing import RootRelation
from store.roots import folder_roots
from store.tags import tags_of
from tests.support.merging import (
    embedded_by_a_run,
    files_of,
    ids_of,
    merge_into,
    tag,
)

Paint = Callable[..., Path]


@pytest.mark.parametrize(
    ("here", "there", "relation", "roots"),
    [
        ("p", "p", RootRelation.SAME, ["p"]),
        ("p", "p/x", RootRelation.INSIDE, ["p"]),
        ("p/x", "p", RootRelation.AROUND, ["p"]),
        ("p/x", "p/y", RootRelation.NEW, ["p/x", "p/y"]),
    ],
)
def test_roots_never_overlap_afterwards(
    make: Callable[..., Library],
    tmp_path: Path,
    paint: Paint,
    here: str,
    there: str,
    relation: RootRelation,
    roots: list[str],
) -> None:
    for name, colour in {"p/one.png": "red", "p/x/two.png": "blue", "p/y/three.png": "green"}.items():
        paint(tmp_path / name, colour)
    library, other = make("one", tmp_path / here), make("other", tmp_path / there)
    files = files_of(library) | files_of(other)
    report = merge_into(library, other)
    assert [each.relation for each in report.roots] == [relation]
    assert sorted(str(path.relative_to(tmp_path)) for _, path in folder_roots(library)) == roots
    assert files_of(library) == files
    assert not verify(library)
    with library.read() as connection:
        stored = connection.execute(select(Picture.relpath, Picture.folder)).all()
    assert all(row.folder == row.relpath.rpartition(b"/")[0] for row in stored)
    assert embedded_by_a_run(library, *(tmp_path / root for root in roots)) == 0


def test_folders_of_another_machine_are_named(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    (tmp_path / "b").rename(tmp_path / "mounted")
    report = merge_into(library, other, moved={tmp_path / "b": tmp_path / "mounted"})
    assert [(each.other, each.path) for each in report.roots] == [(tmp_path / "b", tmp_path / "mounted")]
    assert (str(tmp_path / "mounted" / "green.png")) in {path for path, _, _ in files_of(library)}
    summary = index(library, [tmp_path / "mounted"], FakeEncoder())
    assert (summary.unchanged, summary.missing) == (2, 0)
    with pytest.raises(UnknownRoot):
        merge_into(library, other, moved={tmp_path / "nowhere": tmp_path / "mounted"})
    with pytest.raises(FolderNotFound):
        merge_into(library, other, moved={tmp_path / "b": tmp_path / "mistyped"})


def test_other_pictures_under_the_same_path_are_not_mixed_up(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        paint(tmp_path / "a" / name, "red", (8, 8))
    other = make("other", tmp_path / "a")
    tag(other, "of the other machine", ids_of(other, "0.png"))
    for name in names:
        paint(tmp_path / "a" / name, "green", (99, 55))
    library = make("one", tmp_path / "a")
    with pytest.raises(RootMismatch) as refused:
        merge_into(library, other)
    assert (refused.value.path, refused.value.checked, refused.value.found) == (tmp_path / "a", 3, 0)
    (content,) = set(ids_of(library, *names))
    assert tags_of(library, [content]) == {}
    assert merge_into(library, other, force=True).pictures == {"kept": 3}
    shutil.rmtree(tmp_path / "a")  # its disk is away
    assert merge_into(library, other).pictures == {"kept": 3}


def test_root_of_another_system_needs_a_place_here(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    with other.transaction() as connection:
        connection.execute(update(Root).values(path=b"C:\\Photos"))
    files = files_of(library)
    with pytest.raises(ForeignRoot, match=r"C:\\Photos"):
        merge_into(library, other)
    assert files_of(library) == files
    merge_into(library, other, moved={Path("C:\\Photos"): tmp_path / "b"})
    assert str(tmp_path / "b" / "green.png") in {path for path, _, _ in files_of(library)}


def test_second_merge_finds_the_folders_that_the_first_one_was_told(
    two: tuple[Library, Library], tmp_path: Path
) -> None:
    library, other = two
    (tmp_path / "b").rename(tmp_path / "mounted")
    merge_into(library, other, moved={tmp_path / "b": tmp_path / "mounted"})
    files = files_of(library)
    for dry_run in (True, False):
        again = merge_into(library, other, dry_run=dry_run)
        assert again.pictures == {"present": 2}
        assert [each.path for each in again.roots] == [tmp_path / "mounted"]
    assert files_of(library) == files
    assert sorted(path.name for _, path in folder_roots(library)) == ["a", "mounted"]


def test_second_merge_that_is_told_the_place_moves_what_the_first_one_added(
    two: tuple[Library, Library], tmp_path: Path
) -> None:
    library, other = two
    (tmp_path / "b").rename(tmp_path / "mounted")
    tag(other, "rome", ids_of(other, "green.png"))
    merge_into(library, other)
    assert str(tmp_path / "b" / "green.png") in {path for path, _, _ in files_of(library)}
    moved = {tmp_path / "b": tmp_path / "mounted"}
    assert merge_into(library, other, moved=moved, dry_run=True).pictures == {"present": 2}
    assert merge_into(library, other, moved=moved).pictures == {"present": 2}
    assert sorted(path.name for _, path in folder_roots(library)) == ["a", "mounted"]
    assert len(files_of(library)) == 4
    assert not verify(library)
    summary = index(library, [tmp_path / "mounted"], FakeEncoder())
    assert (summary.unchanged, summary.missing) == (2, 0)


def test_own_root_on_another_disk_that_is_away_is_not_moved(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    """This library and the other one each had a disk at the same path; `moved` is about that of the other one."""
    for name in ("1.png", "2.png"):
        paint(tmp_path / "usb" / name, "red", (8, 8))
    library = make("one", tmp_path / "usb")
    (tmp_path / "usb").rename(tmp_path / "first disk")
    for name in ("1.png", "2.png"):
        paint(tmp_path / "usb" / name, "green", (99, 55))
    other = make("other", tmp_path / "usb")
    (tmp_path / "usb").rename(tmp_path / "second disk")
    report = merge_into(library, other, moved={tmp_path / "usb": tmp_path / "second disk"})
    assert report.pictures == {"new": 2}
    assert sorted(path.name for _, path in folder_roots(library)) == ["second disk", "usb"]


def test_folders_carried_along_with_the_other_library_are_found(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    """A stick with a library and its pictures is mounted at another place."""
    paint(tmp_path / "stick" / "photos" / "rome" / "green.png", "green")
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "stick" / "photos")
    other.close()
    other.path.rename(tmp_path / "stick" / "library")
    (tmp_path / "stick").rename(tmp_path / "mounted")
    with Library.open_to_read(tmp_path / "mounted" / "library") as opened:
        report = merge(library, opened)
    assert [each.path for each in report.roots] == [tmp_path / "mounted" / "photos"]
    assert str(tmp_path / "mounted" / "photos" / "rome" / "green.png") in {path for path, _, _ in files_of(library)}
    summary = index(library, [tmp_path / "mounted" / "photos"], FakeEncoder())
    assert (summary.unchanged, summary.missing) == (1, 0)


def test_pictures_elsewhere_in_another_arrangement_are_no_place(two: tuple[Library, Library], tmp_path: Path) -> None:
    """Only one of three pictures of the other library is here, by another name: its folder stays what it is called."""
    library, other = two
    (tmp_path / "b").rename(tmp_path / "away")
    report = merge_into(library, other)
    assert [each.path for each in report.roots] == [tmp_path / "b"]


def test_places_of_disks_come_along(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    """A disk that is away is known here, too; a folder with files is no place of a disk here."""
    for name in ("p/x/usb/1.png", "p/x/plain/2.png", "p/3.png"):
        paint(tmp_path / name, "red")
    other, library = make("other", tmp_path / "p" / "x"), make("one", tmp_path / "p")
    ((other_root, _),) = folder_roots(other)
    ((root, _),) = folder_roots(library)
    remember_mount_points(other, other_root, [b"usb", b"plain", b"gone/too"])
    remember_mount_points(library, root, [b"y"])
    shutil.rmtree(tmp_path / "p" / "x" / "usb")
    (tmp_path / "p" / "x" / "usb").mkdir()
    merge_into(library, other, dry_run=True)
    assert known_mount_points(library, root) == {b"y"}
    merge_into(library, other)
    assert known_mount_points(library, root) == {b"y", b"x/usb", b"x/gone/too"}


def test_places_of_disks_stay_known_if_their_root_becomes_part_of_another(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "p" / "x" / "1.png", "red")
    paint(tmp_path / "p" / "2.png", "blue")
    library, other = make("one", tmp_path / "p" / "x"), make("other", tmp_path / "p")
    ((root, _),) = folder_roots(library)
    remember_mount_points(library, root, [b"usb"])
    merge_into(library, other)
    ((root, path),) = folder_roots(library)
    assert path == tmp_path / "p"
    assert known_mount_points(library, root) == {b"x/usb"}
