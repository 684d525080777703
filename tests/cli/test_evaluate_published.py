"""`sightline eval --published`: published results in all outputs, marked, and without tests."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sightline = Callable[..., Any]

TABLE = """\
model,pretrained,dataset,task,language,image_retrieval_recall@1,image_retrieval_recall@5,text_retrieval_recall@1
ViT-B-32,openai,flickr30k,zeroshot_retrieval,en,0.25,0.5,0.75
ViT-L-14,openai,flickr30k,zeroshot_retrieval,en,0.375,,0.8
ViT-L-14,openai,mscoco_captions,zeroshot_retrieval,en,0.3,0.6,0.7
"""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A run that finds both of two captions first."""
    lines = [{"image": f"{name}.jpg", "caption": name, "lang": "en", "id": name} for name in "ab"]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run = {name: {f"{name}.jpg": 2.0, "other.jpg": 1.0} for name in "ab"}
    (tmp_path / "good.json").write_text(json.dumps(run))
    (tmp_path / "benchmark.csv").write_text(TABLE)
    metrics = ("--metrics", "R@1,R@5")
    return ["eval", str(tmp_path / "mine.jsonl"), f"--run-file={tmp_path / 'good.json'}", *metrics]


def test_published_results_are_shown_and_not_tested(sightline: Sightline, arguments: list[str], tmp_path: Path) -> None:
    published = f"--published=flickr30k={tmp_path / 'benchmark.csv'}"
    lines = sightline(*arguments, published).lines
    place = lines.index(next(line for line in lines if line.endswith(": published results")))
    assert [line.split() for line in lines[place + 1 : place + 4]] == [
        ["system", "lang", "R@1", "R@5"],
        ["ViT-L-14", "openai", "en", "0.375"],  # best first; its R@5 was not published
        ["ViT-B-32", "openai", "en", "0.250", "0.500"],
    ]
    assert lines[place + 4].startswith("Published in benchmark.csv, not measured here: without intervals and tests.")
    record = sightline(*arguments, published, "--json").record
    assert record["published"] == [
        {"system": "ViT-L-14 openai", "source": "benchmark.csv", "recall@1": 0.375},
        {"system": "ViT-B-32 openai", "source": "benchmark.csv", "recall@1": 0.25, "recall@5": 0.5},
    ]
    assert "comparisons" not in record
    one = sightline(*arguments, published, "--published-model", "vit-b*", "--json").record["published"]
    assert [each["system"] for each in one] == ["ViT-B-32 openai"]


def test_published_results_in_tables_and_report(sightline: Sightline, arguments: list[str], tmp_path: Path) -> None:
    published = f"--published=flickr30k={tmp_path / 'benchmark.csv'}"
    markdown = sightline(*arguments, published, "--table", "markdown").text
    assert r"| ViT-B-32 openai\* | 0.250 | 0.500 |" in markdown
    assert r"\* Published in benchmark.csv, not measured here" in markdown
    latex = sightline(*arguments, published, "--table", "latex").text
    assert r"ViT-L-14 openai* & 0.375 &  \\" in latex
    rows = list(csv.DictReader(io.StringIO(sightline(*arguments, published, "--table", "csv").text)))
    assert [(row["system"], row["metric"], row["value"], row["low"], row["p"], row["source"]) for row in rows[2:]] == [
        ("ViT-L-14 openai", "R@1", "0.375", "", "", "benchmark.csv"),
        ("ViT-B-32 openai", "R@1", "0.25", "", "", "benchmark.csv"),
        ("ViT-B-32 openai", "R@5", "0.5", "", "", "benchmark.csv"),
    ]
    assert {row["source"] for row in rows[:2]} == {""}
    sightline(*arguments, published, "--html", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "Published results" in page
    assert "<td>ViT-B-32 openai</td><td>en</td><td>0.250</td><td>0.500</td>" in page


def test_data_set_that_is_not_in_the_table_is_named(sightline: Sightline, arguments: list[str], tmp_path: Path) -> None:
    answer = sightline(*arguments, f"--published={tmp_path / 'benchmark.csv'}")
    assert (answer.code, answer.out) == (2, b"")
    assert "has no results on mine. Name the data set: --published NAME=" in answer.err
    assert "It has: flickr30k, mscoco_captions" in answer.err
    answer = sightline(*arguments, f"--published=flickr30k={tmp_path / 'benchmark.csv'}", "--metrics", "mrr")
    assert "none in the measured metrics" in answer.err
    assert "recall@1 text-to-picture in en" in answer.err
    answer = sightline(*arguments, f"--published={tmp_path / 'benchmark.csv'}", "--published-model", "RN50*")
    assert "no model is called RN50*. Some models in it: ViT-B-32 openai, ViT-L-14 openai" in answer.err
    assert sightline(*arguments, "--published-model", "RN50*").code == 2
