"""Changes between two index runs: files missing, restored, moved, edited, copied or broken; and unusual names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Cli

Paint = Callable[..., list[Path]]

COLOURS = {"red": "red", "green": "lime", "blue": "blue", "sun": "yellow"}


def test_folder_emptied_and_filled_again_is_restored(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder, away = tmp_path / "photos", tmp_path / "away"
    paths = paint(folder, **COLOURS)
    cli.index_in_process(folder)

    folder.rename(away)
    folder.mkdir()
    error = cli("index", folder, code=2).stderr
    assert b"contained 4 pictures and now contains 0. Is it mounted? Nothing was changed." in error
    assert sorted(cli.find("red")) == sorted(paths)
    folder.rmdir()
    assert b"Is it mounted?" in cli("index", folder, code=2).stderr
    assert sorted(cli.find("red")) == sorted(paths)
    away.rename(folder)
    assert cli.index_in_process(folder) == {"unchanged": 4}

    folder.rename(away)
    folder.mkdir()
    assert cli.index(folder, "--accept-missing") == {"missing": 4}
    assert cli("search", "red", code=1).stdout == b""
    assert cli.embedded() == 4
    folder.rmdir()
    away.rename(folder)
    assert cli.index(folder) == {"restored": 4}
    assert sorted(cli.find("red")) == sorted(paths)
    assert cli.is_intact()


def test_unmounted_folder_does_not_affect_folders_before_it(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    here, away = tmp_path / "here", tmp_path / "away"
    paint(here, red="red")
    paint(away, blue="blue")
    cli.index_in_process(here)
    cli.index_in_process(away)
    (away / "blue.png").unlink()
    (green,) = paint(here, green="lime")
    assert b"Is it mounted?" in cli("index", here, away, code=2).stderr
    assert cli.is_intact()
    assert cli.find("green")[0] == green
    assert len(cli.find("green")) == 3


def test_moved_edited_copied_and_broken_files(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    red, green, blue, sun = paint(folder, **COLOURS)
    cli.index_in_process(folder)
    vectors = cli.vectors()

    (folder / "2021").mkdir()
    red.rename(folder / "2021" / "rose.png")
    shutil.copy(green, folder / "grass.png")
    moved = {"moved": 1, "new": 1, "duplicates": 1, "unchanged": 3}
    assert cli.index(folder) == {**moved, "metadata_updated": 1}  # the new name could have another date
    assert cli.vectors() == vectors
    (hit,) = cli.lines("search", "green", "-k", "1")
    assert (hit["path"], hit["copies"]) == (str(green), [str(folder / "grass.png")])

    paint(folder, blue="magenta")
    sun.write_bytes(b"no picture any more")
    assert cli.index_in_process(folder) == {"changed": 1, "embedded": 1, "failed": 1, "unchanged": 3}
    assert sorted(cli.find("red")) == sorted([folder / "2021" / "rose.png", green, blue])
    assert cli.find("magenta")[0] == blue
    assert cli.is_intact()


def test_unmounted_root_keeps_its_pictures_when_copies_are_indexed(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    disk, backup = tmp_path / "disk", tmp_path / "backup"
    paths = paint(disk, **COLOURS)
    shutil.copytree(disk, backup)
    cli.index_in_process(disk)
    disk.rename(tmp_path / "unmounted")
    disk.mkdir()
    assert cli.index_in_process(backup) == {"new": 4, "duplicates": 4}
    disk.rmdir()
    (tmp_path / "unmounted").rename(disk)
    assert cli.index_in_process(disk) == {"unchanged": 4}
    assert sorted(cli.find("red")) == sorted(paths)


def test_missing_file_restored_together_with_a_copy(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, keep="blue")
    (late,) = paint(folder, z="red")
    cli.index_in_process(folder)
    late.rename(tmp_path / "z.png")
    assert cli.index_in_process(folder) == {"unchanged": 1, "missing": 1}
    # Restored with another modification time, so that it must be read, and after a copy of it has been read.
    shutil.copyfile(tmp_path / "z.png", folder / "a.png")
    shutil.copyfile(tmp_path / "z.png", late)
    cli.index_in_process(folder)
    assert cli.query("SELECT relpath, state FROM pictures ORDER BY relpath") == [
        (name, "present") for name in (b"a.png", b"keep.png", b"z.png")
    ]


def test_names_with_newlines_or_invalid_utf8(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    (plain,) = paint(tmp_path / "photos", plain="red")
    names = [b"caf\xe9.png", b"two\nlines.png", b"\xff\xfe", "雪 🐈.png".encode()]
    names[2] += b".png"
    folder = os.fsencode(tmp_path / "photos")
    try:
        for name in names:
            shutil.copy(bytes(plain), os.path.join(folder, name))  # noqa: PTH118 (bytes)
    except OSError:
        pytest.skip("this file system wants UTF-8")
    plain.unlink()
    # Bytes after the end of a PNG turn one picture into four contents.
    for number, name in enumerate(names):
        with open(os.path.join(folder, name), "ab") as file:  # noqa: PTH118, PTH123 (bytes)
            file.write(b"%d" % number)
    assert cli.index(folder) == {"new": 4, "embedded": 4}
    printed = cli("search", "red", "-0").stdout
    assert sorted(printed.removesuffix(b"\0").split(b"\0")) == sorted(folder + b"/" + name for name in names)
    records = cli.lines("search", "red")
    assert sorted(record["path"] for record in records)[-1].endswith("雪 🐈.png")
    assert sum("path_b64" in record for record in records) == 2
    latin = os.path.join(folder, names[0])  # noqa: PTH118 (bytes)
    assert cli.lines("forget", latin) == [{"forgotten": 1}]
    assert len(cli.find("red")) == 3


def test_file_of_extreme_size_or_date_affects_only_its_row(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    future, past, _ = paint(folder, future="red", past="lime", now="blue")
    try:
        os.utime(future, ns=(0, 10**19))  # the year 2286: beyond 64 bits of nanoseconds
    except (OSError, OverflowError):
        pytest.skip("this file system knows no such year")
    os.utime(past, ns=(0, -(10**18)))
    (folder / "huge.jpg").touch()
    os.truncate(folder / "huge.jpg", 100 << 30)  # a sparse file: needs no disk space
    assert cli.index(folder) == {"new": 3, "embedded": 3, "failed": 1}
    assert cli.query("SELECT reason FROM failures") == [("too-large",)]
    assert cli.index_in_process(folder) == {"unchanged": 3, "failed": 1}
