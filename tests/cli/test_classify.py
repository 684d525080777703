"""`sightline classify`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import TagSource
from store.tags import list_tags

Sightline = Callable[..., Any]
LABELS = "red,lime green,blue,yellow"


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the fake model with a logit scale."""
    monkeypatch.setattr("encoders.registry.load_for_space", lambda *_: FakeEncoder(logit_scale=10.0))


@pytest.mark.usefixtures("scaled")
def test_classify_labels_all_pictures(sightline: Sightline, filled: Path) -> None:
    answer = sightline("classify", "--labels", LABELS, "--template", "{}")
    assert answer.code == 0
    assert {line.split("  ")[1] for line in answer.lines} == {"red", "lime green", "blue", "yellow"}
    assert all(Path(line.split("  ")[2]).stem in line.split("  ")[1] for line in answer.lines)
    assert answer.err == "red 1, lime green 1, blue 1, yellow 1\n"


@pytest.mark.usefixtures("scaled")
def test_json_contains_all_labels(sightline: Sightline, filled: Path, album: Path) -> None:
    record = sightline("classify", "--labels", "red,blue", album / "red.png", "--json").record
    assert (record["label"], record["path"]) == ("red", str(album / "red.png"))
    assert record["probability"] == record["probabilities"]["red"] > 0.5
    assert sum(record["probabilities"].values()) == pytest.approx(1)
    assert set(record["cosines"]) == {"red", "blue"}


@pytest.mark.usefixtures("scaled")
def test_labels_are_read_from_a_file(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\ufeffred\n\n  blue \n", encoding="utf-8")
    assert sightline("classify", "--labels", labels, "--json").records[0]["cosines"].keys() == {"red", "blue"}
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        labels.write_text("red\r\nblue\r\n", encoding=encoding, newline="")
        assert sightline("classify", "--labels", labels, "--json").records[0]["cosines"].keys() == {"red", "blue"}
    labels.write_bytes(b"K\xe4fer\nAffe\n")
    assert "is not UTF-8; save it as UTF-8, with one label per line" in sightline("classify", "--labels", labels).err
    labels.write_bytes(b"\xff\xfe")
    assert sightline("classify", "--labels", labels).code == 2


def test_summary_counts_most_frequent_labels(
    sightline: Sightline, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("red\nblue\n" + "\n".join(f"a red thing {number}" for number in range(3000)))
    answer = sightline("classify", "--labels", labels, "--template", "{}")
    assert len(answer.lines) == 4
    assert answer.err.endswith(" of 3,002 labels)\n")
    assert "blue 1" in answer.err
    assert len(answer.err) < 200
    monkeypatch.setattr("cli.classification.MAX_COUNTED_LABELS", 1)
    few = sightline("classify", "--labels", "red,lime green,blue,yellow", "--template", "{}")
    assert few.err.endswith(" 1, ... (4 of 4 labels)\n")
    assert few.err.count(" 1") == 1


def tags_of_library(path: Path) -> dict[str, int]:
    with Library.open(path) as library:
        return {tag.name: tag.by_source[TagSource.MODEL] for tag in list_tags(library)}


@pytest.mark.usefixtures("scaled")
def test_add_tags_tags_pictures(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("classify", "--labels", "red,blue", "--add-tags", "--min-probability", "0.9999")
    assert answer.code == 0
    assert tags_of_library(filled) == {"red": 1, "blue": 1}
    found = sightline("search", "tag:red", "red", "--json").records
    assert [Path(record["path"]).stem for record in found] == ["red"]
    sightline("classify", "--labels", "yellow,cyan", "--add-tags", "--min-probability", "0.9999")
    assert tags_of_library(filled).items() >= {"red": 1, "blue": 1}.items()  # tags of other labels stay
    sightline("classify", "--labels", "red,yellow", album / "red.png", "--add-tags")
    assert tags_of_library(filled)["red"] == 1


@pytest.mark.usefixtures("scaled")
def test_add_tags_replaces_earlier_tags_of_same_labels(sightline: Sightline, filled: Path) -> None:
    sightline("classify", "--labels", "red,blue", "--add-tags", "--min-probability", "0")
    assert sum(tags_of_library(filled).values()) == 4
    sightline("classify", "--labels", "red,blue", "--add-tags", "--min-probability", "0.9999")
    assert sum(tags_of_library(filled).values()) == 2


@pytest.mark.usefixtures("scaled")
def test_filters_limit_classified_pictures(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("classify", "--labels", "red,yellow", "--in", album / "more")
    assert [line.split("  ")[1] for line in answer.lines] == ["yellow"]
    none = sightline("classify", "--labels", "red,white", "--min-probability", "1")
    assert (none.code, none.out) == (1, b"")


def test_min_probability_requires_logit_scale(sightline: Sightline, filled: Path) -> None:
    answer = sightline("classify", "--labels", "red,blue", "--min-probability", "0.5")
    assert answer.code == 2
    assert "no logit scale" in answer.err
    record = sightline("classify", "--labels", "red,blue", "--json").records[0]
    assert record["probability"] is None
    assert "probabilities" not in record


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--labels", "red"], "at least two labels"),
        (["--labels", "red,blue", "--template", "a photo"], "must contain {} exactly once"),
        (["--labels", "red,blue", "no-such.png"], "No such file"),
        (["--labels", "red,blue", "--lang", "xx"], "no prompt templates for the language"),
        ([], "--labels"),
    ],
)
def test_invalid_arguments_exit_with_2(sightline: Sightline, filled: Path, arguments: list[str], words: str) -> None:
    answer = sightline("classify", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert words in answer.err
