"""Two libraries have records of one file: which one counts."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from store import Library
from store.catalog.tables import Picture
from store.check import verify
from store.tags import tags_of
from tests.support.merging import (
    embedded_by_a_run,
    files_of,
    ids_of,
    merge_into,
    tag,
)

Paint = Callable[..., Path]


def test_record_that_fits_the_file_decides(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "a"
    paint(folder / "edited.png", "red")
    paint(folder / "reverted.png", "blue")
    library = make("one", folder)
    tag(library, "mine", ids_of(library, "edited.png"))
    kept = (folder / "reverted.png").read_bytes(), (folder / "reverted.png").stat()
    paint(folder / "edited.png", "green", (9, 9))
    paint(folder / "reverted.png", "yellow", (11, 11))
    other = make("other", folder)
    tag(other, "theirs", ids_of(other, "reverted.png"))
    (folder / "reverted.png").write_bytes(kept[0])
    os.utime(folder / "reverted.png", ns=(kept[1].st_atime_ns, kept[1].st_mtime_ns))
    report = merge_into(library, other)
    assert report.pictures == {"taken": 1, "kept": 1}
    assert not verify(library)
    assert embedded_by_a_run(library, folder) == 0
    edited, reverted = ids_of(library, "edited.png", "reverted.png")
    tags = tags_of(library, [edited, reverted])
    assert [tag.name for tag in tags[edited]] == ["mine"]  # it stays with the file
    assert [tag.name for tag in tags[reverted]] == ["theirs"]  # recognised by its path


def test_file_that_only_the_other_could_read(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    with library.transaction() as connection:
        picture = connection.scalar(select(Picture.id))
        connection.execute(text("UPDATE pictures SET content_id = NULL, state = 'failed'"))
        connection.execute(
            text(
                "INSERT INTO failures VALUES (:id, 'extra', 'needs an extra', false, 1, '2026-01-01 00:00:00.000000')"
            ),
            {"id": picture},
        )
    report = merge_into(library, other)
    assert report.pictures == {"taken": 1}
    assert files_of(library) == files_of(other)
    with library.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM failures")) == 0


def test_file_that_only_this_library_could_read_is_here_already(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    with other.transaction() as connection:
        connection.execute(text("UPDATE pictures SET content_id = NULL, state = 'failed'"))
    files = files_of(library)
    assert merge_into(library, other).pictures == {"present": 1}
    assert files_of(library) == files


@pytest.mark.parametrize("is_there", [True, False])
def test_missing_picture_is_present_if_the_other_library_has_its_file(
    make: Callable[..., Library], tmp_path: Path, paint: Paint, is_there: bool
) -> None:
    for name in ("red", "blue"):
        paint(tmp_path / "a" / f"{name}.png", name)
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "a")
    (tmp_path / "a" / "red.png").rename(tmp_path / "away.png")
    index(library, [tmp_path / "a"], FakeEncoder(), IndexSettings(accept_missing=True))
    if is_there:
        (tmp_path / "away.png").rename(tmp_path / "a" / "red.png")
    assert merge_into(library, other).pictures == ({"new": 1, "present": 1} if is_there else {"present": 2})
    states = {Path(path).name: state for path, _, state in files_of(library)}
    assert states == {"red.png": "present" if is_there else "missing", "blue.png": "present"}
    assert not verify(library)
    summary = index(library, [tmp_path / "a"], FakeEncoder())
    assert (summary.new, summary.changed, summary.embedded) == (0, 0, 0)


def test_record_of_a_linked_file_is_compared_with_the_file_itself(
    make: Callable[..., Library], tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "elsewhere.png", "red")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    library = make("one", tmp_path / "a")
    paint(tmp_path / "elsewhere.png", "green", (9, 9))
    other = make("other", tmp_path / "a")
    assert merge_into(library, other).pictures == {"taken": 1}
    assert files_of(library) == files_of(other)
