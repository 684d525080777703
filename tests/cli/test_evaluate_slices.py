"""`sightline eval` by the length of queries, and the reliability of relevance in the report."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.evaluate.report.reliability import reliability_panel
from search.evaluate.bootstrap import Interval
from search.evaluate.reliability import ReliabilityBin
from search.kept_calibrations import CalibrationOutcome
from search.relevance import Calibration, Scale

Sightline = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """Four captions of one word, one with the wrong colour, and two of five words."""
    folder = tmp_path / "colours"
    for name in ("red", "blue", "green"):
        paint(folder / f"{name}.png", name, size=(40, 30))
    captions = [("red", "red"), ("blue", "blue"), ("green", "green"), ("red", "blue"), ("red", "red red red red red"),
                ("green", "green green green green green")]  # fmt: skip
    lines = [json.dumps({"image": f"{image}.png", "caption": caption}) for image, caption in captions]
    (folder / "captions.jsonl").write_text("\n".join(lines))
    return folder


def page_of(path: Path) -> tuple[str, ET.Element]:
    text = path.read_text(encoding="utf-8")
    return text, ET.fromstring(text.partition("\n")[2])


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_length_of_queries_in_terminal_json_and_report(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    """The short query "blue" has the wrong picture, so R@1 is 3/4 for short queries and 1 for long ones."""
    arguments = ("eval", data, "--space", "fake", "--metrics", "R@1")
    lines = sightline(*arguments).lines
    place = next(
        row for row, line in enumerate(lines) if line.endswith(", text to picture: by the length of the query")
    )
    table = [line.split() for line in lines[place + 1 : place + 6]]
    assert table[0] == ["length", "queries", "R@1"]
    assert (table[1], table[3]) == (["1-3", "words", "4", "0.750"], ["4-7", "words", "2", "1.000"])
    record = sightline(*arguments, "--json").record
    columns = ("from", "to", "unit", "queries", "recall@1")
    rows = [tuple(part[column] for column in columns) for part in record["lengths"]]
    assert rows == [(1, 3, "words", 4, 0.75), (4, 7, "words", 2, 1.0)]
    assert all(part["intervals"]["recall@1"][0] < part["recall@1"] for part in record["lengths"])
    sightline(*arguments, "--html", tmp_path / "report.html")
    _, page = page_of(tmp_path / "report.html")
    tables = [[[words(cell) for cell in row] for row in table.iter("tr")] for table in page.iter("table")]
    assert [row[:2] for row in tables[1]] == [["length", "queries"], ["1-3 words", "4"], ["4-7 words", "2"]]
    assert tables[1][1][2].startswith("0.750")


def test_report_says_why_there_is_no_reliability(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    sightline("eval", data, "--space", "fake", "--html", tmp_path / "report.html", "--direction", "both")
    text, page = page_of(tmp_path / "report.html")
    assert text.count("Reliability of relevance") == 1  # not from picture to text
    assert "no diagram, because the scores are not calibrated" in words(page)
    assert 'class="reliability"' not in text


@pytest.mark.parametrize("tokens", [None, -1.0])
def test_report_has_the_reliability_of_a_calibrated_model(
    tokens: float | None, sightline: Sightline, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only words have a scale: four queries with three results each; two sentences are left out.

    The scale may depend on the number of tokens, which this model does not count: it is taken for one.
    """

    def known(encoder: Any) -> CalibrationOutcome:
        background = np.zeros(encoder.space.dim, np.float32)
        return CalibrationOutcome(Calibration("none", background, {"word": Scale(4.0, 0.0, -2.0, tokens=tokens)}))

    monkeypatch.setattr("search.evaluate.library_evaluation.known_outcome", known)
    sightline("eval", data, "--space", "fake", "--html", tmp_path / "report.html")
    text, page = page_of(tmp_path / "report.html")
    assert "12 results of 4 queries; 2 queries are of a kind without calibrated relevance" in words(page)
    (drawing,) = (svg for svg in page.iter("svg") if svg.get("class") == "reliability")
    rows = [[words(cell) for cell in row] for row in list(page.iter("table"))[2].iter("tr")]
    assert sum(int(row[1]) for row in rows[1:]) == 12
    assert len(list(drawing.iter("circle"))) == len(rows) - 1
    assert not re.search(r"<script|https?:", text)
    sightline("eval", data, "--space", "fake", "--html", tmp_path / "report.html", "--template", "a {}")
    assert 'class="reliability"' not in page_of(tmp_path / "report.html")[0]  # templates change the scores


def test_points_of_the_diagram_are_where_their_numbers_are() -> None:
    each = ReliabilityBin(0.4, 0.5, 1200, 0.45, 0.5, Interval(0.25, 1.0))
    drawn = ET.fromstring(reliability_panel("a", [each]))
    (dot,) = drawn.iter("circle")
    assert (dot.attrib["cx"], dot.attrib["cy"]) == ("152.0", "142.0")  # 44 + 240 * 0.45, 22 + 240 * 0.5
    (whisker,) = (line for line in drawn.iter("line") if line.attrib["class"] == "whisker")
    assert (whisker.attrib["y1"], whisker.attrib["y2"]) == ("202.0", "22.0")
    assert "1.2k" in words(drawn)
