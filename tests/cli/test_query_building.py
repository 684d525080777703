"""Options of `sightline search`: the query language, pages, parts, feedback, files of queries."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.query_building import query_line
from search import Answer, Query, Searcher
from search.query_language import parse
from store.remembered_queries import CACHE_FILE

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
def test_query_line_restores_quotation_marks(words: tuple[str, ...], line: str) -> None:
    assert query_line(words) == line


def stems(answer: Any) -> list[str]:
    return [Path(line).stem for line in answer.lines]


def test_search_parses_query_language(sightline: Sightline, filled: Path, album: Path) -> None:
    assert stems(sightline("search", "red", "+", "green", "--paths", "-k", "1")) == ["yellow"]
    for away in (["-green"], ["-", "2:green"], ["-green", "-blue"]):
        plain, turned = (sightline("search", "red", *rest, "--json").records for rest in ([], away))
        assert turned[1]["score"] < plain[1]["score"]
        assert plain[1]["path"].endswith("yellow.png")
    assert stems(sightline("search", "red", f"in:{album}/more", "--paths")) == ["yellow"]
    assert stems(sightline("search", "red", f"-in:{album}/more", "--paths", "-k", "1")) == ["red"]
    assert sightline("search", "red", "after:2020").code == 1


def test_plain_takes_words_literally(sightline: Sightline, filled: Path) -> None:
    assert stems(sightline("search", "--plain", "red", "+", "green", "--paths", "-k", "1")) == ["yellow"]
    plain = sightline("search", "--plain", "red", "-green", "--json").records
    assert [record["score"] for record in plain] == [
        record["score"] for record in sightline("search", "red", "--json").records
    ]
    assert sightline("search", "--plain", "red", "after:party").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["red", "after:party"], "is not a date"),
        (["red", "+"], "must follow"),
        (["(in:a", "red"], "must contain filters only"),
        (["-red"], "only says what to avoid"),
        (["-red"], "in quotation marks"),
        (["-red"], "--plain"),
        ([], "--in, --where"),
        (["--image", "none.png", "--crop", "1,2,3"], "Invalid region '1,2,3'"),
        (["red", "--more", "999"], "No picture with the ID 999"),
        (["red", "--page", "nonsense"], "Invalid cursor"),
    ],
)
def test_invalid_query_exits_with_2(sightline: Sightline, filled: Path, words: list[str], message: str) -> None:
    answer = sightline("search", *words)
    assert (answer.code, answer.out) == (2, b"")
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_syntax_error_marks_position(sightline: Sightline, filled: Path) -> None:
    lines = sightline("search", "red after:party").err.splitlines()
    assert lines[1].index("after:party") == lines[2].index("^")


def test_query_of_invalid_bytes_is_refused(sightline: Sightline, filled: Path) -> None:
    answer = sightline("search", "red\udcff")
    assert (answer.code, "not valid text" in answer.err) == (2, True)


def test_parts_adds_score_of_each_part(sightline: Sightline, filled: Path) -> None:
    (record,) = sightline("search", "red + 0.5:blue", "--parts", "--json", "-k", "1").records
    assert len(record["parts"]) == 2
    assert sum(record["contributions"]) == pytest.approx(record["score"], abs=1e-5)
    assert "parts " in sightline("search", "red", "+", "blue", "--parts", "-k", "1").text
    assert "parts" not in sightline("search", "red", "--json", "-k", "1").records[0]


def test_pages_cover_all_hits(sightline: Sightline, filled: Path) -> None:
    found, page, rounds = [], "start", 0
    while page is not None and rounds < 10:
        *hits, last = sightline("search", "red", "-k", "3", "--json", "--page", page).records
        found += [hit["path"] for hit in hits]
        page, rounds = last["next"], rounds + 1
    assert found == [hit["path"] for hit in sightline("search", "red", "--json").records]
    answer = sightline("search", "red", "-k", "3", "--page", "start")
    assert answer.err.startswith("sightline: next page: --page ")
    assert sightline("search", "red", "-k", "3", "--page", answer.err.split()[-1]).err == ""
    assert sightline("search", "red", "-k", "3").err == ""


def test_more_less_and_like(sightline: Sightline, filled: Path, album: Path) -> None:
    ids = {Path(record["path"]).stem: str(record["id"]) for record in sightline("search", "red", "--json").records}
    before = {Path(record["path"]).stem: record["score"] for record in sightline("search", "red", "--json").records}
    moved = sightline("search", "red", "--more", ids["blue"], "--less", album / "more" / "yellow.png", "--json").records
    after = {Path(record["path"]).stem: record["score"] for record in moved}
    assert after["blue"] > before["blue"]
    assert after["yellow"] < before["yellow"]
    assert stems(sightline("search", "--like", ids["green"], "--paths", "-k", "1")) == ["green"]
    assert stems(sightline("search", f"like:{ids['green']}", "--paths", "-k", "1")) == ["green"]


def test_diverse_value_is_optional(sightline: Sightline, filled: Path) -> None:
    assert stems(sightline("search", "--diverse", "red", "--paths", "-k", "1")) == ["red"]
    assert len(sightline("search", "--diverse", "0.2", "red", "--paths").lines) == 4
    assert sightline("search", "red", "--diverse", "2").code == 2


def test_crop_selects_region(
    sightline: Sightline, filled: Path, album: Path, paint: Callable[..., Path], tmp_path: Path
) -> None:
    from PIL import Image

    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    image.save(tmp_path / "halves.png")
    crop = ("--crop", "50%,0%,50%,100%")
    assert stems(sightline("search", "--image", tmp_path / "halves.png", *crop, "--paths", "-k", "1")) == ["blue"]
    assert stems(sightline("similar", tmp_path / "halves.png", *crop, "--paths", "-k", "1")) == ["blue"]
    assert stems(sightline("search", f"{tmp_path}/halves.png[0,0,20,20]", "--paths", "-k", "1")) == ["red"]
    assert sightline("search", "red", *crop).code == 2


def test_queries_answers_each_line(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
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
    assert "Line 2: " in answer.err
    (tmp_path / "queries.txt").write_text("", encoding="utf-8")
    assert sightline("search", "--queries", tmp_path / "queries.txt").code == 1
    assert sightline("search", "--queries", tmp_path / "queries.txt", "red").code == 2
    (tmp_path / "queries.txt").write_bytes(b"red\nred \xff\n")
    answer = sightline("search", "--queries", tmp_path / "queries.txt")
    assert (answer.code, len(answer.records)) == (2, 1)
    assert "Line 2: not UTF-8; save the file as UTF-8" in answer.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_queries_may_be_in_any_unicode_encoding(
    sightline: Sightline, filled: Path, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "queries.txt").write_text("rot\tred\r\nKäfer\tblue\r\n", encoding=encoding, newline="")
    answer = sightline("search", "--queries", tmp_path / "queries.txt", "-k", "1")
    assert [(record["id"], record["query"]) for record in answer.records] == [("rot", "red"), ("Käfer", "blue")]


def test_notices_name_what_is_read_as_text(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    assert "| is read as text" in sightline("search", "red | blue").err
    assert "| is read as text" not in sightline("search", "--plain", "red | blue").err
    assert "size:>1 means bytes" in sightline("search", "size:>1").err
    assert "exposure:250 means seconds" in sightline("search", "red", "--where", "exposure:250").err
    (tmp_path / "queries.txt").write_text("red\nblue +green\n", encoding="utf-8")
    assert "line 2: +green is read as text" in sightline("search", "--queries", tmp_path / "queries.txt").err


@pytest.mark.parametrize("value", ["“My Pictures”", "„My Pictures“", "«My Pictures»", "'My Pictures'", "My Pictures"])
def test_arguments_with_typographic_marks_are_one_filter(value: str) -> None:
    assert parse(query_line(["red", f"in:{value}"])) == parse('red in:"My Pictures"')
    assert parse(query_line(["red", f"in：{value}"])) == parse('red in:"My Pictures"')


@pytest.fixture
def say(sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that types lines into an interactive search and returns what is printed."""

    def run(*typed: str, options: tuple[str, ...] = ("-k", "2")) -> Any:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        return sightline("search", "red", "--interactive", *options)

    return run


def test_interactive_pages_and_reset(say: Callable[..., Any]) -> None:
    answer = say("next", "next", "+3", "reset", "quit")
    assert answer.code == 0
    names = [name for line in answer.lines for name in ("red", "yellow", "green", "blue") if f"{name}.png" in line]
    assert names[:2] == names[6:] == ["red", "yellow"]  # at first, and after `reset`
    assert sorted(names[:4]) == ["blue", "green", "red", "yellow"]  # two pages
    assert "There are no more pages." in answer.text


def test_interactive_marks_refine_query(say: Callable[..., Any]) -> None:
    marked = [line.split("quit: ")[-1] for line in say("+2 -1", options=("-k", "4")).lines if ".png" in line][4:]
    (liked,) = [line for line in marked if line.startswith("+")]
    (disliked,) = [line for line in marked if line.startswith("-")]
    assert ("yellow" in liked, "red" in disliked) == (True, True)


@pytest.mark.parametrize("typed", [["+9"], ["x"], ["open"], ["open 9"], ["+"], ["more"], ["-1 +x"], [""], ["+1 2 -2x"]])
def test_interactive_reports_unknown_commands(say: Callable[..., Any], typed: list[str]) -> None:
    answer = say(*typed)
    assert answer.code == 0
    assert ("Unknown command" in answer.text) == bool(typed[0])


def test_interactive_commands_apply_to_a_new_answer_without_hits(
    say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers of hits on an earlier page are no longer valid."""
    search = Searcher.search

    def refined_finds_nothing(self: Searcher, query: Query | str, *args: Any, **options: Any) -> Answer:
        return search(self, query, *args, **options) if query == Query.of("red") else Answer()

    monkeypatch.setattr(Searcher, "search", refined_finds_nothing)
    answer = say("+1", "+1", "next")
    assert "Nothing found." in answer.text
    assert "Unknown command" in answer.text
    assert "There are no more pages." in answer.text


def test_interactive_opens_picture(say: Callable[..., Any], album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", lambda path: opened.append(path))
    say("open 1")
    assert opened == [str(album / "red.png")]


def test_interactive_without_hits_exits_with_1(say: Callable[..., Any]) -> None:
    assert say("quit", options=("--min-score", "1.0", "after:2020")).code == 1


def test_damaged_query_cache_changes_no_results(sightline: Sightline, filled: Path) -> None:
    first = sightline("search", "red", "--json")
    assert (filled / CACHE_FILE).is_file()
    assert sightline("search", "red", "--json").out == first.out
    (filled / CACHE_FILE).write_bytes(b"damaged" * 500)
    assert sightline("search", "red", "--json").out == first.out
    (filled / CACHE_FILE).unlink(missing_ok=True)
    (filled / CACHE_FILE).mkdir()
    assert sightline("search", "red", "--json").out == first.out
    shutil.rmtree(filled / CACHE_FILE)
    assert json.loads(first.lines[0])["rank"] == 1


def test_filters_alone_list_pictures(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
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


def test_list_of_filters_has_pages(sightline: Sightline, filled: Path) -> None:
    first = sightline("search", "format:png", "--json", "-k", "3", "--page", "start").records
    second = sightline("search", "format:png", "--json", "-k", "3", "--page", first[-1]["next"]).records
    assert [record["rank"] for record in (*first[:-1], *second[:-1])] == [1, 2, 3, 4]
    assert second[-1] == {"next": None}
    assert len({record["id"] for record in (*first[:-1], *second[:-1])}) == 4


@pytest.mark.parametrize(
    "option", [["--relevant"], ["--min-score", "0.1"], ["--diverse"], ["--parts"], ["--highlight", "x"],
               ["--interactive"]]
)  # fmt: skip
def test_ranking_options_require_words(sightline: Sightline, filled: Path, option: list[str]) -> None:
    answer = sightline("search", "name:red", *option)
    assert (answer.code, answer.out) == (2, b"")
    assert option[0] in answer.err


@pytest.mark.parametrize(
    "option", [["--highlight", "x"], ["--sheet", "x.png"], ["--paths"], ["--parts"], ["--csv", "x.csv"]]
)
def test_queries_and_interactive_refuse_other_outputs(
    sightline: Sightline, filled: Path, tmp_path: Path, option: list[str]
) -> None:
    (tmp_path / "q").write_text("red\n")
    for mode in (["--queries", tmp_path / "q"], ["red", "--interactive"]):
        answer = sightline("search", *mode, *option)
        assert (answer.code, answer.out) == (2, b"")
        assert option[0] in answer.err
    assert sightline("search", "red", "--interactive", "--json").code == 2
    assert sightline("search", "red", "--copy").code == 2


def test_queries_reports_line_of_filters_alone(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "q").write_text("red\nname:red\n")
    answer = sightline("search", "--queries", tmp_path / "q")
    assert (answer.code, len(answer.records)) == (2, 1)
    assert "Line 2: A query of filters alone" in answer.err


def test_image_query_from_folder_or_pipe(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    import os
    import threading

    for words in (["search", "--image", album], ["similar", album]):
        answer = sightline(*words)
        assert (answer.code, f"{album} is a folder, not a picture. Name one" in answer.err) == (2, True)
    pipe = tmp_path / "pipe"  # as `--image <(curl ...)` is one
    os.mkfifo(pipe)
    for words in (["search", "--image", pipe], ["similar", pipe]):
        writer = threading.Thread(target=pipe.write_bytes, args=((album / "red.png").read_bytes(),))
        writer.start()
        assert stems(sightline(*words, "-k", "1", "--paths")) == ["red"]
        writer.join()


def test_endless_image_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.errors import InvalidQuery
    from search import query_image as module

    monkeypatch.setattr(module, "MAX_FILE_BYTES", 1000)
    with pytest.raises(InvalidQuery, match="larger than"):
        module.open_query_image(Path("/dev/zero"), 8)


def test_huge_top_is_accepted(sightline: Sightline, filled: Path) -> None:
    for words in (["search", "format:png"], ["search", "red"], ["facets"]):
        assert sightline(*words, "-k", "9" * 30).code == 0
    assert sightline("album", "save", "all", "red", "-k", "9" * 30).code == 0
    assert len(sightline("album", "show", "all").lines) == 4
    assert sightline("search", "red", "--csv", "-").code == 2
