"""`sightline duplicates`."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.photos import photo

Sightline = Callable[..., Any]


@pytest.fixture
def doubles(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Index a picture in three formats with a copy, a unique picture, and two copies of a plain one."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    photo(1, 200, 200).save(folder / "best.png")
    photo(1, 200, 200).save(folder / "lossy.jpg", quality=80)
    photo(1, 200, 200).resize((90, 90)).save(folder / "more" / "small.png")
    shutil.copy(folder / "lossy.jpg", folder / "more" / "copy.jpg")
    photo(2).save(folder / "alone.png")
    Image.new("RGB", (50, 50), "black").save(folder / "black.png")
    shutil.copy(folder / "black.png", folder / "black2.png")
    index(library, [folder], FakeEncoder())
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    return folder


def test_duplicates_prints_groups(sightline: Sightline, doubles: Path) -> None:
    answer = sightline("duplicates")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.lines
    assert lines[0].startswith("4 files, ") and lines[0].endswith("best: largest file")
    assert lines[1].startswith(f"  * {doubles}/best.png  (200×200, PNG, ")
    assert {line.split("  (")[0].strip() for line in lines[2:5]} == {
        f"{doubles}/lossy.jpg", f"{doubles}/more/copy.jpg", f"{doubles}/more/small.png"
    }  # fmt: skip
    assert lines[5].startswith("2 files, ") and lines[5].endswith("best: an exact copy is as good")
    assert lines[-1].startswith("2 groups of 6 files; all but the best of each take ")


def test_json_contains_files_and_bytes(sightline: Sightline, doubles: Path) -> None:
    first, second = sightline("duplicates", "--json").records
    assert first["best"] == {"path": str(doubles / "best.png")}
    assert first["files"][0]["path"] == str(doubles / "best.png")
    sizes = {str(path): path.stat().st_size for path in doubles.rglob("*.*")}
    assert first["bytes"] == sum(sizes[file["path"]] for file in first["files"][1:])
    assert second["bytes"] == sizes[str(doubles / "black.png")]


def test_paths_omit_best_of_each_group(sightline: Sightline, doubles: Path) -> None:
    others = {doubles / "lossy.jpg", doubles / "more/copy.jpg", doubles / "more/small.png", doubles / "black2.png"}
    assert set(sightline("duplicates", "--paths").lines) == {str(path) for path in others}
    assert sightline("duplicates", "-0").out.count(b"\0") == 4


def test_in_limits_groups_to_folder(sightline: Sightline, doubles: Path) -> None:
    (group,) = sightline("duplicates", "--in", doubles / "more", "--json").records
    assert group["best"] == {"path": str(doubles / "more/copy.jpg")}
    assert sightline("duplicates", "--in", doubles.parent / "elsewhere").code == 2


def test_threshold_does_not_change_stored_groups(sightline: Sightline, doubles: Path) -> None:
    assert len(sightline("duplicates", "--threshold", "128", "--json").records[0]["files"]) == 4
    before = sightline("duplicates", "--json").out
    strict = sightline("duplicates", "--threshold", "0", "--json").records
    assert all(len(group["files"]) <= 4 for group in strict)
    assert sightline("duplicates", "--json").out == before


def test_no_groups_exit_with_1(sightline: Sightline, library: Library, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    photo(3).save(tmp_path / "one" / "a.png")
    index(library, [tmp_path / "one"], FakeEncoder())
    answer = sightline("--library", library.path, "duplicates")
    assert (answer.code, answer.out, answer.err) == (1, b"", "sightline: no near-duplicates were found\n")


@pytest.mark.parametrize("kind", ["png", "html"])
def test_sheet_changes_no_files(sightline: Sightline, doubles: Path, tmp_path: Path, kind: str) -> None:
    before = {path: path.read_bytes() for path in doubles.rglob("*.*")}
    sheet = tmp_path / f"sheet.{kind}"
    assert sightline("duplicates", "--sheet", sheet).code == 0
    assert sheet.stat().st_size > 1000
    if kind == "html":
        assert sheet.read_text().count("<li") == 6
        assert "best: largest file" in sheet.read_text()
    assert {path: path.read_bytes() for path in doubles.rglob("*.*")} == before


def test_table_lists_all_but_the_best(sightline: Sightline, doubles: Path, tmp_path: Path) -> None:
    file = tmp_path / "rest.csv"
    assert sightline("duplicates", "--csv", file, "--csv-bom").code == 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {Path(row["path"]).name for row in rows} == {"lossy.jpg", "copy.jpg", "small.png", "black2.png"}
    assert {row["best"] for row in rows if row["group"] == "1"} == {str(doubles / "best.png")}
    assert sightline("duplicates", "--csv", file).code == 2
    assert sightline("duplicates", "--csv-bom").code == 2


def test_pictures_are_told_apart(sightline: Sightline, doubles: Path) -> None:
    best, small, lossy = doubles / "best.png", doubles / "more" / "small.png", doubles / "lossy.jpg"
    assert sightline("distinct").code == 1
    told = sightline("distinct", small, "--from", best, "--from", lossy)
    assert (told.code, told.text) == (0, "Recorded as distinct: 2 pairs of pictures.\n")
    first, *_ = sightline("duplicates", "--json").records
    assert {Path(file["path"]).name for file in first["files"]} == {"best.png", "lossy.jpg", "copy.jpg"}
    assert small.name not in sightline("duplicates", "--threshold", "40", "--paths").text
    pairs = sightline("distinct", "--json").records
    assert {Path(picture["path"]).name for pair in pairs for picture in pair["pictures"]} == {
        "best.png", "small.png", "lossy.jpg"
    }  # fmt: skip
    assert len(sightline("distinct").lines) == 2
    assert sightline("distinct", best, small, "--json").record == {"pairs": 1, "changed": 0}
    undone = sightline("distinct", "--undo", small, best, lossy)
    assert undone.text == "Withdrew the verdict on 2 pairs of pictures; 1 unchanged.\n"
    assert small.name in sightline("duplicates", "--paths").text


def test_copies_cannot_be_told_apart(sightline: Sightline, doubles: Path) -> None:
    answer = sightline("distinct", doubles / "black.png", doubles / "black2.png")
    assert answer.code == 2
    assert "Copies of one file are always duplicates" in answer.err
