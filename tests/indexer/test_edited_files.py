"""User data about a picture when its file is edited, renamed or replaced."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, update

from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, index
from store import Library
from store.albums.by_hand import albums_with, contents_of_album, create_album
from store.albums.listing import summarize_album
from store.albums.records import find_album, set_cover
from store.catalog.tables import Content, DistinctPair, Picture, PictureState, ReplacedContent
from store.check import remove_orphans, verify
from store.tags import Tagging, add_tags, tags_of
from tests.support.photos import photo
from tests.support.writers import run_forget, run_repair


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos: 0.png, 1.png and 2.png."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        photo(number).save(folder / f"{number}.png")
    return folder


def run(library: Library, folder: Path, batch_size: int = 32) -> list[int]:
    """Index the folder; return the contents of its present files, by name."""
    index(library, [folder], FakeEncoder(batch_size=batch_size))
    with library.read() as connection:
        present = select(Picture.content_id).where(Picture.state == PictureState.PRESENT).order_by(Picture.relpath)
        return [content_id for content_id in connection.execute(present).scalars() if content_id is not None]


def stop(_: Connection) -> None:
    raise KeyboardInterrupt


def edit(folder: Path, name: str, seed: int) -> None:
    photo(seed).save(folder / name)
    os.utime(folder / name, ns=(1, seed))


def test_edited_file_keeps_its_tags_rating_albums_and_verdicts(library: Library, folder: Path) -> None:
    old, second, third = run(library, folder)
    create_album(library, "a", [third, old, second])
    set_cover(library, "a", old)
    add_tags(library, [Tagging(old, "mine")])
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == old).values(user_rating=4))
        connection.execute(insert(DistinctPair).values(first_id=old, second_id=second))
    edit(folder, "0.png", 30)
    new, *_ = run(library, folder)
    assert new not in {old, second, third}
    assert contents_of_album(library, "a") == [third, new, second]
    assert find_album(library, "a").cover == new
    assert [tag.name for tag in tags_of(library, [new])[new]] == ["mine"]
    with library.read() as connection:
        assert connection.scalar(select(Content.user_rating).where(Content.id == new)) == 4
        pairs = [tuple(row) for row in connection.execute(select(DistinctPair.first_id, DistinctPair.second_id))]
        assert connection.scalar(select(func.count()).select_from(ReplacedContent)) == 0
    assert (second, new) in pairs
    assert verify(library) == []


def test_undone_edit_restores_the_place_in_an_album(library: Library, folder: Path) -> None:
    old, second, _ = run(library, folder)
    create_album(library, "a", [old, second])
    before = (folder / "0.png").read_bytes()
    edit(folder, "0.png", 30)
    new, *_ = run(library, folder)
    assert contents_of_album(library, "a") == [new, second]
    (folder / "0.png").write_bytes(before)
    os.utime(folder / "0.png", ns=(5, 5))
    assert run(library, folder)[0] == old
    assert contents_of_album(library, "a") == [old, second]


@pytest.mark.parametrize("batch_size", [1, 32])
def test_files_renamed_in_a_row_keep_what_is_theirs(library: Library, folder: Path, batch_size: int) -> None:
    ids = run(library, folder)
    create_album(library, "a", ids)
    for name, new_name in (("2.png", "3.png"), ("1.png", "2.png"), ("0.png", "1.png")):
        (folder / name).rename(folder / new_name)
    edit(folder, "0.png", 30)
    after = run(library, folder, batch_size)
    assert after[1:] == ids
    assert contents_of_album(library, "a") == ids
    assert albums_with(library, after[0]) == []


def test_exchanged_files_keep_what_is_theirs(library: Library, folder: Path) -> None:
    first, second, _ = run(library, folder)
    create_album(library, "a", [first])
    for name, new_name in (("0.png", "x"), ("1.png", "0.png"), ("x", "1.png")):
        (folder / name).rename(folder / new_name)
    assert run(library, folder)[:2] == [second, first]
    assert contents_of_album(library, "a") == [first]


def test_moved_missing_and_restored_files_stay_in_albums(library: Library, folder: Path) -> None:
    first, second, _ = run(library, folder)
    create_album(library, "a", [second, first])
    (folder / "0.png").rename(folder / "moved.png")
    (folder / "1.png").rename(folder.parent / "away.png")
    run(library, folder)
    summary = summarize_album(library, "a")
    assert (summary.pictures, summary.missing, summary.cover) == (1, 1, first)
    (folder.parent / "away.png").rename(folder / "1.png")
    run(library, folder)
    assert summarize_album(library, "a").pictures == 2
    assert contents_of_album(library, "a") == [second, first]


def test_copy_that_is_edited_leaves_the_album_to_the_original(library: Library, folder: Path) -> None:
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    first, *_ = run(library, folder)
    create_album(library, "a", [first])
    edit(folder, "copy.png", 30)
    run(library, folder)
    assert contents_of_album(library, "a") == [first]


def test_killed_run_loses_nothing(library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, *_ = run(library, folder)
    create_album(library, "a", [old])
    edit(folder, "0.png", 30)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("indexer.publishing.carry_over", stop)
        run(library, folder)
    assert contents_of_album(library, "a") == [old]
    with library.transaction() as connection:
        assert remove_orphans(connection) == 0
    new, *_ = run(library, folder)
    assert contents_of_album(library, "a") == [new]
    with library.transaction() as connection:
        assert remove_orphans(connection) == 1


class StopAfter(Progress):
    """Stops a run when a number of files are written."""

    def __init__(self, files: int) -> None:
        self._left = files

    def advance(self, files: int) -> None:
        self._left -= files
        if self._left <= 0:
            raise KeyboardInterrupt


def run_until(library: Library, folder: Path, files: int) -> None:
    """Index the folder one file after another, and stop after some of them."""
    with pytest.raises(KeyboardInterrupt):
        index(library, [folder], FakeEncoder(batch_size=1), IndexSettings(workers=1), StopAfter(files))


def forget_another(library: Library, other: Path) -> None:
    run_forget(library, other)


def index_another(library: Library, other: Path) -> None:
    edit(other, "9.png", 90)
    index(library, [other], FakeEncoder())


def index_a_part(library: Library, other: Path) -> None:
    index(library, [other.parent / "photos" / "part"], FakeEncoder())


def try_failed_again(library: Library, other: Path) -> None:
    index(library, [other.parent / "photos"], FakeEncoder(), IndexSettings(only_failed=True))


def repair_all(library: Library, other: Path) -> None:
    run_repair(library)


BETWEEN = [forget_another, index_another, index_a_part, try_failed_again, repair_all]


@pytest.fixture
def other(library: Library, folder: Path, tmp_path: Path) -> Path:
    """Another root with one photo, 9.png. `folder` gets a subfolder with one photo as well."""
    for path in (tmp_path / "other" / "9.png", folder / "part" / "8.png"):
        path.parent.mkdir()
        photo(int(path.stem)).save(path)
    index(library, [tmp_path / "other"], FakeEncoder())
    return tmp_path / "other"


def content_at(library: Library, name: str) -> int | None:
    with library.read() as connection:
        return connection.scalar(select(Picture.content_id).where(Picture.relpath == os.fsencode(name)))


def rating_of(library: Library, content_id: int | None) -> int | None:
    with library.read() as connection:
        return connection.scalar(select(Content.user_rating).where(Content.id == content_id))


@pytest.mark.parametrize("between", BETWEEN)
def test_stopped_run_leaves_the_data_to_an_original_that_was_kept(
    library: Library, folder: Path, other: Path, between: Callable[[Library, Path], None]
) -> None:
    run(library, folder)
    old = content_at(library, "0.png")
    assert old is not None
    create_album(library, "a", [old])
    add_tags(library, [Tagging(old, "mine")])
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == old).values(user_rating=4))
    (folder / "0.png").rename(folder / "zz.png")
    edit(folder, "0.png", 30)
    run_until(library, folder, 1)
    new = content_at(library, "0.png")
    assert new != old
    between(library, other)
    run(library, folder)
    assert content_at(library, "zz.png") == old
    assert contents_of_album(library, "a") == [old]
    assert [tag.name for tag in tags_of(library, [old])[old]] == ["mine"]
    assert (rating_of(library, old), rating_of(library, new)) == (4, None)
    assert verify(library) == []


@pytest.mark.parametrize("between", BETWEEN)
def test_stopped_run_keeps_the_data_of_renumbered_files(
    library: Library, folder: Path, other: Path, between: Callable[[Library, Path], None]
) -> None:
    """2.png becomes 3.png, 0.png becomes 2.png, and a copy of 1.png takes its place."""
    run(library, folder)
    ids = [content_at(library, f"{number}.png") for number in range(3)]
    create_album(library, "a", [content_id for content_id in ids if content_id is not None])
    for name, new_name in (("2.png", "3.png"), ("0.png", "2.png")):
        (folder / name).rename(folder / new_name)
    (folder / "0.png").write_bytes((folder / "1.png").read_bytes())
    photo(40).save(folder / "1a.png")  # must be embedded, and so ends the first batch
    run_until(library, folder, 1)
    assert [content_at(library, name) for name in ("0.png", "2.png", "3.png")] == [ids[1], ids[2], None]
    between(library, other)
    run(library, folder)
    assert [content_at(library, f"{number}.png") for number in range(4)] == [ids[1], ids[1], ids[0], ids[2]]
    assert contents_of_album(library, "a") == ids
    assert verify(library) == []


def test_stopped_run_keeps_the_data_of_a_file_that_left_its_place_to_a_damaged_one(
    library: Library, folder: Path, other: Path
) -> None:
    run(library, folder)
    old = content_at(library, "0.png")
    assert old is not None
    create_album(library, "a", [old])
    (folder / "0.png").rename(folder / "zz.png")
    (folder / "0.png").write_bytes(b"no picture")
    photo(40).save(folder / "1a.png")  # must be embedded, and so ends the first batch
    run_until(library, folder, 1)
    assert content_at(library, "1a.png") is not None
    assert (content_at(library, "0.png"), content_at(library, "zz.png")) == (None, None)
    run_forget(library, other)
    run(library, folder)
    assert content_at(library, "zz.png") == old
    assert contents_of_album(library, "a") == [old]


def test_edited_copy_waits_for_a_stopped_run_that_replaced_the_content_too(
    library: Library, folder: Path, other: Path
) -> None:
    (folder / "0.png").write_bytes((other / "9.png").read_bytes())
    run(library, folder)
    old = content_at(library, "9.png")
    assert old is not None
    create_album(library, "a", [old])
    (other / "9.png").rename(other / "zz.png")
    edit(other, "9.png", 30)
    run_until(library, other, 1)
    edit(folder, "0.png", 31)
    run(library, folder)
    assert contents_of_album(library, "a") == [old]
    run(library, other)
    assert content_at(library, "zz.png") == old
    assert contents_of_album(library, "a") == [old]


def test_stopped_run_keeps_the_data_when_its_root_is_merged_into_another(
    library: Library, folder: Path, other: Path
) -> None:
    run(library, folder)
    old = content_at(library, "0.png")
    assert old is not None
    create_album(library, "a", [old])
    edit(folder, "0.png", 30)
    run_until(library, folder, 1)
    run_forget(library, other)
    index(library, [folder.parent], FakeEncoder())
    assert contents_of_album(library, "a") == [content_at(library, "photos/0.png")]


def test_forget_removes_the_contents_that_a_stopped_run_replaced(library: Library, folder: Path) -> None:
    run(library, folder)
    edit(folder, "0.png", 30)
    run_until(library, folder, 1)
    run_forget(library, folder)
    with library.read() as connection:
        for table in (Content, ReplacedContent):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_two_pictures_overwritten_with_the_same_bytes_both_keep_their_data(library: Library, folder: Path) -> None:
    first, second, third = run(library, folder)
    create_album(library, "a", [first, third])
    create_album(library, "b", [second])
    add_tags(library, [Tagging(first, "one"), Tagging(second, "two")])
    edit(folder, "0.png", 30)
    edit(folder, "1.png", 30)
    new, same, _ = run(library, folder)
    assert new == same
    assert contents_of_album(library, "a") == [new, third]
    assert contents_of_album(library, "b") == [new]
    assert {tag.name for tag in tags_of(library, [new])[new]} == {"one", "two"}


def test_file_edited_again_after_a_stopped_run_keeps_its_data(library: Library, folder: Path) -> None:
    old, *_ = run(library, folder)
    create_album(library, "a", [old])
    edit(folder, "0.png", 30)
    run_until(library, folder, 1)
    edit(folder, "0.png", 31)
    new, *_ = run(library, folder)
    assert contents_of_album(library, "a") == [new]
