"""After a recovery, an index run reads again what files have: the library then equals one that was indexed afresh."""

import importlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer.pipeline import index
from store import Library
from store.check import repair, verify
from store.database_file.records import INDEX_LEAF, TABLE_LEAF
from store.recovery import recover
from tests.store.recovery.test_faults import CATALOG, overwrite, page_numbers

pytestmark = pytest.mark.sqlite("recovers the pages of its file")

COUNT = 150
"""Enough that contents and pictures have several pages."""

TAKEN_AT, DESCRIPTION = 0x0132, 0x010E


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with times and titles."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        exif = Image.Exif()
        exif[TAKEN_AT] = f"2020:01:02 03:04:{number % 60:02}"
        exif[DESCRIPTION] = f"Title {number}"
        image = Image.new("RGB", (8 + number % 3, 8), (number, 255 - number, 40))
        image.save(folder / f"{number:03}.jpg", exif=exif)
    return folder


@pytest.fixture(scope="module")
def indexed_photos(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    """A library that no test may change."""
    path = tmp_path_factory.mktemp("indexed") / "library"
    with Library.open(path, create=True) as library:
        index(library, [folder], FakeEncoder())
        with library.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO tags (id, key, name) VALUES (1, 'sea', 'Sea')")
            connection.exec_driver_sql("UPDATE contents SET user_rating = id % 5 + 1")
            connection.exec_driver_sql(
                "INSERT INTO content_tags (tag_id, content_id, source) SELECT 1, id, 'user' FROM contents"
            )
    return path


def facts(path: Path, *without: str) -> list[tuple[Any, ...]]:
    """Return all that is known of each file, except the IDs of rows and the columns in `without`."""
    left_out = {"id", "root_id", "content_id", "anchor_id", *without}
    with closing(sqlite3.connect(path / CATALOG)) as connection:
        columns = [
            f"{table}.{row[1]}"
            for table in ("pictures", "contents", "embeddings", "likenesses")
            for row in connection.execute(f"PRAGMA table_info({table})")
            if row[1] not in left_out
        ]
        joined = " LEFT JOIN ".join(
            (
                "pictures",
                "contents ON contents.id = pictures.content_id",
                "embeddings ON embeddings.content_id = contents.id",
                "likenesses ON likenesses.content_id = contents.id",
            )
        )
        return connection.execute(f"SELECT {', '.join(columns)} FROM {joined} ORDER BY relpath").fetchall()


@pytest.mark.parametrize("table", ["contents", "pictures", "likenesses", "embeddings"])
def test_an_index_run_after_a_repair_reads_again_what_files_have(
    folder: Path, indexed_photos: Path, tmp_path: Path, table: str
) -> None:
    damaged = Path(shutil.copytree(indexed_photos, tmp_path / "library"))
    overwrite(damaged, page_numbers(damaged, table, TABLE_LEAF)[0])
    assert recover(damaged) is not None
    with Library.open(damaged) as library:
        repair(library)
        index(library, [folder], FakeEncoder())
        assert verify(library) == []
    ratings = ["user_rating"] if table == "contents" else []  # files do not have them
    assert facts(damaged, *ratings) == facts(indexed_photos, *ratings)


def test_a_repair_that_is_killed_after_the_swap_can_be_repeated(
    folder: Path, indexed_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vectors that were not copied from the index file yet are embedded again."""

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    damaged = Path(shutil.copytree(indexed_photos, tmp_path / "library"))
    for kind in (TABLE_LEAF, INDEX_LEAF):
        overwrite(damaged, page_numbers(damaged, "embeddings", kind)[0])
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("store.recovery.recover"), "restore_vectors", kill)
        with pytest.raises(Killed):
            recover(damaged)
    assert recover(damaged) is None
    with Library.open(damaged) as library:
        repair(library)
        index(library, [folder], FakeEncoder())
        assert verify(library) == []
    assert facts(damaged) == facts(indexed_photos)


def test_a_second_repair_keeps_contents_whose_pictures_are_gone(
    folder: Path, indexed_photos: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(indexed_photos, tmp_path / "library"))
    for kind in (TABLE_LEAF, INDEX_LEAF):
        for number in page_numbers(damaged, "pictures", kind):
            overwrite(damaged, number)
    assert recover(damaged) is not None
    for _ in range(2):
        assert recover(damaged) is None
        with Library.open(damaged) as library:
            repair(library)
    with Library.open(damaged) as library:
        index(library, [folder], FakeEncoder())
    assert facts(damaged) == facts(indexed_photos)
    with closing(sqlite3.connect(damaged / CATALOG)) as connection:
        assert connection.execute("SELECT count(*) FROM content_tags").fetchone() == (COUNT,)
