"""Reading text with the command line, and what searches print about it."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from encoders.text_recognizer import DEFAULT_RECOGNIZER, RECOGNIZERS
from store import Library
from tests.support.frame_files import index_files
from tests.support.written import PixelTextRecognizer, write_picture

Sightline = Callable[..., Any]


@pytest.fixture(autouse=True)
def recognizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default recogniser reads what the tests wrote."""
    monkeypatch.setitem(RECOGNIZERS._loaded, DEFAULT_RECOGNIZER, PixelTextRecognizer)


@pytest.fixture
def signs(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An indexed folder with a red sign, a yellow picture, and a blue one that cannot be read."""
    folder = tmp_path / "signs"
    write_picture(folder / "sign.png", "Platform 9", "King's Cross")
    write_picture(folder / "plain.png", colour="yellow")
    write_picture(folder / "bad.png", "!raise", colour="blue")
    index_files(library, folder, FakeEncoder())
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    return folder


def test_a_summary_of_what_was_read(sightline: Sightline, signs: Path) -> None:
    ran = sightline("ocr")
    assert ran.code == 0
    assert ran.lines[0].endswith("s: 1 with text (2 lines)")
    assert ran.lines[0].startswith("2 pictures read in ")
    assert "1 could not be read" in ran.lines[1]
    again = sightline("ocr", "--again", "--json").record
    assert (again["read"], again["failed"], again["recognizer"]) == (0, 1, "pixels")


def test_status_counts_and_names_what_could_not_be_read(sightline: Sightline, signs: Path) -> None:
    sightline("ocr")
    said = sightline("status", "--failures").text
    assert "Text      2 of 3 pictures read, 1 with text, 1 failed" in said
    assert f"{signs}/bad.png: ValueError: this picture (recognizer-failed" in said
    assert sightline("status", "--json").record["texts"] == {"contents": 3, "read": 2, "with_text": 1, "failed": 1}


def test_hits_show_the_text_that_was_found(sightline: Sightline, signs: Path, tmp_path: Path) -> None:
    sightline("ocr")
    found = sightline("search", 'text:"9 king"', "--csv", tmp_path / "hits.csv")
    assert found.lines[0].endswith("(64×16, text: Platform 9 / King's Cross)")
    (row,) = csv.DictReader((tmp_path / "hits.csv").read_text(encoding="utf-8-sig").splitlines())
    assert row["text"] == "Platform 9 / King's Cross"
    hit = sightline("search", "red text:platform", "--json").record
    assert hit["texts"] == [
        {
            "frame": 0,
            "text": "Platform 9",
            "confidence": 0.9,
            "corners": [[0, 0], [1, 0], [1, pytest.approx(1 / 16)], [0, pytest.approx(1 / 16)]],
        }
    ]
    assert hit["text_match"] is None


def test_words_in_pictures_count_on_request(sightline: Sightline, signs: Path) -> None:
    sightline("ocr")
    plain = sightline("search", "yellow platform", "--json").records
    assert Path(plain[0]["path"]).name == "plain.png"
    counted = sightline("search", "yellow platform", "--text-weight", "1", "--json", "-k", "1").record
    assert Path(counted["path"]).name == "sign.png"
    assert counted["text_match"] == pytest.approx(8 / 14)
    assert sightline("search", "text:platform", "--text-weight", "1").code == 2  # nothing is ranked


def test_index_reads_text_on_request(sightline: Sightline, signs: Path) -> None:
    write_picture(signs / "new.png", "exit")
    ran = sightline("index", signs, "--ocr", "--model", "fake", "--json").record
    assert (ran["new"], ran["texts"]["read"]) == (1, 3)
    assert sightline("search", "text:exit", "--paths").lines == [f"{signs}/new.png"]


def test_highlight_marks_text(sightline: Sightline, signs: Path, tmp_path: Path) -> None:
    out, mask = tmp_path / "out.png", tmp_path / "mask.png"
    ran = sightline("highlight", signs / "sign.png", "--text", "king's", "-o", out, "--mask", mask, "--bare", "--json")
    assert ran.record["lines"] == [{"text": "King's Cross", "confidence": 0.9, "box": [0, 1, 64, 1]}]
    with Image.open(mask) as image:
        marked = np.asarray(image) > 0
    assert marked[1].all()
    assert not marked[4:].any()
    with Image.open(out) as image:
        assert image.size == (64, 16)
    assert sightline("highlight", signs / "sign.png", "--text", "nowhere").code == 1
    assert sightline("highlight", signs / "sign.png", "red", "--text", "king's").code == 2


def test_overlays_of_hits_have_a_panel_with_the_text(sightline: Sightline, signs: Path, tmp_path: Path) -> None:
    sightline("ocr")
    for name, query in (("with", "red text:platform"), ("without", "red")):
        assert sightline("search", query, "-k", "1", "--highlight", tmp_path / name).code == 0
    widths = []
    for name in ("with", "without"):
        with Image.open(next((tmp_path / name).iterdir())) as image:
            widths.append(image.width)
    assert widths[0] > 1.5 * widths[1]
