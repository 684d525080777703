"""The command line from start to finish: index, search, verify, repair, forget."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.processes import Cli

Paint = Callable[..., list[Path]]

WEIGHTS = Path(__file__).parents[2] / "encoders" / "mini" / "v2"


def test_index_and_search(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    red, green, _ = paint(folder, rose="red", grass="lime", sea="blue")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (folder / "notes.txt").write_text("no picture either")

    assert cli.index(folder) == {"new": 4 - 1, "embedded": 3, "failed": 1, "passed_over": {"txt": 1}}
    assert cli.index_in_process(folder) == {"unchanged": 3, "failed": 1, "passed_over": {"txt": 1}}

    best, *rest = cli.lines("search", "red")
    # (1, 0, 0) in all quadrants and the floor of 0.1: the same vector, except for rounding to 16 bits.
    assert (best["path"], best["rank"], best["format"], best["width"]) == (str(red), 1, "PNG", 60)
    assert best["score"] == pytest.approx(1, abs=1e-3)
    # Red against green: only the floors agree, 0.01 / (4 + 0.01).
    assert [hit["score"] for hit in rest] == pytest.approx([0.01 / 4.01] * 2, abs=1e-3)
    assert cli("search", "red", "--paths", "-k", "1").stdout == bytes(red) + b"\n"
    assert cli("search", "red", "--min-score", "1", "--image", green, code=1).stdout == b""
    table = cli("search", "green", "-k", "1").stdout.decode()
    assert str(green) in table
    assert "60×40" in table

    like = cli.lines("similar", red)
    assert {hit["path"] for hit in like} == {str(folder / "grass.png"), str(folder / "sea.png")}

    facts = cli.status()
    assert (facts["pictures"], facts["present"], facts["missing"], facts["failed"]) == (4, 3, 0, 1)
    (space,) = facts["spaces"]
    assert (space["model"], space["vectors"], space["dim"], space["active"]) == ("fake", 3, 13, True)

    assert cli("verify").stdout == b"No faults found.\n"
    assert cli.lines("repair") == [{"done": []}]
    assert cli.lines("forget", red) == [{"forgotten": 1}]
    assert cli.is_intact()
    assert red not in cli.find("red")
    again = {"new": 1, "unchanged": 2, "failed": 1, "embedded": 1, "passed_over": {"txt": 1}}
    assert cli.index_in_process(folder) == again


def test_exit_codes_and_messages_of_usage_errors(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    (red,) = paint(folder, red="red")
    assert b"There is no library" in cli("search", "red", code=2).stderr
    assert b"There is no folder" in cli("index", tmp_path / "nowhere", code=2).stderr
    assert not cli.library.exists()
    cli.index_in_process(folder)
    assert b"is a file, not a folder" in cli("index", red, code=2).stderr
    assert b"File name too long" in cli("index", "x" * 300, code=2).stderr
    assert b"The query is empty" in cli("search", code=2).stderr
    assert cli.find("red") == [red]


def test_search_after_indexing_an_empty_folder_has_no_hits(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert cli.index_in_process(tmp_path / "photos") == {}
    assert cli("search", "red", code=1).stdout == b""
    assert cli.is_intact()


def test_library_name_may_contain_any_character(new_cli: Callable[[str], Cli], tmp_path: Path, paint: Paint) -> None:
    (red,) = paint(tmp_path / "photos", red="red")
    cli = new_cli("what? #1 100%20")
    cli.index_in_process(tmp_path / "photos")
    assert cli("search", "red", "--paths").stdout == bytes(red) + b"\n"
    assert cli.find("red") == [red]
    assert (cli.library / "catalog.sqlite").exists()


@pytest.mark.skipif(not (WEIGHTS / "model.json").is_file(), reason="the built-in model has no weights here yet")
def test_built_in_model_is_the_default(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(5):
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((320, 240)).save(folder / f"{number}.jpg")
    (summary,) = map(json.loads, cli("index", folder, "--json").stdout.splitlines())
    assert (summary["new"], summary["embedded"]) == (5, 5)
    assert cli.status()["spaces"][0]["model"] == "mini"
    for words in ("a dog on a beach", "海滩上的狗"):
        scores = [hit["score"] for hit in cli.lines("search", words)]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
    copy = tmp_path / "copy.jpg"
    Image.open(folder / "3.jpg").save(copy, quality=70)
    assert cli.lines("similar", copy)[0]["path"] == str(folder / "3.jpg")
    assert cli.is_intact()
