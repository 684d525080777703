"""Runs over some folders of a root."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import RootUnavailable
from encoders.fake import FakeEncoder
from indexer import index
from indexer.changed_folders import ChangedFolders
from indexer.index_changed import index_changed
from indexer.scan import ScanSettings, scan
from store import Library
from store.catalog.tables import Picture, PictureState
from store.tags import Tagging, add_tags, tags_of
from tests.support.indexing import CountingEncoder, nonzero_counts

Paint = Callable[..., Path]


def folders(*names: bytes, trees: tuple[bytes, ...] = (), unsettled: tuple[bytes, ...] = ()) -> ChangedFolders:
    return ChangedFolders(frozenset(names), frozenset(trees), frozenset(unsettled))


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    """Pictures a.png, one/b.png, one/deep/c.png, two/d.png."""
    for name, colour in (("a", "red"), ("one/b", "green"), ("one/deep/c", "blue"), ("two/d", "white")):
        paint(tmp_path / "root" / f"{name}.png", colour)
    return tmp_path / "root"


def states(library: Library) -> dict[str, PictureState]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.state).order_by(Picture.relpath))
        return {os.fsdecode(row.relpath): row.state for row in rows}


def content_of(library: Library, relpath: bytes) -> int:
    with library.read() as connection:
        content = connection.scalar(select(Picture.content_id).where(Picture.relpath == relpath))
    assert content is not None
    return content


@pytest.mark.parametrize(
    ("changed", "found", "left_out"),
    [
        (folders(b""), [b"a.png"], [b"one", b"two"]),
        (folders(b"one"), [b"a.png", b"one/b.png"], [b"one/deep", b"two"]),
        (folders(trees=(b"one",)), [b"a.png", b"one/b.png", b"one/deep/c.png"], [b"two"]),
        (folders(b"one/deep", unsettled=(b"a.png",)), [b"one/b.png", b"one/deep/c.png"], [b"a.png", b"two"]),
        (folders(trees=(b"",)), [b"a.png", b"one/b.png", b"one/deep/c.png", b"two/d.png"], []),
    ],
)
def test_scan_opens_changed_folders_only(
    root: Path, changed: ChangedFolders, found: list[bytes], left_out: list[bytes]
) -> None:
    walk = scan(root, ScanSettings(changed=changed))
    assert [file.relpath for file in walk] == found
    assert walk.left_out == left_out


def test_run_sees_changes_in_changed_folders_only(
    library: Library, root: Path, counting: CountingEncoder, paint: Paint
) -> None:
    index(library, root, counting)
    paint(root / "one" / "new.png", "yellow")
    (root / "one" / "b.png").unlink()
    (root / "two" / "d.png").unlink()
    summary = index_changed(library, root, folders(b"one"), counting)
    assert nonzero_counts(summary) == {"new": 1, "missing": 1, "embedded": 1}
    assert states(library) == {
        "a.png": PictureState.PRESENT,
        "one/b.png": PictureState.MISSING,
        "one/deep/c.png": PictureState.PRESENT,
        "one/new.png": PictureState.PRESENT,
        "two/d.png": PictureState.PRESENT,
    }


def test_folder_that_was_renamed_is_moved(library: Library, root: Path, counting: CountingEncoder) -> None:
    index(library, root, counting)
    (root / "one").rename(root / "three")
    summary = index_changed(library, root, folders(b"", trees=(b"three",)), counting)
    assert nonzero_counts(summary) == {"unchanged": 1, "moved": 2}
    assert counting.embedded == 4


def test_deleted_folder_is_missing(library: Library, root: Path, counting: CountingEncoder) -> None:
    index(library, root, counting)
    shutil.rmtree(root / "one")
    summary = index_changed(library, root, folders(b"one", b"one/deep"), counting)
    assert nonzero_counts(summary) == {"unchanged": 1, "missing": 2}


def test_emptied_folder_without_a_deleted_file_is_kept(library: Library, root: Path, counting: CountingEncoder) -> None:
    """It is the mount point of a disk that is away."""
    index(library, root, counting)
    shutil.rmtree(root / "one")
    (root / "one").mkdir()
    summary = index_changed(library, root, folders(b"", trees=(b"one",)), counting)
    assert nonzero_counts(summary) == {"unchanged": 1}
    assert set(states(library).values()) == {PictureState.PRESENT}


def test_change_in_an_ignored_folder_is_no_error(
    library: Library, root: Path, counting: CountingEncoder, paint: Paint
) -> None:
    (root / ".sightlineignore").write_text("private/\n")
    index(library, root, counting)
    paint(root / "private" / "e.png", "black")
    assert nonzero_counts(index_changed(library, root, folders(b"private"), counting)) == {}


def test_root_that_would_be_empty_is_refused(library: Library, root: Path, counting: CountingEncoder) -> None:
    index(library, root, counting)
    for path in root.iterdir():
        path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(RootUnavailable, match="contained 4 pictures and now contains 0"):
        index_changed(library, root, folders(b""), counting)
    assert set(states(library).values()) == {PictureState.PRESENT}


def test_moving_every_picture_is_not_refused(library: Library, root: Path, counting: CountingEncoder) -> None:
    index(library, root, counting)
    (root / "all").mkdir()
    for path in list(root.iterdir()):
        if path.name != "all":
            path.rename(root / "all" / path.name)
    summary = index_changed(library, root, folders(b"", trees=(b"all",)), counting)
    assert nonzero_counts(summary) == {"moved": 4}


def test_edited_file_keeps_its_tags(library: Library, root: Path, encoder: FakeEncoder, paint: Paint) -> None:
    index(library, root, encoder)
    content = content_of(library, b"two/d.png")
    add_tags(library, [Tagging(content, "holiday")])
    paint(root / "two" / "d.png", "black")
    assert nonzero_counts(index_changed(library, root, folders(b"two"), encoder))["changed"] == 1
    edited = content_of(library, b"two/d.png")
    assert edited != content
    assert [tag.name for tag in tags_of(library, [edited])[edited]] == ["holiday"]


def test_root_that_became_part_of_another_one_is_indexed_there(
    library: Library, root: Path, encoder: FakeEncoder, paint: Paint
) -> None:
    index(library, root, encoder)
    index(library, root.parent, encoder)
    paint(root / "two" / "e.png", "black")
    assert nonzero_counts(index_changed(library, root, folders(b"two"), encoder))["new"] == 1
    assert "root/two/e.png" in states(library)


def test_root_that_was_forgotten_is_not_added_again(library: Library, root: Path, encoder: FakeEncoder) -> None:
    assert nonzero_counts(index_changed(library, root, folders(b""), encoder)) == {}
    assert states(library) == {}


@pytest.mark.parametrize("value", [None, {}, {"folders": ["../x"], "trees": [], "unsettled": []}, {"folders": "a"}])
def test_invalid_parameters_of_a_job_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"expected|not a path"):
        ChangedFolders.from_json(value)


def test_folders_are_the_same_after_json() -> None:
    changed = folders(b"a/\xff", b"", trees=(b"b",), unsettled=(b"c.jpg",))
    assert ChangedFolders.from_json(changed.to_json()) == changed


def test_folders_of_a_disk_that_is_away_are_left_out() -> None:
    changed = folders(b"", b"disk", b"disk/a", b"disk-2", trees=(b"disk/b",))
    assert changed.without([b"disk"]) == folders(b"", b"disk-2")
