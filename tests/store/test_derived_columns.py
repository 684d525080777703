"""What is stored of paths stays right when files and folders are moved, renamed, merged and forgotten."""

import shutil
from pathlib import Path

from sqlalchemy import select

from encoders.fake import FakeEncoder
from indexer import index
from search.filters import field_condition
from store import Library
from store.catalog.tables import Picture
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
