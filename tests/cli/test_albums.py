"""Albums put together by hand on the command line."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Sightline = Callable[..., Any]


@pytest.fixture
def filled(filled: Path, album: Path) -> Path:
    """Return the folder of the pictures instead of that of the library."""
    return album


def shown(sightline: Sightline, name: str) -> list[str]:
    """The names of the pictures of an album, in its order."""
    return [Path(line).name for line in sightline("album", "show", name, "--paths").lines]


def test_album_by_hand_is_created_filled_and_shown_in_its_order(sightline: Sightline, filled: Path) -> None:
    created = sightline("album", "create", " My  best ", filled / "red.png", filled / "blue.png")
    assert created.err == ""
    assert (created.code, created.text) == (0, "Created the album My best with 2 pictures.\n")
    added = sightline("album", "add", "MY BEST", filled / "green.png", filled / "red.png", "--json")
    assert added.record == {"album": "My best", "changed": 1}
    assert shown(sightline, "my best") == ["red.png", "blue.png", "green.png"]
    assert sightline("album", "list").text == "       3  My best\n"
    assert sightline("album", "list", "--json").record == {
        "album": "My best",
        "query": "",
        "ranked": False,
        "by_hand": True,
        "pictures": 3,
        "missing": 0,
    }
    removed = sightline("album", "remove", "my best", "--where", "name:blue*")
    assert removed.text == "Removed from the album My best: 1 picture.\n"
    assert sightline("album", "remove", "my best", filled / "blue.png").code == 1
    found = sightline("search", "red", '-album:"My best"', "--paths")
    assert sorted(Path(line).name for line in found.lines) == ["blue.png", "yellow.png"]
    assert sightline("album", "drop", "my best").code == 0
    assert sightline("album", "list").code == 1


def test_album_is_filled_by_a_search_and_from_standard_input(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sightline("album", "create", "a").text == "Created the album a with 0 pictures.\n"
    assert sightline("album", "add", "a", "--query", "red", "-k", "1").code == 0
    paths = f"{filled / 'more' / 'yellow.png'}\0{filled / 'blue.png'}\0".encode()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(paths), isatty=lambda: False))
    assert sightline("album", "add", "a", "-").code == 0
    assert shown(sightline, "a")[1:] == ["yellow.png", "blue.png"]
    assert len(shown(sightline, "a")) == 3


def test_pictures_are_moved_within_the_album(sightline: Sightline, filled: Path) -> None:
    red, green, blue = (filled / f"{name}.png" for name in ("red", "green", "blue"))
    sightline("album", "create", "a", red, green, blue)
    for arguments, order in (
        ([blue], ["blue", "red", "green"]),
        ([blue, "--last"], ["red", "green", "blue"]),
        ([blue, red, "--before", green], ["blue", "red", "green"]),
    ):
        assert sightline("album", "order", "a", *arguments).code == 0
        assert shown(sightline, "a") == [f"{name}.png" for name in order]
    assert sightline("album", "order", "a", red, "--last", "--before", blue).code == 2


def test_cover_and_name(sightline: Sightline, filled: Path) -> None:
    sightline("album", "create", "a", filled / "red.png", filled / "blue.png")
    sightline("album", "save", "not a", "-album:a")
    assert sightline("album", "cover", "A", filled / "blue.png").text == f"The album a shows {filled / 'blue.png'}.\n"
    assert sightline("album", "cover", "a").text == "The album a shows its first picture.\n"
    assert sightline("album", "rename", "a", "b c").text == "Renamed the album a to b c.\n"
    assert sightline("album", "list").lines == ["       2  b c", '       -  not a  (-album:"b c")']
    assert sorted(shown(sightline, "not a")) == ["green.png", "yellow.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "hand"], "An album called 'hand' exists already"),
        (["create", "Saved"], "An album called 'saved' exists already"),
        (["save", "hand", "name:a"], "An album called 'hand' exists already"),
        (["rename", "hand", "saved"], "An album called 'saved' exists already"),
        (["rename", "none", "x"], "Album 'none' not found"),
        (["add", "saved", "{folder}"], "is a saved search"),
        (["add", "none", "{folder}"], "Album 'none' not found"),
        (["add", "hand", "{folder}/none.png"], "contains no pictures at"),
        (["add", "hand"], "Name pictures, or select some"),
        (["order", "hand", "{folder}/blue.png"], "does not contain the picture"),
        (["cover", "hand", "{folder}/blue.png"], "does not contain the picture"),
        (["cover", "hand", "{folder}"], "Name one picture: there are 4"),
        (["create", " "], "is not a valid name"),
    ],
)
def test_mistakes_are_explained(sightline: Sightline, filled: Path, arguments: list[str], message: str) -> None:
    sightline("album", "create", "hand", filled / "red.png")
    sightline("album", "save", "saved", "name:blue*")
    answer = sightline("album", *(part.format(folder=filled) for part in arguments))
    assert answer.code == 2
    assert message in answer.err
    assert shown(sightline, "hand") == ["red.png"]


def test_search_in_a_folder_whose_name_is_not_utf8_is_not_saved(sightline: Sightline, filled: Path) -> None:
    folder = filled / "caf\udce9"
    for words in ((f'in:"{folder}"',), ("--in", folder)):
        refused = sightline("album", "save", "Café", *words)
        assert (refused.code, refused.out) == (2, b"")
        assert refused.err.startswith("sightline: The search contains bytes that are not valid text.")
    assert sightline("album", "list").code == 1
