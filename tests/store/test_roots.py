"""Roots that overlap, and paths that are not UTF-8."""

import os
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from store import Library
from store.catalog.tables import Picture, PictureState, Root
from store.roots import RootLocation, count_present, find_location, list_roots, within
from tests.support.writers import add_root


def put(library: Library, location: RootLocation, *relpaths: bytes) -> None:
    """Insert picture rows without indexing files."""
    with library.transaction() as connection:
        for relpath in relpaths:
            connection.execute(
                insert(Picture).values(
                    root_id=location.root_id, relpath=relpath, size=1, mtime_ns=1, state=PictureState.PRESENT
                )
            )


def known(library: Library, location: RootLocation) -> list[bytes]:
    with library.read() as connection:
        return sorted(connection.execute(select(Picture.relpath).where(*within(location))).scalars())


def roots(library: Library) -> list[bytes]:
    with library.read() as connection:
        return list(connection.execute(select(Root.path).order_by(Root.id)).scalars())


def test_ensure_root_adds_a_folder_once(library: Library) -> None:
    first = add_root(library, Path("/photos"))
    assert first == add_root(library, Path("/photos/")) == add_root(library, Path("/photos/x/.."))
    assert (first.root, first.beneath) == (Path("/photos"), b"")
    assert roots(library) == [b"/photos"]


def test_a_folder_below_a_root_is_not_added(library: Library) -> None:
    outer = add_root(library, Path("/photos"))
    part = add_root(library, Path("/photos/2021/may"))
    assert part == RootLocation(outer.root_id, Path("/photos"), b"2021/may")
    assert roots(library) == [b"/photos"]


def test_folders_with_a_common_prefix_are_different_roots(library: Library) -> None:
    add_root(library, Path("/photos"))
    add_root(library, Path("/photos-private"))
    assert roots(library) == [b"/photos", b"/photos-private"]
    assert find_location(library, Path("/photos-other")) is None
    location = find_location(library, Path("/photos-private/a.jpg"))
    assert location is not None
    assert location.beneath == b"a.jpg"


def test_roots_below_a_new_root_are_merged_into_it(library: Library) -> None:
    may = add_root(library, Path("/photos/2021/may"))
    june = add_root(library, Path("/photos/2021/june"))
    private = add_root(library, Path("/photos-private"))
    put(library, may, b"1.jpg", b"x/2.jpg")
    put(library, june, b"1.jpg")
    put(library, private, b"secret.jpg")
    outer = add_root(library, Path("/photos"))
    assert roots(library) == [b"/photos-private", b"/photos"]
    assert known(library, outer) == [b"2021/june/1.jpg", b"2021/may/1.jpg", b"2021/may/x/2.jpg"]
    assert known(library, private) == [b"secret.jpg"]
    assert add_root(library, Path("/photos/2021/may")).beneath == b"2021/may"


def test_the_file_system_root_can_be_a_root(library: Library) -> None:
    put(library, add_root(library, Path("/photos")), b"1.jpg")
    everything = add_root(library, Path("/"))
    assert roots(library) == [b"/"]
    assert known(library, everything) == [b"photos/1.jpg"]
    location = find_location(library, Path("/photos"))
    assert location is not None
    assert (location.root, location.beneath) == (Path("/"), b"photos")


@pytest.mark.parametrize("folder", [b"a_c", b"100%", b"*", b"[ab]", b"caf\xe9", "夏".encode(), b"a'b", b"a\nb"])
def test_special_characters_in_folder_names_are_not_wildcards(library: Library, folder: bytes) -> None:
    location = add_root(library, Path("/photos"))
    others = [b"abc/1.jpg", b"100 and more/1.jpg", b"a/1.jpg", b"cafe/1.jpg", folder + b".jpg", folder + b"0/1.jpg"]
    put(library, location, folder + b"/1.jpg", folder + b"/x/\xff.jpg", *others)
    part = add_root(library, Path("/photos") / os.fsdecode(folder))
    assert known(library, part) == [folder + b"/1.jpg", folder + b"/x/\xff.jpg"]
    assert count_present(library, part) == 2
    assert count_present(library, location) == 8


def test_root_names_need_not_be_utf8(library: Library) -> None:
    path = Path(os.fsdecode(b"/mnt/caf\xe9 100%_"))
    location = add_root(library, path)
    put(library, location, b"1.jpg")
    assert find_location(library, path / "1.jpg") == RootLocation(location.root_id, path, b"1.jpg")
    assert list_roots(library)[0].path == path


def test_within_matches_a_single_picture(library: Library) -> None:
    location = add_root(library, Path("/photos"))
    put(library, location, b"1.jpg", b"1.jpg.bak")
    picture = find_location(library, Path("/photos/1.jpg"))
    assert picture is not None
    assert known(library, picture) == [b"1.jpg"]


def test_list_roots_counts_pictures_by_state(library: Library) -> None:
    location = add_root(library, Path("/photos"))
    add_root(library, Path("/empty"))
    put(library, location, b"1", b"2", b"3")
    with library.transaction() as connection:
        for relpath, state in ((b"4", PictureState.MISSING), (b"5", PictureState.FAILED), (b"6", PictureState.FAILED)):
            connection.execute(
                insert(Picture).values(root_id=location.root_id, relpath=relpath, size=1, mtime_ns=1, state=state)
            )
    assert [(str(root.path), root.present, root.missing, root.failed) for root in list_roots(library)] == [
        ("/photos", 3, 1, 2),
        ("/empty", 0, 0, 0),
    ]


def test_ensure_root_follows_symbolic_links_to_existing_roots(library: Library, tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    first = add_root(library, tmp_path / "link")
    assert first.root == tmp_path / "link"  # as it was named
    assert add_root(library, tmp_path / "real") == first
    assert add_root(library, tmp_path / "real" / "deep") == RootLocation(first.root_id, first.root, b"deep")
    assert len(list_roots(library)) == 1
    (tmp_path / "real-too").mkdir()
    assert add_root(library, tmp_path / "real-too").root_id != first.root_id
