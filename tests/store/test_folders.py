"""The folders of a library."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import insert

from store import Library
from store.catalog.tables import Content, Picture, PictureState, Root, RootKind
from store.folders import Folder, FolderContents, list_folder
from store.roots import ensure_root

Fill = Callable[..., int]

OUTSIDE = (
    "/..", "/../etc", "/a/..", "/a//b", "//", "/", "/a/", "/%2e%2e", "/a%2f..", "/.", "/nothing", "/a/x.png", "/a%00",
)  # fmt: skip
"""Paths in IDs that are no folder of the library."""


@pytest.fixture
def fill(library: Library) -> Iterator[Fill]:
    """Insert files into a root, each with a content of its own, and return the ID of the root."""
    made = 0

    def add(root: str, *names: bytes, state: PictureState = PictureState.PRESENT) -> int:
        nonlocal made
        with library.exclusive() as writer:
            location = ensure_root(writer, Path(root))
        with library.transaction() as connection:
            for name in names:
                made += 1
                values = {"digest": made.to_bytes(32), "size": 1, "format": "PNG", "width": 8, "height": 8}
                connection.execute(insert(Content).values(id=made, **values))
                row = {"root_id": location.root_id, "relpath": name, "size": 1, "mtime_ns": 1, "state": state}
                connection.execute(insert(Picture).values(content_id=made, **row))
        return location.root_id

    yield add


def listed(library: Library, folder_id: str | None = None) -> FolderContents:
    found = list_folder(library, folder_id)
    assert found is not None
    return found


def counts(folders: tuple[Folder, ...]) -> list[tuple[bytes, int, int, bool]]:
    return [(each.name, each.inside, each.below, each.has_folders) for each in folders]


def test_folders_have_counts_in_and_below(library: Library, fill: Fill) -> None:
    root = fill("/photos", b"a.png", b"2023/b.png", b"2023/rome/c.png", b"2023/rome/d.png", b"2023-old/e.png")
    top = listed(library)
    assert counts(top.folders) == [(b"photos", 1, 5, True)]
    assert (top.folder, top.folders[0].id, top.folders[0].path, top.folders[0].cover) == (
        None,
        str(root),
        b"/photos",
        5,
    )
    inner = listed(library, str(root))
    assert counts(inner.folders) == [(b"2023", 1, 3, True), (b"2023-old", 1, 1, False)]
    assert inner.folder == top.folders[0]
    year = listed(library, f"{root}/2023")
    assert counts(year.folders) == [(b"rome", 2, 2, False)]
    assert year.folder == inner.folders[0]
    rome = listed(library, f"{root}/2023/rome")
    assert [each.id for each in rome.above] == [str(root), f"{root}/2023"]
    assert [each.path for each in rome.above] == [b"/photos", b"/photos/2023"]
    assert (rome.folders, rome.total) == ((), 0)
    assert rome.folder == year.folders[0]


def test_roots_are_listed_by_path(library: Library, fill: Fill) -> None:
    fill("/z", b"a.png")
    fill("/b", b"x/a.png", b"y/a.png")
    assert [(each.path, each.below) for each in listed(library).folders] == [(b"/b", 2), (b"/z", 1)]


def test_folders_are_sorted_as_people_sort_them(library: Library, fill: Fill) -> None:
    root = fill("/photos", *(name + b"/a.png" for name in (b"Day 10", b"day 9", "Öst".encode(), b"Beach", b"\xff")))
    names = [each.name for each in listed(library, str(root)).folders]
    assert names == [b"Beach", b"day 9", b"Day 10", "Öst".encode(), b"\xff"]


def test_names_that_are_not_utf_8_can_be_opened(library: Library, fill: Fill) -> None:
    root = fill("/photos", b"b\xfc cher/%41+\\/a.png", b"b\xfc cher/b.png", "b\u00fc cher/c.png".encode())
    odd, plain = sorted(listed(library, str(root)).folders, key=lambda each: each.below, reverse=True)
    assert (odd.name, odd.below, plain.name, plain.below) == (b"b\xfc cher", 2, "b\u00fc cher".encode(), 1)
    (inner,) = listed(library, odd.id).folders
    assert inner.path == b"/photos/b\xfc cher/%41+\\"
    assert listed(library, inner.id).folder == inner


def test_only_present_pictures_count(library: Library, fill: Fill) -> None:
    root = fill("/photos", b"a/here.png")
    fill("/photos", b"a/gone.png", b"b/gone.png", state=PictureState.MISSING)
    fill("/photos", b"c/broken.png", state=PictureState.FAILED)
    assert counts(listed(library, str(root)).folders) == [(b"a", 1, 1, False)]
    assert list_folder(library, f"{root}/b") is None


def test_collections_have_documents_and_no_folders(library: Library) -> None:
    with library.transaction() as connection:
        row = {
            "path": b"imported:papers",
            "kind": RootKind.COLLECTION,
            "added_at": datetime.now(UTC).replace(tzinfo=None),
        }
        root = connection.execute(insert(Root).values(row).returning(Root.id)).scalar_one()
        for number, name in enumerate((b"2023/one", b"../etc/passwd"), 1):
            values = {"digest": bytes([number] * 32), "size": 0, "format": "", "width": 0, "height": 0}
            connection.execute(insert(Content).values(id=number, **values))
            document = {"root_id": root, "relpath": name, "size": 0, "mtime_ns": 0, "content_id": number}
            connection.execute(insert(Picture).values(state=PictureState.PRESENT, **document))
    (papers,) = listed(library).folders
    assert (papers.name, papers.kind, papers.inside, papers.below) == (b"papers", RootKind.COLLECTION, 2, 2)
    assert (papers.cover, papers.has_folders) == (None, False)
    assert listed(library, papers.id) == FolderContents(papers, (), (), 0)
    assert list_folder(library, f"{papers.id}/2023") is None


@pytest.mark.parametrize("path", OUTSIDE)
def test_ids_stay_in_the_library(library: Library, fill: Fill, path: str) -> None:
    root = fill("/photos", b"a/x.png")
    assert list_folder(library, f"{root}{path}") is None


@pytest.mark.parametrize("folder_id", ["0", "-1", "99", "x", "", "9" * 30, "1 ", "¹"])
def test_unknown_roots_have_no_folders(library: Library, folder_id: str) -> None:
    assert list_folder(library, folder_id) is None


def test_thousands_of_folders_are_listed_quickly(library: Library, fill: Fill) -> None:
    root = fill("/photos", *(b"%d/%d/a.png" % (number % 40, number) for number in range(4_000)))
    started = perf_counter()
    assert [each.below for each in listed(library, str(root)).folders] == [100] * 40
    assert listed(library, f"{root}/7").total == 100
    assert perf_counter() - started < 2  # a query for each folder would take longer
