"""The exception tree."""

import inspect
from pathlib import Path

import pytest

from core import errors
from core.errors import (
    LibraryNotFound,
    LibraryTooNew,
    LibraryUnusable,
    NoSuchFolder,
    PictureError,
    PictureTooLarge,
    RootUnavailable,
    SightlineError,
    UnknownModel,
)

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_one_of_ours_and_public(error: type[Exception]) -> None:
    assert issubclass(error, SightlineError)
    assert error.__name__ in errors.__all__


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [error.__name__ for error in ALL if f" {error.__name__}" not in drawn and error is not SightlineError] == []


def test_reasons_of_pictures_are_stable_words() -> None:
    kinds = [error for error in ALL if issubclass(error, PictureError)]
    assert {kind.reason for kind in kinds} == {"failed", "unreadable", "undecodable", "unsupported", "too-large"}
    assert {kind.reason for kind in kinds if kind.transient} == {"unreadable", "unsupported"}


def test_errors_carry_data_and_say_what_to_do(tmp_path: Path) -> None:
    path = Path("/photos")
    assert LibraryNotFound(path).path == path
    assert "sightline index" in str(LibraryNotFound(path))
    assert LibraryUnusable(path, "disk full").reason == "disk full"
    assert LibraryTooNew(path, "0009").revision == "0009"
    gone = RootUnavailable(path, 70, 2)
    assert (gone.root, gone.known, gone.found) == (path, 70, 2)
    assert "--accept-missing" in str(gone)
    assert UnknownModel("clop", ("mini", "fake")).known == ("mini", "fake")
    assert PictureTooLarge(10, 20, "too many").width == 10
    (tmp_path / "a.jpg").write_bytes(b"")
    assert "is a file" in str(NoSuchFolder(tmp_path / "a.jpg"))
    assert "no folder" in str(NoSuchFolder(tmp_path / "b"))
