"""What is stored of paths stays right when files and folders are moved, renamed, merged and forgotten."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from encoders.fake import FakeEncoder
from indexer import index
from search.filters import field_condition
from store import Library
from store.catalog.tables import Picture
from store.check import repair, verify
from store.derived_columns import find_wrong_blocks, find_wrong_paths
from store.filters.selection import matching_ids
from store.folders import list_folder
from store.kept_counts.keeping import count_everything
from store.moved_roots import move_roots
from tests.support.writers import run_forget


def require_right(library: Library, folders: dict[str, int]) -> None:
    """Check all rows, the folders with their present files, and that a pattern finds the files of each folder."""
    with library.read() as connection:
        assert find_wrong_paths(connection) == []
        assert find_wrong_blocks(connection) == []
    counts = count_everything(library).folders
    assert {path.decode(): count.files for (_, path), count in counts.items()} == folders
    for folder in folders:
        number = sum(each for name, each in folders.items() if f"{name}/".startswith(f"{folder}/"))
        found = matching_ids(library, field_condition("path", f"*/{folder.upper()}/*.PNG"))
        assert len(found) == number


def test_columns_of_paths_follow_every_change(
    library: Library, album: Path, encoder: FakeEncoder, tmp_path: Path
) -> None:
    root = tmp_path / "Root"
    inner = root / "Sea" / "Été"
    shutil.copytree(album, inner, ignore=shutil.ignore_patterns("more"))
    number = len(list(inner.glob("*.png")))
    index(library, root / "Sea", encoder)
    require_right(library, {"Été": number})
    (inner / "red.png").rename(inner.parent / "Red Renamed.PNG")
    index(library, root / "Sea", encoder)  # a file that moved keeps its row
    require_right_in(library, b"Red Renamed.PNG", "red renamed.png")
    index(library, root, encoder)  # the root is merged into the new one
    with library.read() as connection:
        assert find_wrong_paths(connection) == []
        assert {row.folder for row in connection.execute(select(Picture.folder))} == {b"Sea", "Sea/Été".encode()}
    require_right(library, {"Sea": 1, "Sea/Été": number - 1})
    (root / "Sea").rename(root / "Lake")
    index(library, root, encoder)
    require_right(library, {"Lake": 1, "Lake/Été": number - 1})
    shutil.copytree(root, tmp_path / "Moved")
    move_roots(library, root, tmp_path / "Moved")
    require_right(library, {"Lake": 1, "Lake/Été": number - 1})
    run_forget(library, tmp_path / "Moved" / "Lake" / "Red Renamed.PNG")
    require_right(library, {"Lake/Été": number - 1})
    shutil.rmtree(tmp_path / "Moved" / "Lake" / "Été")
    index(library, tmp_path / "Moved", encoder)
    assert list_folder(library) is not None


def require_right_in(library: Library, relpath: bytes, key: str) -> None:
    with library.read() as connection:
        row = connection.execute(select(Picture.path_key, Picture.folder).where(Picture.relpath == relpath)).one()
        assert (row.path_key, row.folder) == (key, b"")
        assert find_wrong_paths(connection) == []
        assert find_wrong_blocks(connection) == []


def insert_as_an_earlier_version(library: Library, relpaths: list[bytes]) -> None:
    """Insert pictures with the columns that version 0011 knew, by a connection without functions of Sightline."""
    with closing(sqlite3.connect(library.path / "catalog.sqlite")) as connection, connection:
        root_id, content_id = connection.execute("SELECT root_id, content_id FROM pictures LIMIT 1").fetchone()
        connection.executemany(
            "INSERT INTO pictures (root_id, relpath, size, mtime_ns, content_id, state) VALUES (?, ?, 1, 1, ?, ?)",
            [(root_id, relpath, content_id, "present") for relpath in relpaths],
        )


@pytest.mark.sqlite("writes to its file as an earlier version does")
def test_pictures_that_an_earlier_version_adds_after_the_upgrade_are_completed_by_the_next_run(
    library: Library, album: Path, encoder: FakeEncoder
) -> None:
    index(library, album, encoder)
    written = [b"Sea/Old One.PNG", b"top.png", b"Sea/caf\xe9.png"]
    for relpath in written:
        (album / os.fsdecode(relpath)).parent.mkdir(exist_ok=True)
        shutil.copy(os.fsencode(album / "red.png"), os.path.join(os.fsencode(album), relpath))  # noqa: PTH118
    insert_as_an_earlier_version(library, written)
    with library.read() as connection:
        assert len(find_wrong_paths(connection)) == 3
    assert [fault.kind for fault in verify(library)] == ["derived"]
    assert len(matching_ids(library, field_condition("path", "*/sea/*"))) == 0
    index(library, album / "Sea", encoder)  # a run over a folder completes what is in it
    with library.read() as connection:
        assert len(find_wrong_paths(connection)) == 1
    index(library, album, encoder)
    with library.read() as connection:
        assert find_wrong_paths(connection) == []
        keys = connection.execute(select(Picture.folder, Picture.name_key).where(Picture.relpath == written[0])).one()
    assert tuple(keys) == (b"Sea", "old one.png")
    assert len(matching_ids(library, field_condition("path", "*/sea/*"))) == 1  # all are copies of one content
    assert verify(library) == []


@pytest.mark.sqlite("writes to its file as an earlier version does")
def test_an_earlier_version_may_also_be_followed_by_a_repair(
    library: Library, album: Path, encoder: FakeEncoder
) -> None:
    index(library, album, encoder)
    insert_as_an_earlier_version(library, [b"Sea/Old One.PNG"])
    assert "corrected what is stored of the paths of 1 pictures" in repair(library)
    assert verify(library) == []
