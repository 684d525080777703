"""`sightline migrate`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from store import Library

Sightline = Callable[..., Any]


def test_migrate_copies_a_library(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    sightline("tag", album / "red.png", "Rome")
    target = tmp_path / "copy"
    planned = sightline("migrate", filled, target, "--dry-run")
    assert planned.lines[1:5] == ["  1 folders", "  4 pictures", "  4 different contents", "  4 vectors"]
    assert not target.exists()
    done = sightline("migrate", filled, target)
    assert (done.code, done.err) == (0, "")
    with Library.open(target) as copy:
        assert done.lines[0].endswith(f" rows to {copy.location}; every value was compared:")
    assert done.lines[1:6] == [*planned.lines[1:5], "  1 tags of pictures"]
    assert sightline("search", "red", "-k", "1", "--paths", "--library", target).text == f"{album / 'red.png'}\n"
    assert sightline("verify", "--library", target).code == 0
    assert sightline("index", album, "--library", target, "--json").record["unchanged"] == 4


def test_migrate_says_what_was_compared(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    planned = sightline("migrate", filled, tmp_path / "first", "--dry-run", "--json").record
    first = sightline("migrate", filled, tmp_path / "first", "--json").record
    second = sightline("migrate", tmp_path / "first", tmp_path / "second", "--json").record
    assert first["tables"] == second["tables"]
    assert {table["name"]: table["rows"] for table in first["tables"]} == planned["rows"]
    assert first["total"] == planned["total"] == sum(planned["rows"].values())
    (vectors,) = (table for table in first["tables"] if table["name"] == "embeddings")
    assert (vectors["rows"], len(vectors["digest"])) == (4, 64)


def test_migrate_into_a_library_with_pictures_is_refused(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    sightline("migrate", filled, tmp_path / "copy")
    for options in ([], ["--dry-run"]):
        refused = sightline("migrate", filled, tmp_path / "copy", *options)
        assert (refused.code, refused.text) == (2, "")
        assert "is not an empty library" in refused.err
        assert "Hint: Name a folder that does not exist yet, or an empty database." in refused.err
    missing = sightline("migrate", tmp_path / "nothing", tmp_path / "new")
    assert (missing.code, "There is no library" in missing.err) == (2, True)
    assert not (tmp_path / "new").exists()


def test_migrate_into_a_folder_with_other_files_is_refused(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "documents"
    target.mkdir()
    (target / "letter.txt").write_text("Dear Anna")
    for options in ([], ["--dry-run"]):
        refused = sightline("migrate", filled, target, *options)
        assert (refused.code, refused.text) == (2, "")
        assert "is not an empty library: the folder has other files, such as letter.txt." in refused.err
    assert [path.name for path in target.iterdir()] == ["letter.txt"]
    file = sightline("migrate", filled, target / "letter.txt")
    assert (file.code, file.text) == (2, "")
    assert (target / "letter.txt").read_text() == "Dear Anna"


def test_migrate_into_an_empty_folder_works(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    """Also into one in which a library was being created when the process was killed."""
    for name, entries in (("empty", []), ("begun", ["indexes"]), ("disk", ["lost+found"])):
        for entry in entries:
            (tmp_path / name / entry).mkdir(parents=True)
        (tmp_path / name).mkdir(exist_ok=True)
        assert sightline("migrate", filled, tmp_path / name).code == 0
        assert sightline("search", "red", "-k", "1", "--library", tmp_path / name).code == 0
