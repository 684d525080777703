"""Paths of Windows, by the rules of Windows, on any system."""

from pathlib import Path

import pytest

from core.foreign_paths import absolute_path, folder_name, is_same_path, is_windows_path, parts_below


@pytest.mark.parametrize(
    ("path", "is_windows"),
    [
        (r"C:\Photos", True),
        ("C:/Photos", True),
        ("d:\\", True),
        (r"\\nas\photos\2021", True),
        (r"\\?\C:\very\long", True),
        ("C:Photos", False),  # relative to the current folder of the drive
        (r"\Photos", False),  # relative to the current drive
        ("/photos", False),
        ("//nas/photos", False),  # a path of POSIX
        ("photos", False),
        ("C:", False),
        ("", False),
    ],
)
def test_windows_paths_are_recognised(path: str, is_windows: bool) -> None:
    assert is_windows_path(path) is is_windows


@pytest.mark.parametrize(
    ("path", "folder", "parts"),
    [
        (r"C:\Photos\2021\a.jpg", r"c:\photos", ("2021", "a.jpg")),
        ("C:/Photos/2021", "C:\\Photos\\", ("2021",)),
        (r"\\NAS\photos\x", r"\\nas\photos", ("x",)),
        (r"C:\Photos", r"C:\Photos", ()),
        (r"C:\Photos-private\x", r"C:\Photos", None),
        (r"D:\Photos\x", r"C:\Photos", None),
        ("/photos/x", r"C:\Photos", None),
        ("/photos/x/y", "/photos", ("x", "y")),
        ("/Photos/x", "/photos", None),  # case counts
        ("/photos-private/x", "/photos", None),
    ],
)
def test_path_below_a_folder(path: str, folder: str, parts: tuple[str, ...] | None) -> None:
    assert parts_below(path, folder) == parts


def test_same_path_by_the_rules_of_its_system() -> None:
    assert is_same_path("C:\\Photos\\", "c:/photos")
    assert not is_same_path("/Photos", "/photos")
    assert not is_same_path("/Photos", "C:\\Photos")


def test_name_and_absolute_path() -> None:
    assert folder_name(r"C:\Users\anna\Pictures") == folder_name("/home/anna/Pictures/") == "Pictures"
    assert absolute_path(Path(r"C:\Photos")) == Path(r"C:\Photos")
    assert absolute_path(Path("photos")) == Path.cwd() / "photos"
