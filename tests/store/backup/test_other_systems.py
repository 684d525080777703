"""Snapshots that were written on Windows or macOS, restored here. What those systems write is simulated."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from search.query_language.moved_folders import with_folders_moved
from store import Library
from store.backup import restoring
from store.backup.outcomes import Outcome, Statement
from store.backup.records import FilePlace, PictureName, PictureRecord, Record, SavedAlbum, kind_of
from store.backup.restore_context import RestoreSettings
from store.backup.restoring import restore
from store.backup.snapshot_file import Snapshot, SnapshotHeader, SnapshotRoot, open_snapshot, write_snapshot
from store.catalog.path_keys import path_columns
from store.catalog.tables import Picture, RootKind
from store.tags import tags_of
from tests.store.backup.conftest import add_pictures, digest_of
from tests.support.albums import list_albums

UNKNOWN = digest_of(99)


def written(folder: Path, root: str, records: Sequence[Record]) -> Snapshot:
    """A snapshot of a library with the root `root`."""
    roots = (SnapshotRoot(root.encode(), RootKind.FOLDER),)
    counts = Counter(kind_of(record) for record in records)
    header = SnapshotHeader("0" * 16, datetime(2026, 1, 1), roots, counts=counts)  # noqa: DTZ001 (all are UTC)
    write_snapshot(folder / "said.jsonl", header, records)
    return open_snapshot(folder / "said.jsonl")


def tagged(path: str) -> PictureRecord:
    """A picture whose content is not here any more, so that it is recognised by its path."""
    return PictureRecord(PictureName(UNKNOWN, (FilePlace(0, path.encode()),)), ("rome",))


@pytest.fixture
def picture(library: Library, tmp_path: Path) -> int:
    """A picture at `Pictures/2021/Café.png`, as Linux writes the name."""
    ids = add_pictures(library, tmp_path / "Pictures", 1)
    name = unicodedata.normalize("NFC", "2021/Café.png").encode()
    with library.transaction() as connection:
        connection.execute(update(Picture).values(relpath=name, **path_columns(name)))
    return ids[1]


@pytest.mark.parametrize(
    ("root", "path"),
    [
        (r"C:\Users\anna\Pictures", "2021/Café.png"),
        (r"\\nas\home\pictures", "2021/café.PNG"),
        ("/Users/anna/Pictures", unicodedata.normalize("NFD", "2021/Café.png")),
    ],
)
def test_pictures_are_recognised_by_the_paths_of_other_systems(
    library: Library, picture: int, tmp_path: Path, root: str, path: str
) -> None:
    report = restore(library, written(tmp_path, root, [tagged(path)]))
    assert report.counts[Statement.TAGS] == {Outcome.RESTORED: 1}
    assert [tag.name for tag in tags_of(library, [picture])[picture]] == ["rome"]


def test_exact_path_decides_between_names_that_differ_in_case(library: Library, picture: int, tmp_path: Path) -> None:
    with library.transaction() as connection:
        root_id = connection.scalar(Picture.__table__.select().with_only_columns(Picture.root_id))
        for name in (b"one.png", b"ONE.png"):
            values = {"root_id": root_id, "relpath": name, "size": 1, "mtime_ns": 1, "content_id": picture}
            connection.execute(insert(Picture).values(**values, state="present"))
    report = restore(library, written(tmp_path, "/Pictures", [tagged("One.png")]))
    assert report.counts[Statement.TAGS] == {Outcome.UNKNOWN: 1}
    report = restore(library, written(tmp_path, "/Pictures", [tagged("ONE.png")]))
    assert report.counts[Statement.TAGS] == {Outcome.RESTORED: 1}


def tagged_as(number: int, path: str, tag: str) -> PictureRecord:
    return PictureRecord(PictureName(digest_of(number), (FilePlace(0, path.encode()),)), (tag,))


@pytest.mark.parametrize("order", [1, -1])
def test_picture_whose_name_differs_in_case_does_not_get_the_tags_of_another(
    library: Library, picture: int, tmp_path: Path, order: int
) -> None:
    records = [tagged_as(98, "2021/Café.png", "mine"), tagged_as(99, "2021/CAFÉ.png", "of another picture")]
    report = restore(library, written(tmp_path, "/Pictures", records[::order]))
    assert report.counts[Statement.TAGS] == {Outcome.RESTORED: 1, Outcome.UNKNOWN: 1}
    assert [tag.name for tag in tags_of(library, [picture])[picture]] == ["mine"]


def test_no_path_decides_if_two_pictures_had_it_in_other_cases(
    library: Library, picture: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "BATCH", 1)  # each is matched by itself
    records = [tagged_as(98, "2021/café.PNG", "one"), tagged_as(99, "2021/CAFÉ.png", "another")]
    report = restore(library, written(tmp_path, "/Pictures", records))
    assert report.counts[Statement.TAGS] == {Outcome.UNKNOWN: 2}


def test_file_that_could_not_be_read_counts_among_names_that_differ_in_case(
    library: Library, picture: int, tmp_path: Path
) -> None:
    with library.transaction() as connection:
        root_id = connection.scalar(Picture.__table__.select().with_only_columns(Picture.root_id))
        values = {"root_id": root_id, "relpath": "2021/CAFÉ.png".encode(), "size": 1, "mtime_ns": 1}
        connection.execute(insert(Picture).values(**values, state="failed"))
    report = restore(library, written(tmp_path, "/Pictures", [tagged("2021/café.png")]))
    assert report.counts[Statement.TAGS] == {Outcome.UNKNOWN: 1}


def test_folder_of_windows_is_named_with_its_new_place(library: Library, picture: int, tmp_path: Path) -> None:
    condition = '{"ranked": false, "where": ["test", "in", "eq", false, [["path", "D:\\\\Photos\\\\2021"]]]}'
    album = SavedAlbum("b", False, datetime(2026, 1, 1), r'in:"D:\\Photos\\2021"', condition)  # noqa: DTZ001
    snapshot = written(tmp_path, r"D:\Photos", [tagged("2021/Café.png"), album])
    settings = RestoreSettings(moved={Path(r"d:\photos"): tmp_path / "Pictures"})
    report = restore(library, snapshot, settings, move_paths=with_folders_moved)
    assert report.counts[Statement.TAGS] == {Outcome.RESTORED: 1}
    (restored,) = list_albums(library)
    assert restored.query == f'in:"{tmp_path / "Pictures" / "2021"}"'
    with library.read() as connection:
        stored = connection.exec_driver_sql("SELECT condition FROM albums").scalar()
    assert str(tmp_path / "Pictures" / "2021") in str(stored)
