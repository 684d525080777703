"""Tags, albums and facets on the command line."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from store import Library

Sightline = Callable[..., Any]


@pytest.fixture
def filled(filled: Path, album: Path) -> Path:
    """Return the folder of the pictures instead of that of the library."""
    return album


def names(answer: Any) -> list[str]:
    return sorted(Path(line).name for line in answer.lines)


def test_tag_search_and_untag(sightline: Sightline, filled: Path) -> None:
    answer = sightline("tag", filled / "red.png", filled / "more", "Warm, bright")
    assert (answer.code, answer.text) == (0, "Tagged 2 pictures: Warm, bright.\n")
    found = sightline("search", "red", "--tag", "warm, BRIGHT", "--paths")
    assert names(found) == ["red.png", "yellow.png"]
    assert sightline("search", "red", 'tag:"warm, bright"', "--paths").out == found.out
    again = sightline("tag", filled / "red.png", "warm, bright", "--json")
    assert again.record == {"tag": "warm, bright", "pictures": 1, "changed": 0}
    assert sightline("tags").text == "       2  Warm, bright  (user)\n"
    assert sightline("tags", filled / "red.png", "--json").record == {
        "path": str(filled / "red.png"), "tag": "Warm, bright", "source": "user", "probability": None,
    }  # fmt: skip
    answer = sightline("untag", "--tag", "warm, bright", "Warm, Bright")
    assert (answer.code, answer.text) == (0, "Untagged 2 pictures: Warm, Bright.\n")
    assert sightline("tags").code == 1


def test_tag_results_of_query(sightline: Sightline, filled: Path) -> None:
    assert sightline("tag", "--query", "red", "-k", "1", "mine").code == 0
    assert names(sightline("search", "red", "--tag", "mine", "--paths")) == ["red.png"]
    assert sightline("tag", "--query", "tag:mine", "x").code == 2
    assert sightline("tag", "--query", "red -tag:mine", "-k", "1", "second").code == 0
    assert names(sightline("search", "red", "--tag", "second", "--paths")) != ["red.png"]


def test_tags_and_albums_do_not_wait_for_another_writer(
    sightline: Sightline, filled: Path, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(indexed.path) as other, other.exclusive():  # as an index run does
        monkeypatch.setattr(Library, "exclusive", lambda *_: pytest.fail("would wait for the other writer"))
        assert sightline("tag", filled / "red.png", "mine").code == 0
        assert sightline("untag", filled / "red.png", "mine").code == 0
        assert sightline("classify", "--labels", "red,blue", "--template", "{}", "--add-tags").code == 0
        assert sightline("album", "save", "Reds", "name:red*").code == 0
        assert sightline("album", "drop", "Reds").code == 0


def test_rate_and_search(sightline: Sightline, filled: Path) -> None:
    answer = sightline("rate", "4", filled / "red.png", filled / "more")
    assert (answer.code, answer.text) == (0, "Rated 2 pictures: ★★★★.\n")
    assert names(sightline("search", "rating:4", "--paths")) == ["red.png", "yellow.png"]
    answer = sightline("rate", "rejected", "--where", "rating:4", filled / "red.png", "--json")
    assert answer.record == {"rating": -1, "pictures": 1, "changed": 1}
    assert names(sightline("search", "rating:-1", "--paths")) == ["red.png"]
    again = sightline("rate", "rejected", filled / "red.png")
    assert (again.code, again.text) == (0, "Rated 0 pictures: rejected; 1 unchanged.\n")
    assert sightline("rate", "file", filled).text.startswith("Rated 2 pictures: as in the files; ")
    assert sightline("search", "has:rating", "--paths").code == 1
    assert sightline("rate", "6", filled).code == 2
    assert "Name pictures" in sightline("rate", "3").err


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_tag_reads_paths_from_stdin(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    data = b"".join(os.fsencode(filled / name) + end for name in ("red.png", "blue.png"))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
    assert sightline("tag", "-", "piped", "--json").record["changed"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tag", "x"], "Name pictures"),
        (["tag", "/nowhere/else.png", "x"], "contains no pictures at"),
        (["tag", "{album}/none.png", "x"], "contains no pictures at"),
        (["tag", "{album}", " "], "is not a valid name"),
        (["tag", "{album}", "--where", "speed>3", "x"], "Unknown field 'speed'"),
        (["album", "show", "none"], "Album 'none' not found"),
        (["album", "drop", "none"], "Album 'none' not found"),
        (["album", "save", "a"], "Give the album a query"),
        (["album", "save", "a", "album:other"], "Album 'other' not found"),
        (["facets", "red"], "Facets take only filters"),
        (["search", "red", "--where", "iso>>"], "is not a number"),
        (["search", "red", "--camera", " "], "needs a value"),
    ],
)
def test_invalid_arguments_exit_with_2(sightline: Sightline, filled: Path, arguments: list[str], message: str) -> None:
    answer = sightline(*(part.format(album=filled) for part in arguments))
    assert (answer.code, answer.out) == (2, b"")
    assert message in answer.err


def test_album_save_warns_of_redirected_comparison(sightline: Sightline, filled: Path) -> None:
    """`album save Best in:Rome rating:>=4` writes to a file called `=4`."""
    saved = sightline("album", "save", "Best", "in:Rome", "rating:")
    assert saved.code == 0
    assert "'rating:>=...'" in saved.err


def test_album_name_may_begin_with_dash(sightline: Sightline, filled: Path) -> None:
    assert sightline("album", "save", "-best", "name:blue").text == "Saved the album -best: name:blue\n"
    assert sightline("album", "list", "--json").record["album"] == "-best"


def test_album_of_filters(sightline: Sightline, filled: Path) -> None:
    assert sightline("album", "list").code == 1
    saved = sightline("album", "save", "Not red", "-name:red", "--where", "format:png")
    assert (saved.code, saved.text) == (0, "Saved the album Not red: -name:red format:png\n")
    assert names(sightline("album", "show", "not RED", "--paths")) == ["blue.png", "green.png", "yellow.png"]
    assert len(sightline("album", "show", "not red", "--json").records) == 3
    assert names(sightline("search", "red", 'album:"not red"', "--in", filled / "more", "--paths")) == ["yellow.png"]
    assert sightline("album", "save", "not red", "name:blue").text.startswith("Replaced")
    assert names(sightline("album", "show", "not red", "--paths")) == ["blue.png"]
    record = sightline("album", "list", "--json").record
    assert (record["album"], record["query"], record["ranked"]) == ("not red", "name:blue", False)
    assert (record["by_hand"], record["pictures"]) == (False, None)
    assert sightline("album", "drop", "not red").code == 0
    assert sightline("album", "list").code == 1


def test_saved_options_are_written_as_they_are_read(sightline: Sightline, filled: Path) -> None:
    assert sightline("album", "save", "a b", "name:red").code == 0
    options = ("--in", filled, "--in", filled / "more", "--where", "album:a b", "--tag", "my tag", "--after", "2020")
    folders = f'(in:"{filled}" or in:"{filled / "more"}")'
    terms = f'{folders} after:"2020" tag:"my tag" album:"a b"'
    for words, query in (([], terms), (["red"], f"red {terms}"), (["“red"], f"{terms} “red")):
        assert sightline("album", "save", "c", *words, *options).code == 0
        record = next(each for each in sightline("album", "list", "--json").records if each["album"] == "c")
        assert (record["query"], record["ranked"]) == (query, bool(words))


def test_album_of_words(sightline: Sightline, filled: Path) -> None:
    assert sightline("album", "save", "reds", "red", "-name:blue", "-k", "2").code == 0
    shown = sightline("album", "show", "reds", "--paths")
    assert shown.lines[0] == str(filled / "red.png")
    assert shown.out == sightline("search", "red", "-name:blue", "-k", "2", "--paths").out
    answer = sightline("search", "red", "album:reds")
    assert answer.code == 2
    assert "is ranked by a query" in answer.err


def test_album_stores_absolute_paths(
    sightline: Sightline, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "red.png").write_bytes((filled / "red.png").read_bytes())
    monkeypatch.chdir(filled)
    assert sightline("album", "save", "like", "./red.png", "+", "0.5:../album/red.png", "-k", "1").code == 0
    monkeypatch.chdir(tmp_path / "a b")
    assert sightline("album", "save", "blank", '"./red.png"', "-k", "1").code == 0
    refused = sightline("album", "save", "bare", "./red.png")
    assert (refused.code, "quotation marks" in refused.err) == (2, True)
    monkeypatch.chdir("/")
    for name in ("like", "blank"):
        assert names(sightline("album", "show", name, "--paths")) == ["red.png"]


def test_facets(sightline: Sightline, filled: Path) -> None:
    answer = sightline("facets", "--of", "format", "--of", "folder")
    assert answer.text == (
        f"4 pictures\n\nformat\n         4  PNG\n\nfolder\n         3  {filled}\n         1  {filled / 'more'}\n"
    )
    assert sightline("facets", "name:red", "--of", "format", "--json").record == {
        "facet": "format", "value": "PNG", "pictures": 1,
    }  # fmt: skip
    assert sightline("facets", "iso:>1").code == 1
    assert "and 1 more" in sightline("facets", "--of", "folder", "-k", "1").text


def test_huge_filter_is_refused(sightline: Sightline, filled: Path) -> None:
    answer = sightline("search", "red " + "iso:>1 or " * 100_000 + "iso:1")
    assert answer.code == 2
    assert "The filter is too large" in answer.err


def test_facets_counts_every_facet() -> None:
    """The command lists them itself, because its help does not import the catalogue."""
    from cli.commands.facets import FACET_NAMES
    from store.filters.facets import FACETS

    assert FACET_NAMES == FACETS
