"""`sightline search`: the query language on the command line, pages, parts, feedback, files of queries."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.query_options import line_of
from search.query_cache import FILE

Sightline = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("a", "dog", "-", "in", "snow"), "a dog - in snow"),
        (("a beach", "+", "0.5:sunset at sea", "-", "people"), '"a beach" + 0.5:"sunset at sea" - people'),
        (("beach", "in:My Pictures"), 'beach in:"My Pictures"'),
        (("beach", "-in:My Pictures"), 'beach -in:"My Pictures"'),
        (("beach", "-red car"), 'beach -"red car"'),
        (("./my cat.jpg", "on a sofa"), '"./my cat.jpg" on a sofa'),
        (("a beach + sunset",), "a beach + sunset"),
        (('"a beach" - people',), '"a beach" - people'),
        (("Note: a dog", "in snow"), "Note: a dog in snow"),
        (("3:30 pm", "at night"), "3:30 pm at night"),
    ],
)  # fmt: skip
def test_what_the_shell_took_away_is_put_back(words: tuple[str, ...], line: str) -> None:
    assert line_of(words) == line


def stems(answer: Any) -> list[str]:
    return [Path(line).stem for line in answer.lines]


def test_the_query_language(sightline: Sightline, filled: Path, album: Path) -> None:
    assert stems(sightline("search", "red", "+", "green", "--paths", "-k", "1")) == ["yellow"]
    for away in (["-green"], ["-", "2:green"], ["-green", "-blue"]):
        plain, turned = (sightline("search", "red", *rest, "--json").records for rest in ([], away))
        assert turned[1]["score"] < plain[1]["score"]
        assert plain[1]["path"].endswith("yellow.png")
    assert stems(sightline("search", "red", f"in:{album}/more", "--paths")) == ["yellow"]
    assert stems(sightline("search", "red", f"-in:{album}/more", "--paths", "-k", "1")) == ["red"]
    assert sightline("search", "red", "after:2020").code == 1


def test_words_mean_themselves_on_demand(sightline: Sightline, filled: Path) -> None:
    assert stems(sightline("search", "--plain", "red", "+", "green", "--paths", "-k", "1")) == ["yellow"]
    plain = sightline("search", "--plain", "red", "-green", "--json").records
    assert [record["score"] for record in plain] == [
        record["score"] for record in sightline("search", "red", "--json").records
    ]
    assert sightline("search", "--plain", "red", "after:party").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["red", "after:party"], "is no date"),
        (["red", "+"], "must follow"),
        (["(in:a", "red"], "only filters"),
        (["-red"], "look for"),
        (["--image", "none.png", "--crop", "1,2,3"], "no region"),
        (["red", "--more", "999"], "no picture with the id"),
        (["red", "--page", "nonsense"], "no cursor"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    sightline: Sightline, filled: Path, words: list[str], said: str
) -> None:
    answer = sightline("search", *words)
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_the_place_is_shown(sightline: Sightline, filled: Path) -> None:
    lines = sightline("search", "red after:party").err.splitlines()
    assert lines[1].index("after:party") == lines[2].index("^")


def test_bytes_that_are_no_text(sightline: Sightline, filled: Path) -> None:
    answer = sightline("search", "red\udcff")
    assert (answer.code, "no text" in answer.err) == (2, True)


def test_parts_are_shown_on_demand(sightline: Sightline, filled: Path) -> None:
    (record,) = sightline("search", "red + 0.5:blue", "--parts", "--json", "-k", "1").records
    assert len(record["parts"]) == 2
    assert "parts " in sightline("search", "red", "+", "blue", "--parts", "-k", "1").text
    assert "parts" not in sightline("search", "red", "--json", "-k", "1").records[0]


def test_pages(sightline: Sightline, filled: Path) -> None:
    found, page, rounds = [], "start", 0
    while page is not None and rounds < 10:
        *hits, last = sightline("search", "red", "-k", "3", "--json", "--page", page).records
        found += [hit["path"] for hit in hits]
        page, rounds = last["next"], rounds + 1
    assert found == [hit["path"] for hit in sightline("search", "red", "--json").records]
    answer = sightline("search", "red", "-k", "3", "--page", "start")
    assert answer.err.startswith("sightline: the next page: --page ")
    assert sightline("search", "red", "-k", "3", "--page", answer.err.split()[-1]).err == ""
    assert sightline("search", "red", "-k", "3").err == ""


def test_feedback_and_likeness(sightline: Sightline, filled: Path, album: Path) -> None:
    ids = {Path(record["path"]).stem: str(record["id"]) for record in sightline("search", "red", "--json").records}
    before = {Path(record["path"]).stem: record["score"] for record in sightline("search", "red", "--json").records}
    moved = sightline("search", "red", "--more", ids["blue"], "--less", album / "more" / "yellow.png", "--json").records
    after = {Path(record["path"]).stem: record["score"] for record in moved}
    assert after["blue"] > before["blue"]
    assert after["yellow"] < before["yellow"]
    assert stems(sightline("search", "--like", ids["green"], "--paths", "-k", "1")) == ["green"]
    assert stems(sightline("search", f"like:{ids['green']}", "--paths", "-k", "1")) == ["green"]


def test_diversity_takes_a_number_or_none(sightline: Sightline, filled: Path) -> None:
    assert stems(sightline("search", "--diverse", "red", "--paths", "-k", "1")) == ["red"]
    assert len(sightline("search", "--diverse", "0.2", "red", "--paths").lines) == 4
    assert sightline("search", "red", "--diverse", "2").code == 2


def test_regions(sightline: Sightline, filled: Path, album: Path, paint: Callable[..., Path], tmp_path: Path) -> None:
    from PIL import Image

    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    image.save(tmp_path / "halves.png")
    crop = ("--crop", "50%,0%,50%,100%")
    assert stems(sightline("search", "--image", tmp_path / "halves.png", *crop, "--paths", "-k", "1")) == ["blue"]
    assert stems(sightline("similar", tmp_path / "halves.png", *crop, "--paths", "-k", "1")) == ["blue"]
    assert stems(sightline("search", f"{tmp_path}/halves.png[0,0,20,20]", "--paths", "-k", "1")) == ["red"]
    assert sightline("search", "red", *crop).code == 2


def test_a_file_of_queries(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.txt").write_text("red\n\nsea\tblue -red\ngreen after:2020\n", encoding="utf-8")
    answer = sightline("search", "--queries", tmp_path / "queries.txt", "-k", "2")
    assert [(record["number"], record["id"], len(record["hits"])) for record in answer.records] == [
        (1, "1", 2),
        (3, "sea", 2),
        (4, "4", 0),
    ]
    (single,) = sightline("search", "red", "-k", "1", "--json").records
    assert answer.records[0]["hits"][0] == single
    (tmp_path / "queries.txt").write_text("red\nblue +\n", encoding="utf-8")
    answer = sightline("search", "--queries", tmp_path / "queries.txt")
    assert (answer.code, len(answer.records)) == (2, 1)
    assert "line 2: something must follow" in answer.err
    (tmp_path / "queries.txt").write_text("", encoding="utf-8")
    assert sightline("search", "--queries", tmp_path / "queries.txt").code == 1
    assert sightline("search", "--queries", tmp_path / "queries.txt", "red").code == 2
    (tmp_path / "queries.txt").write_bytes(b"red \xff\n")
    assert sightline("search", "--queries", tmp_path / "queries.txt").code == 2


@pytest.fixture
def say(sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A conversation: what is typed to what is printed."""

    def run(*typed: str, options: tuple[str, ...] = ("-k", "2")) -> Any:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        return sightline("search", "red", "--interactive", *options)

    return run


def test_a_conversation(say: Callable[..., Any]) -> None:
    answer = say("next", "next", "+3", "reset", "quit")
    assert answer.code == 0
    names = [name for line in answer.lines for name in ("red", "yellow", "green", "blue") if f"{name}.png" in line]
    assert names[:2] == names[6:] == ["red", "yellow"]  # at first, and after `reset`
    assert sorted(names[:4]) == ["blue", "green", "red", "yellow"]  # two pages
    assert "That was all." in answer.text


def test_what_is_liked_comes_up(say: Callable[..., Any]) -> None:
    marked = [line.split("quit: ")[-1] for line in say("+2 -1", options=("-k", "4")).lines if ".png" in line][4:]
    (liked,) = [line for line in marked if line.startswith("+")]
    (disliked,) = [line for line in marked if line.startswith("-")]
    assert ("yellow" in liked, "red" in disliked) == (True, True)


@pytest.mark.parametrize("typed", [["+9"], ["x"], ["open"], ["open 9"], ["+"], ["more"], ["-1 +x"], [""], ["+1 2 -2x"]])
def test_what_is_no_command_is_said(say: Callable[..., Any], typed: list[str]) -> None:
    answer = say(*typed)
    assert answer.code == 0
    assert ("none of the commands" in answer.text) == bool(typed[0])


def test_opening_a_picture(say: Callable[..., Any], album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", lambda path: opened.append(path))
    say("open 1")
    assert opened == [str(album / "red.png")]


def test_nothing_found_in_a_conversation(say: Callable[..., Any]) -> None:
    assert say("quit", options=("--min-score", "1.0", "after:2020")).code == 1


def test_words_are_remembered_and_nothing_depends_on_it(sightline: Sightline, filled: Path) -> None:
    first = sightline("search", "red", "--json")
    assert (filled / FILE).is_file()
    assert sightline("search", "red", "--json").out == first.out
    (filled / FILE).write_bytes(b"damaged" * 500)
    assert sightline("search", "red", "--json").out == first.out
    (filled / FILE).unlink(missing_ok=True)
    (filled / FILE).mkdir()
    assert sightline("search", "red", "--json").out == first.out
    shutil.rmtree(filled / FILE)
    assert json.loads(first.lines[0])["rank"] == 1


def test_filters_alone_list_what_they_keep(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    assert stems(sightline("search", "name:red", "--paths")) == ["red"]
    assert stems(sightline("search", "--where", "-name:red", "--paths")) == ["yellow", "green", "blue"]
    ranked, listed = sightline("search", "red", "name:red", "--json"), sightline("search", "name:red", "--json")
    assert set(ranked.records[0]) == set(listed.records[0])
    assert (listed.records[0]["rank"], listed.records[0]["score"], listed.records[0]["relevance"]) == (1, None, None)
    assert sightline("search", "name:nothing").code == 1
    sheet, table, folder = tmp_path / "a.html", tmp_path / "a.csv", tmp_path / "out"
    assert sightline("search", "name:red", "--sheet", sheet, "--csv", table, "--export", folder).code == 0
    assert "red.png" in sheet.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8").splitlines()[1].startswith("1,")
    assert [path.name for path in folder.iterdir()] == ["001_red.png"]


def test_a_list_has_pages(sightline: Sightline, filled: Path) -> None:
    first = sightline("search", "format:png", "--json", "-k", "3", "--page", "start").records
    second = sightline("search", "format:png", "--json", "-k", "3", "--page", first[-1]["next"]).records
    assert [record["rank"] for record in (*first[:-1], *second[:-1])] == [1, 2, 3, 4]
    assert second[-1] == {"next": None}
    assert len({record["id"] for record in (*first[:-1], *second[:-1])}) == 4


@pytest.mark.parametrize(
    "option", [["--relevant"], ["--min-score", "0.1"], ["--diverse"], ["--parts"], ["--highlight", "x"],
               ["--interactive"]]
)  # fmt: skip
def test_what_takes_a_score_takes_words(sightline: Sightline, filled: Path, option: list[str]) -> None:
    answer = sightline("search", "name:red", *option)
    assert (answer.code, answer.out) == (2, b"")
    assert option[0] in answer.err


@pytest.mark.parametrize(
    "option", [["--highlight", "x"], ["--sheet", "x.png"], ["--paths"], ["--parts"], ["--csv", "x.csv"]]
)
def test_many_queries_and_a_dialogue_say_what_they_do_not_do(
    sightline: Sightline, filled: Path, tmp_path: Path, option: list[str]
) -> None:
    (tmp_path / "q").write_text("red\n")
    for mode in (["--queries", tmp_path / "q"], ["red", "--interactive"]):
        answer = sightline("search", *mode, *option)
        assert (answer.code, answer.out) == (2, b"")
        assert option[0] in answer.err
    assert sightline("search", "red", "--interactive", "--json").code == 2
    assert sightline("search", "red", "--copy").code == 2


def test_a_file_of_queries_names_a_line_of_filters(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "q").write_text("red\nname:red\n")
    answer = sightline("search", "--queries", tmp_path / "q")
    assert (answer.code, len(answer.records)) == (2, 1)
    assert "line 2: only filters" in answer.err


def test_what_is_no_file(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    import os
    import threading

    for words in (["search", "--image", album], ["similar", album]):
        answer = sightline(*words)
        assert (answer.code, "Is a directory" in answer.err) == (2, True)
    pipe = tmp_path / "pipe"  # as `--image <(curl ...)` is one
    os.mkfifo(pipe)
    for words in (["search", "--image", pipe], ["similar", pipe]):
        writer = threading.Thread(target=pipe.write_bytes, args=((album / "red.png").read_bytes(),))
        writer.start()
        assert stems(sightline(*words, "-k", "1", "--paths")) == ["red"]
        writer.join()


def test_what_never_ends_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.errors import InvalidQuery
    from search import query_image as module

    monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(InvalidQuery, match="no picture"):
        module.open_picture(Path("/dev/zero"), 8)


def test_more_than_anyone_can_count(sightline: Sightline, filled: Path) -> None:
    for words in (["search", "format:png"], ["search", "red"], ["facets"]):
        assert sightline(*words, "-k", "9" * 30).code == 0
    assert sightline("album", "save", "all", "red", "-k", "9" * 30).code == 0
    assert len(sightline("album", "show", "all").lines) == 4
    assert sightline("search", "red", "--csv", "-").code == 2
