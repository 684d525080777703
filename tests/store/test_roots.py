"""Roots never overlap, and names are bytes."""

import os
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from store import Library
from store.catalog.tables import Picture, Root, State
from store.roots import Place, count_present, ensure_root, find_place, list_roots, within


def put(library: Library, place: Place, *relpaths: bytes) -> None:
    """Pictures in a root, without the trouble of indexing them."""
    with library.write() as connection:
        for relpath in relpaths:
            connection.execute(
                insert(Picture).values(root_id=place.root_id, relpath=relpath, size=1, mtime_ns=1, state=State.PRESENT)
            )


def known(library: Library, place: Place) -> list[bytes]:
    with library.read() as connection:
        return sorted(connection.execute(select(Picture.relpath).where(*within(place))).scalars())


def roots(library: Library) -> list[bytes]:
    with library.read() as connection:
        return list(connection.execute(select(Root.path).order_by(Root.id)).scalars())


def test_a_folder_becomes_a_root_once(library: Library) -> None:
    first = ensure_root(library, Path("/photos"))
    assert first == ensure_root(library, Path("/photos/")) == ensure_root(library, Path("/photos/x/.."))
    assert (first.root, first.beneath) == (Path("/photos"), b"")
    assert roots(library) == [b"/photos"]


def test_a_folder_beneath_a_root_is_a_part_of_it(library: Library) -> None:
    outer = ensure_root(library, Path("/photos"))
    part = ensure_root(library, Path("/photos/2021/may"))
    assert part == Place(outer.root_id, Path("/photos"), b"2021/may")
    assert roots(library) == [b"/photos"]


def test_names_that_begin_alike_are_different_folders(library: Library) -> None:
    ensure_root(library, Path("/photos"))
    ensure_root(library, Path("/photos-private"))
    assert roots(library) == [b"/photos", b"/photos-private"]
    assert find_place(library, Path("/photos-other")) is None
    place = find_place(library, Path("/photos-private/a.jpg"))
    assert place is not None
    assert place.beneath == b"a.jpg"


def test_roots_beneath_a_new_root_become_parts_of_it(library: Library) -> None:
    may = ensure_root(library, Path("/photos/2021/may"))
    june = ensure_root(library, Path("/photos/2021/june"))
    private = ensure_root(library, Path("/photos-private"))
    put(library, may, b"1.jpg", b"x/2.jpg")
    put(library, june, b"1.jpg")
    put(library, private, b"secret.jpg")
    outer = ensure_root(library, Path("/photos"))
    assert roots(library) == [b"/photos-private", b"/photos"]
    assert known(library, outer) == [b"2021/june/1.jpg", b"2021/may/1.jpg", b"2021/may/x/2.jpg"]
    assert known(library, private) == [b"secret.jpg"]
    assert ensure_root(library, Path("/photos/2021/may")).beneath == b"2021/may"


def test_the_root_of_all_takes_everything_in(library: Library) -> None:
    put(library, ensure_root(library, Path("/photos")), b"1.jpg")
    everything = ensure_root(library, Path("/"))
    assert roots(library) == [b"/"]
    assert known(library, everything) == [b"photos/1.jpg"]
    place = find_place(library, Path("/photos"))
    assert place is not None
    assert (place.root, place.beneath) == (Path("/"), b"photos")


@pytest.mark.parametrize("folder", [b"a_c", b"100%", b"*", b"[ab]", b"caf\xe9", "夏".encode(), b"a'b", b"a\nb"])
def test_any_name_means_itself_alone(library: Library, folder: bytes) -> None:
    place = ensure_root(library, Path("/photos"))
    others = [b"abc/1.jpg", b"100 and more/1.jpg", b"a/1.jpg", b"cafe/1.jpg", folder + b".jpg", folder + b"0/1.jpg"]
    put(library, place, folder + b"/1.jpg", folder + b"/x/\xff.jpg", *others)
    part = ensure_root(library, Path("/photos") / os.fsdecode(folder))
    assert known(library, part) == [folder + b"/1.jpg", folder + b"/x/\xff.jpg"]
    assert count_present(library, part) == 2
    assert count_present(library, place) == 8


def test_a_root_may_have_any_name(library: Library) -> None:
    path = Path(os.fsdecode(b"/mnt/caf\xe9 100%_"))
    place = ensure_root(library, path)
    put(library, place, b"1.jpg")
    assert find_place(library, path / "1.jpg") == Place(place.root_id, path, b"1.jpg")
    assert list_roots(library)[0].path == path


def test_a_picture_is_within_its_own_path(library: Library) -> None:
    place = ensure_root(library, Path("/photos"))
    put(library, place, b"1.jpg", b"1.jpg.bak")
    picture = find_place(library, Path("/photos/1.jpg"))
    assert picture is not None
    assert known(library, picture) == [b"1.jpg"]


def test_roots_are_counted_by_state(library: Library) -> None:
    place = ensure_root(library, Path("/photos"))
    ensure_root(library, Path("/empty"))
    put(library, place, b"1", b"2", b"3")
    with library.write() as connection:
        for relpath, state in ((b"4", State.MISSING), (b"5", State.FAILED), (b"6", State.FAILED)):
            connection.execute(
                insert(Picture).values(root_id=place.root_id, relpath=relpath, size=1, mtime_ns=1, state=state)
            )
    assert [(str(root.path), root.present, root.missing, root.failed) for root in list_roots(library)] == [
        ("/photos", 3, 1, 2),
        ("/empty", 0, 0, 0),
    ]


def test_a_folder_under_another_name_is_the_root_it_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    first = ensure_root(library, tmp_path / "link")
    assert first.root == tmp_path / "link"  # as it was named
    assert ensure_root(library, tmp_path / "real") == first
    assert ensure_root(library, tmp_path / "real" / "deep") == Place(first.root_id, first.root, b"deep")
    assert len(list_roots(library)) == 1
    (tmp_path / "real-too").mkdir()
    assert ensure_root(library, tmp_path / "real-too").root_id != first.root_id
