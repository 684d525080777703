"""The report and the plots of `sightline eval`: well-formed, self-contained, with the right numbers."""

import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.evaluate.formatting import (
    bin_label,
    curve_depths,
    format_interval,
    format_number,
    format_score_interval,
    metric_label,
    rank_bins,
    rank_shares,
)
from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.svg import histogram_panel, recall_panel
from search.evaluate.bootstrap import Interval
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.ranks import Ranks

Sightline = Callable[..., Any]

CAPTIONS = [
    ("red.png", "red", "en"),
    ("blue.png", "blue", "en"),
    ("red.png", "blue <script>alert('&')</script> \u0007 \"quoted\"", "en"),
    ("blue.png", "أزرق", "ar"),
]


@pytest.fixture
def data(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    folder = tmp_path / "a <b> & c"
    for name in ("red", "blue"):
        paint(folder / f"{name}.png", name, size=(40, 30))
    lines = [json.dumps({"image": image, "caption": caption, "lang": lang}) for image, caption, lang in CAPTIONS]
    (folder / "captions.jsonl").write_text("\n".join(lines))
    return folder


def page_of(path: Path) -> tuple[str, ET.Element]:
    text = path.read_text(encoding="utf-8")
    doctype, _, markup = text.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    return text, ET.fromstring(markup)


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_report_is_a_single_well_formed_page(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    assert sightline("eval", data, "--space", "fake", "--html", tmp_path / "report.html").code == 0
    text, page = page_of(tmp_path / "report.html")
    assert not re.search(r"https?:|<script|<link|@import|url\(", text)
    pictures = list(page.iter("image"))
    assert len(pictures) == 2  # each is embedded once
    assert all(image.attrib["href"].startswith("data:image/jpeg;base64,") for image in pictures)
    embedded = {f"#{symbol.attrib['id']}" for symbol in page.iter("symbol")}
    assert {use.attrib["href"] for use in page.iter("use")} == embedded
    assert words(page.find("head/title")) == "Retrieval on a <b> & c"  # type: ignore[arg-type]
    assert "<script>alert('&')</script> � \"quoted\"" in words(page)  # of a caption, as text


def test_report_contains_the_results(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    """Ranks: ar 2 (unknown words, so both pictures score the same), en 1, 1 and 2."""
    sightline("eval", data, "--space", "fake", "--html", tmp_path / "report.html", "--metrics", "mrr,median_rank")
    _, page = page_of(tmp_path / "report.html")
    (table,) = page.iter("table")
    rows = [[words(cell) for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["language", "queries", "pictures", "MRR", "median rank"]
    assert [row[:3] for row in rows[1:]] == [["ar", "1", "2"], ["en", "3", "2"], ["all languages", "4", "2"]]
    assert [row[3][:5] for row in rows[1:]] == ["0.500", "0.833", "0.750"]
    text = words(page)
    assert "Split all; 4 queries, each ranking all 2 pictures; 2 languages (ar, en)." in text
    assert "mean of 1 / rank of the first relevant document" in text
    assert f"sightline eval '{data}' --space fake --html {tmp_path / 'report.html'}" in text
    # A forest plot, recall and a histogram for two languages and both together.
    figures = [drawn for drawn in page.iter("svg") if drawn.get("class") not in ("picture", "sheet")]
    assert len(figures) == 1 + 3 + 3
    worst = [block for block in page.iter("div") if block.get("class") == "query"]
    assert [words(block)[:9] for block in worst] == ["rank 2 ar", "rank 2 en"]
    # The relevant picture, and the first two results.
    assert [len(list(block.iter("use"))) for block in worst] == [3, 3]


def test_report_of_two_systems_in_both_directions(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    arguments = ("--space", "fake", "--index", "Flat", "--depth", "1", "--direction", "both")
    assert sightline("eval", data, *arguments, "--html", tmp_path / "report.html").code == 0
    _, page = page_of(tmp_path / "report.html")
    titles = [words(title) for title in page.iter("h2")]
    assert titles == ["a <b> & c, text to picture", "a <b> & c, picture to text", "Definitions"]
    assert any(
        re.fullmatch(r"fake \(\w+\) Flat compared with fake \(\w+\), text to picture, both cut at 1 results", words(h))
        for h in page.iter("h3")
    )
    assert "→ >1" not in words(page)  # cut at one depth, the index finds all that exact search does
    assert "has at most 1 results for a query" in words(page)
    assert "noise" in words(page)


def test_report_marks_missing_picture_files(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    library = tmp_path / "lib"
    assert sightline("index", data, "--model", "fake", "--library", library).code == 0
    (data / "red.png").unlink()
    assert sightline("eval", data, "--library", library, "--html", tmp_path / "report.html").code == 0
    text, page = page_of(tmp_path / "report.html")
    captions = {words(shown) for shown in page.iter("span") if shown.get("class") == "gone words"}
    assert captions == {"red"}  # the first caption of the picture
    assert "red.png" in text


def test_report_contains_the_baseline(sightline: Sightline, data: Path, tmp_path: Path) -> None:
    arguments = ("eval", data, "--space", "fake")
    assert sightline(*arguments, "--save", tmp_path / "saved.json").code == 0
    html = tmp_path / "report.html"
    assert sightline(*arguments, "--baseline", tmp_path / "saved.json", "--html", html).code == 0
    assert "Of 18 metrics compared with the baseline, 0 dropped and 0 rose" in words(page_of(html)[1])


def test_plots_are_written(sightline: Sightline, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "plots"
    assert sightline("eval", data, "--space", "fake", "--index", "Flat", "--plots", folder).code == 0
    names = [f"a_b_c-all-text-to-picture-{kind}.png" for kind in ("intervals", "ranks", "recall")]
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        with Image.open(folder / name) as plot:
            assert plot.format == "PNG"
            assert len(plot.convert("RGB").getcolors(1 << 20) or []) > 10  # something is drawn
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    answer = sightline("eval", data, "--space", "fake", "--plots", folder)
    assert (answer.code, answer.out) == (2, b"")
    assert "pip install 'sightline[eval]'" in answer.err


@pytest.mark.parametrize("name", ["costs $ 1 or $^2", os.fsdecode(b"nu\xff"), "100 %"])
def test_plots_of_data_set_with_special_characters_in_name(
    sightline: Sightline, data: Path, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("matplotlib")
    shutil.copytree(data, tmp_path / name)
    arguments = (tmp_path / name, "--space", "fake", "--index", "Flat", "--plots", tmp_path / "plots")
    answer = sightline("eval", *arguments)
    assert (answer.code, answer.err) == (0, "")
    assert len(list((tmp_path / "plots").iterdir())) == 3


@pytest.mark.parametrize("option", ["--html", "--save", "--run", "--qrels", "--plots"])
def test_unwritable_file_is_reported(sightline: Sightline, data: Path, tmp_path: Path, option: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    target = tmp_path / ("file" if option == "--plots" else "taken")
    answer = sightline("eval", data, "--space", "fake", option, target)
    assert answer.code == 2
    assert target.name in answer.err
    assert "Traceback" not in answer.err


def test_markup_in_data_is_escaped() -> None:
    assert escaped("<&>\"'\x00\udcff") == "&lt;&amp;&gt;&quot;&#x27;\ufffd\ufffd"
    assert element("p", escaped("<b>"), class_='"x"', data_n=1, title=None) == (
        '<p class="&quot;x&quot;" data-n="1">&lt;b&gt;</p>'
    )
    assert element("td") == "<td></td>"
    assert element("image", href="#a") == '<image href="#a"/>'


def test_curve_depths_and_rank_bins() -> None:
    ranked = tuple(Ranks.of(ranks) for ranks in ([1], [2], [3, 9], [100], []))
    evaluation = Evaluation(Subject("data", "all", "space"), tuple("abcde"), ranked, candidates=100)
    edges = rank_bins(100)
    assert edges == [1, 2, 4, 8, 16, 32, 64, 128]
    assert rank_shares(evaluation, edges) == [0.2, 0.4, 0, 0, 0, 0, 0.2]  # the fifth has no relevant document
    assert [bin_label(low, high) for low, high in ((1, 2), (4, 8))] == ["1", "4-7"]
    assert curve_depths(1) == [1]
    assert curve_depths(3) == [1, 2, 3]
    at = curve_depths(1_000_000)
    assert (at[0], at[-1]) == (1, 1_000_000)
    assert len(at) <= 80
    assert at == sorted(set(at))


def test_panels_have_the_right_coordinates() -> None:
    drawn = ET.fromstring(recall_panel("de", [1, 10, 100], [[0, 0.5, 1]]))
    (line,) = drawn.iter("polyline")
    # From the left edge at the bottom, to the middle, to the right edge at the top.
    assert line.attrib["points"] == "30,148 138,85 246,22"
    drawn = ET.fromstring(histogram_panel("de", [1, 2, 4], [[0.25, 0.75]], 0.75))
    small, large = drawn.iter("rect")
    assert (float(small.attrib["height"]), float(large.attrib["height"])) == (42, 126)
    assert [words(bar) for bar in (small, large)] == ["rank 1: 25.0%", "rank 2-3: 75.0%"]


@pytest.mark.parametrize(
    ("metric", "value", "signed", "expected"),
    [
        ("mrr", 0.12345, False, "0.123"),
        ("mrr", 0.5, True, "+0.500"),
        ("median_rank", 3.0, False, "3"),
        ("median_rank", 1234.5, False, "1,234.5"),
        ("mean_rank", -2.0, True, "-2"),
        ("median_rank", float("inf"), False, "inf"),
        ("median_rank", float("-inf"), True, "-inf"),
        ("mrr", float("nan"), False, "none"),
    ],
)
def test_format_number(metric: str, value: float, signed: bool, expected: str) -> None:
    assert format_number(metric, value, signed=signed) == expected


def test_interval_of_ranks_beyond_the_depth() -> None:
    """Of ten queries, all or four have no relevant document among twenty results, so the median is 21 or more, or 1."""
    for found, interval in ((0, ">20"), (6, "1 to >20"), (10, "1-1")):
        ranked = tuple(Ranks.of([1.0 if row < found else float("inf")]) for row in range(10))
        queries = tuple(map(str, range(10)))
        evaluation = Evaluation(Subject("data", "all", "run"), queries, ranked, candidates=100, depth=20)
        assert format_score_interval(evaluation, "median_rank") == interval


def test_metric_labels_and_intervals() -> None:
    names = ("mrr", "mrr@10", "recall@5", "fraction_recall@5", "ndcg@10", "map", "p@1", "median_rank")
    assert [metric_label(name) for name in names] == [
        "MRR", "MRR@10", "R@5", "fraction R@5", "nDCG@10", "mAP", "P@1", "median rank",
    ]  # fmt: skip
    assert format_interval("mrr", Interval(0.1, 0.25)) == "0.100-0.250"
    assert format_interval("mrr", Interval(-0.1, 0.25), signed=True) == "-0.100, +0.250"
