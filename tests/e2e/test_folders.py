"""What happens to folders and files between two runs: gone, back, moved, edited, copied, broken; and odd names."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli

Paint = Callable[..., list[Path]]

COLOURS = {"red": "red", "green": "lime", "blue": "blue", "sun": "yellow"}


def test_a_folder_emptied_and_filled_again(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder, away = tmp_path / "photos", tmp_path / "away"
    paths = paint(folder, **COLOURS)
    cli.take(folder)

    folder.rename(away)
    folder.mkdir()
    error = cli("index", folder, code=2).stderr
    assert b"held 4 pictures and now shows 0: is it mounted? Nothing was changed" in error
    assert sorted(cli.find("red")) == sorted(paths)
    folder.rmdir()
    assert b"is it mounted?" in cli("index", folder, code=2).stderr
    assert sorted(cli.find("red")) == sorted(paths)
    away.rename(folder)
    assert cli.take(folder) == {"unchanged": 4}

    folder.rename(away)
    folder.mkdir()
    assert cli.index(folder, "--accept-missing") == {"missing": 4}
    assert cli("search", "red", code=1).stdout == b""
    assert cli.embedded() == 4
    folder.rmdir()
    away.rename(folder)
    assert cli.index(folder) == {"restored": 4}
    assert sorted(cli.find("red")) == sorted(paths)
    assert cli.is_whole()


def test_a_folder_that_is_not_mounted_leaves_the_one_before_it_settled(
    cli: "Cli", tmp_path: Path, paint: Paint
) -> None:
    here, away = tmp_path / "here", tmp_path / "away"
    paint(here, red="red")
    paint(away, blue="blue")
    cli.take(here)
    cli.take(away)
    (away / "blue.png").unlink()
    (green,) = paint(here, green="lime")
    assert b"is it mounted?" in cli("index", here, away, code=2).stderr
    assert cli.is_whole()
    assert cli.find("green")[0] == green
    assert len(cli.find("green")) == 3


def test_moved_edited_copied_broken(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    red, green, blue, sun = paint(folder, **COLOURS)
    cli.take(folder)
    vectors = cli.vectors()

    (folder / "2021").mkdir()
    red.rename(folder / "2021" / "rose.png")
    shutil.copy(green, folder / "grass.png")
    assert cli.index(folder) == {"moved": 1, "new": 1, "duplicates": 1, "unchanged": 3}
    assert cli.vectors() == vectors
    (hit,) = cli.lines("search", "green", "-k", "1")
    assert (hit["path"], hit["copies"]) == (str(green), [str(folder / "grass.png")])

    paint(folder, blue="magenta")
    sun.write_bytes(b"no picture any more")
    assert cli.take(folder) == {"changed": 1, "embedded": 1, "failed": 1, "unchanged": 3}
    assert sorted(cli.find("red")) == sorted([folder / "2021" / "rose.png", green, blue])
    assert cli.find("magenta")[0] == blue
    assert cli.is_whole()


def test_a_root_that_is_not_mounted_keeps_its_pictures_when_copies_of_them_turn_up(
    cli: "Cli", tmp_path: Path, paint: Paint
) -> None:
    disk, backup = tmp_path / "disk", tmp_path / "backup"
    paths = paint(disk, **COLOURS)
    shutil.copytree(disk, backup)
    cli.take(disk)
    disk.rename(tmp_path / "unmounted")
    disk.mkdir()
    assert cli.take(backup) == {"new": 4, "duplicates": 4}
    disk.rmdir()
    (tmp_path / "unmounted").rename(disk)
    assert cli.take(disk) == {"unchanged": 4}
    assert sorted(cli.find("red")) == sorted(paths)


def test_a_missing_file_that_comes_back_together_with_a_copy(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, keep="blue")
    (late,) = paint(folder, z="red")
    cli.take(folder)
    late.rename(tmp_path / "z.png")
    assert cli.take(folder) == {"unchanged": 1, "missing": 1}
    # Back with another time, so that it must be read, and after a copy of it has been read.
    shutil.copyfile(tmp_path / "z.png", folder / "a.png")
    shutil.copyfile(tmp_path / "z.png", late)
    cli.take(folder)
    assert cli.ask("SELECT relpath, state FROM pictures ORDER BY relpath") == [
        (name, "present") for name in (b"a.png", b"keep.png", b"z.png")
    ]


def test_names_that_are_not_utf8_and_names_of_two_lines(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
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
    # Bytes after the end of a PNG make four pictures of one.
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


def test_one_file_of_any_size_or_date_costs_one_row(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    future, past, _ = paint(folder, future="red", past="lime", now="blue")
    try:
        os.utime(future, ns=(0, 10**19))  # the year 2286: beyond 64 bits of nanoseconds
    except (OSError, OverflowError):
        pytest.skip("this file system knows no such year")
    os.utime(past, ns=(0, -(10**18)))
    (folder / "huge.jpg").touch()
    os.truncate(folder / "huge.jpg", 100 << 30)  # a hole: takes no room
    assert cli.index(folder) == {"new": 3, "embedded": 3, "failed": 1}
    assert cli.ask("SELECT reason FROM failures") == [("too-large",)]
    assert cli.take(folder) == {"unchanged": 3, "failed": 1}
