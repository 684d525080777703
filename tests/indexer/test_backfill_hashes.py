"""Perceptual hashes of real files: computed during indexing, and later for pictures that have none."""

from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import delete, select, update

from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from pictures.frame_pixels import DecodeSettings
from store import Library
from store.catalog.tables import Content, PerceptualHashRow, Picture
from tests.support.photos import photo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them in three versions, and two plain pictures without a hash."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(1).save(folder / "one.png")
    photo(1).save(folder / "one.jpg", quality=70)
    photo(1).resize((80, 80)).save(folder / "small.png")
    photo(2).save(folder / "other.png")
    Image.new("RGB", (90, 90), "black").save(folder / "black.png")
    Image.new("RGB", (91, 91), "black").save(folder / "blacker.png")
    return folder


def groups(library: Library) -> set[frozenset[str]]:
    """Return the file names of each group."""
    statement = select(PerceptualHashRow.anchor_id, Picture.relpath).join(
        Picture, Picture.content_id == PerceptualHashRow.content_id
    )
    found: dict[int | None, set[str]] = {}
    with library.read() as connection:
        for anchor, relpath in connection.execute(statement):
            found.setdefault(anchor, set()).add(relpath.decode())
    return {frozenset(names) for names in found.values()}


EXPECTED = {
    frozenset({"one.png", "one.jpg", "small.png"}),
    frozenset({"other.png"}),
    frozenset({"black.png", "blacker.png"}),  # these are not in a group
}


def test_index_groups_near_duplicates(library: Library, folder: Path) -> None:
    index(library, [folder], FakeEncoder())
    assert groups(library) == EXPECTED
    photo(1).save(folder / "later.bmp")
    index(library, [folder], FakeEncoder())
    assert frozenset({"one.png", "one.jpg", "small.png", "later.bmp"}) in groups(library)


def test_index_computes_missing_hashes_without_embedding(library: Library, folder: Path) -> None:
    index(library, [folder], FakeEncoder())
    with library.transaction() as connection:
        connection.execute(delete(PerceptualHashRow))
    summary = index(library, [folder], FakeEncoder())
    assert (summary.embedded, summary.unchanged) == (0, 6)
    assert groups(library) == EXPECTED
    with library.transaction() as connection:
        connection.execute(update(PerceptualHashRow).values(version=0))
    index(library, [folder], FakeEncoder())
    assert groups(library) == EXPECTED


def test_changed_files_are_not_hashed(library: Library, folder: Path) -> None:
    import os

    index(library, [folder], FakeEncoder())
    with library.transaction() as connection:
        connection.execute(delete(PerceptualHashRow))
    file = folder / "other.png"
    before, length = file.stat(), file.stat().st_size
    file.write_bytes(b"\0" * length)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    index(library, [folder], FakeEncoder())
    assert groups(library) == EXPECTED - {frozenset({"other.png"})}


def colors(library: Library) -> dict[str, int | None]:
    """Return the average colour of each file by its name."""
    statement = select(Picture.relpath, Content.color).join(Content, Content.id == Picture.content_id)
    with library.read() as connection:
        return {relpath.decode(): color for relpath, color in connection.execute(statement)}


def test_average_colours_are_stored_and_filled_in_later(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    Image.new("RGB", (90, 70), (10, 200, 30)).save(folder / "green.png")
    half = Image.new("RGB", (80, 80), "white")
    half.paste("black", (0, 0, 80, 40))
    half.save(folder / "half.png")
    index(library, [folder], FakeEncoder())
    expected = {"green.png": 0x0AC81E, "half.png": 0x808080}  # (255 + 0) / 2, rounded up
    assert colors(library) == expected
    with library.transaction() as connection:
        connection.execute(update(Content).values(color=None))
    summary = index(library, [folder], FakeEncoder())
    assert (summary.embedded, colors(library)) == (0, expected)


def test_hash_of_a_picture_that_a_lower_limit_refuses_is_kept(library: Library, folder: Path) -> None:
    """Only its colour is missing, as after an upgrade."""
    index(library, [folder], FakeEncoder())
    with library.transaction() as connection:
        connection.execute(update(Content).values(color=None))
    index(library, [folder], FakeEncoder(), IndexSettings(decode=DecodeSettings(max_pixels=10)))
    assert groups(library) == EXPECTED
    assert None not in colors(library).values()
