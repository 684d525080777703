"""`sightline eval --run-file`: the numbers of trec_eval, and honest ones where a run ends."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
import pytrec_eval

Sightline = Callable[..., Any]

TREC_EVAL = {
    "MRR": "recip_rank", "mAP": "map", "success_5": "success_5", "recall_5": "recall_5", "P_5": "P_5",
    "ndcg_cut_10": "ndcg_cut_10", "map_cut_10": "map_cut_10",
}  # fmt: skip
NAMES = ("mrr", "map", "recall@5", "fraction_recall@5", "p@5", "ndcg@10", "map@10")


@pytest.fixture
def judged() -> dict[str, dict[str, int]]:
    """Graded judgements of 60 queries."""
    random = np.random.default_rng(0)
    documents = [f"d{number}" for number in range(200)]
    return {
        f"q{query}": {str(name): int(random.integers(0, 3)) for name in random.choice(documents, 12, replace=False)}
        for query in range(60)
    }


def ranked(judged: dict[str, dict[str, int]], noise: float, depth: int, seed: int) -> dict[str, dict[str, float]]:
    """Scores of the first `depth` documents, which are better the less noise there is. No two are equal."""
    random = np.random.default_rng(seed)
    run = {}
    for query, grades in judged.items():
        scores = {f"d{number}": grades.get(f"d{number}", 0) + noise * random.normal() for number in range(200)}
        run[query] = dict(sorted(scores.items(), key=lambda item: -item[1])[:depth])
    return run


def write_trec(path: Path, run: dict[str, dict[str, float]]) -> Path:
    lines = [f"{q} Q0 {d} {place} {score} x" for q, of in run.items() for place, (d, score) in enumerate(of.items(), 1)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def files(tmp_path: Path, judged: dict[str, dict[str, int]]) -> Path:
    """A good run in TREC format, a bad one as JSON, and judgements in both."""
    write_trec(tmp_path / "good.run", ranked(judged, 0.7, 50, 1))
    (tmp_path / "bad.json").write_text(json.dumps(ranked(judged, 3, 50, 2)))
    (tmp_path / "q.json").write_text(json.dumps(judged))
    lines = [f"{query} 0 {name} {grade}" for query, of in judged.items() for name, grade in of.items()]
    (tmp_path / "q.qrels").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_numbers_equal_those_of_ir_measures(
    sightline: Sightline, files: Path, judged: dict[str, dict[str, int]]
) -> None:
    """The names of measures are those of ir-measures; its qrels and runs are the same dictionaries."""
    names = ["AP", "RR@10", "nDCG@10", "P@5", "Success@5"]
    run = ranked(judged, 0.7, 50, 1)
    theirs = ir_measures.calc_aggregate([ir_measures.parse_measure(name) for name in names], judged, run)
    (found,) = sightline(
        "eval", "--run-file", files / "good.run", "--qrels", files / "q.qrels", "--json", "--metrics", ",".join(names)
    ).records
    ours = {"AP": "map", "RR@10": "mrr@10", "nDCG@10": "ndcg@10", "P@5": "p@5", "Success@5": "recall@5"}
    assert {str(name): value for name, value in theirs.items()} == pytest.approx(
        {name: found[ours[name]] for name in names}, abs=1e-6
    )


def test_numbers_equal_those_of_trec_eval(sightline: Sightline, files: Path, judged: dict[str, dict[str, int]]) -> None:
    """All queries are ranked, so the means are those of pytrec_eval's dictionaries."""
    found = sightline(
        "eval", "--run-file", files / "good.run", "--run-file", files / "bad.json", "--qrels", files / "q.qrels",
        "--json", "--metrics", ",".join(TREC_EVAL),
    ).records  # fmt: skip
    evaluator = pytrec_eval.RelevanceEvaluator(judged, set(TREC_EVAL.values()))
    for record, run in zip(found, (ranked(judged, 0.7, 50, 1), ranked(judged, 3, 50, 2)), strict=True):
        values = evaluator.evaluate(run)
        for name, theirs in zip(NAMES, TREC_EVAL.values(), strict=True):
            assert record[name] == pytest.approx(np.mean([of[theirs] for of in values.values()]), abs=1e-6), name
    good, bad = found
    assert (good["space"], bad["space"], good["dataset"], good["queries"]) == ("good", "bad", "q", 60)
    assert {comparison["metric"]: comparison["better"] for comparison in bad["comparisons"]} == dict.fromkeys(
        NAMES, "left"
    )
    assert all(low < good[name] < high for name, (low, high) in good["intervals"].items())


def test_formats_and_names_do_not_matter(sightline: Sightline, files: Path, judged: dict[str, dict[str, int]]) -> None:
    (files / "copy.json").write_text(json.dumps(ranked(judged, 0.7, 50, 1)))
    arguments = ("eval", "--run-file", f"mine={files / 'good.run'}", "--qrels", files / "q.qrels", "--json")
    expected = sightline(*arguments).record
    answer = sightline("eval", "--run-file", f"mine={files / 'copy.json'}", "--qrels", files / "q.json", "--json")
    assert answer.record == expected
    assert expected["space"] == "mine"


def test_ranks_beyond_the_end_of_a_run_are_not_claimed(
    sightline: Sightline, tmp_path: Path, judged: dict[str, dict[str, int]]
) -> None:
    """The first relevant documents are at 1, 2 and beyond 2; the run has two results for a query."""
    (tmp_path / "q.json").write_text(json.dumps({f"q{number}": {"a": 1} for number in range(3)}))
    run = {"q0": {"a": 2, "b": 1}, "q1": {"b": 2, "a": 1}, "q2": {"b": 2, "c": 1}}
    (tmp_path / "r.json").write_text(json.dumps(run))
    arguments = ("eval", "--run-file", tmp_path / "r.json", "--qrels", tmp_path / "q.json", "--metrics")
    names = "mrr,mrr@2,R@2,R@10,medr,mean_rank"
    record = sightline(*arguments, names, "--json").record
    assert record["depth"] == 2
    assert record["mrr"] == record["mrr@2"] == pytest.approx((1 + 1 / 2) / 3)
    assert record["lower_bounds"] == {"mrr": record["mrr"], "recall@10": 0.666667, "mean_rank": (1 + 2 + 3) / 3}
    assert (record["median_rank"], record["mean_rank"]) == (2, None)
    lines = sightline(*arguments, names).lines
    assert lines[0] == "q: r, 3 documents ranked or judged"
    assert lines[2].split() == ["all", "3", "3", ">=0.500", "0.500", "0.667", ">=0.667", "2", ">=2"]
    assert any("r has at most 2 results for a query" in line for line in lines)
    run["q1"] = {"b": 2, "c": 1}
    (tmp_path / "r.json").write_text(json.dumps(run))
    assert sightline(*arguments, "medr").lines[2].split()[-1] == ">=3"


def test_runs_of_different_depth_are_compared_at_the_smaller(
    sightline: Sightline, files: Path, judged: dict[str, dict[str, int]]
) -> None:
    write_trec(files / "short.run", ranked(judged, 0.7, 10, 1))  # the first results of good.run
    arguments = ("--run-file", files / "good.run", "--run-file", files / "short.run", "--qrels", files / "q.qrels")
    good, short = sightline("eval", *arguments, "--json", "--metrics", "map").records
    assert short["map"] < good["map"]
    (comparison,) = short["comparisons"]
    assert (comparison["depth"], comparison["difference"], comparison["p"]) == (10, 0, 1)
    assert "both cut at 10 results" in sightline("eval", *arguments).text


def test_run_over_a_data_set_is_evaluated_by_language(sightline: Sightline, tmp_path: Path) -> None:
    """Texts come from the data set; the run ranks both pictures for each caption."""
    lines = [{"image": f"{name}.jpg", "caption": name, "lang": lang, "id": f"{name}-{lang}"}
             for name in "ab" for lang in ("de", "en")]  # fmt: skip
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    right, wrong = {"a.jpg": 2, "b.jpg": 1}, {"a.jpg": 1, "b.jpg": 2}
    run = {"a-de": wrong, "b-de": right, "a-en": right, "b-en": wrong}
    (tmp_path / "r.json").write_text(json.dumps(run))
    arguments = ("eval", tmp_path / "captions.jsonl", "--run-file", tmp_path / "r.json")
    found = sightline(*arguments, "--json", "--html", tmp_path / "r.html").records
    assert {record["lang"]: record["mrr"] for record in found} == {"de": 0.5, "en": 1, "all": 0.75}
    assert all("depth" not in record for record in found)  # it ranks all pictures
    page = ET.fromstring((tmp_path / "r.html").read_text().partition("\n")[2])
    quotes = ["".join(quote.itertext()) for quote in page.iter("q")]
    assert quotes == ["a", "b"]
    back = {"a.jpg": {"a-de": 4, "b-de": 3, "a-en": 2, "b-en": 1}, "b.jpg": {"a-de": 4, "b-de": 3}}
    (tmp_path / "r.json").write_text(json.dumps(back))
    record = sightline(*arguments, "--json", "--direction", "picture-to-text").record
    assert (record["lang"], record["mrr"], record["candidates"]) == ("all", (1 + 1 / 2) / 2, 4)


def test_report_of_runs_shows_ids(sightline: Sightline, files: Path) -> None:
    arguments = ("eval", "--run-file", files / "good.run", "--run-file", files / "bad.json", "--qrels")
    assert sightline(*arguments, files / "q.qrels", "--html", files / "r.html").code == 0
    text = (files / "r.html").read_text()
    page = ET.fromstring(text.partition("\n")[2])
    (title,) = [title for title in page.iter("h2") if title.text != "Definitions"]
    assert title.text == "q"
    shown = [" ".join("".join(block.itertext()).split()) for block in page.iter("div") if block.get("class") == "query"]
    assert len(shown) > 5
    assert all("q" in block and "d" in block for block in shown)
    assert "Split" not in text


def test_two_runs_with_one_name_get_their_paths(sightline: Sightline, files: Path) -> None:
    (files / "b").mkdir()
    shutil.copy(files / "good.run", files / "b")
    runs = [files / "good.run", files / "b" / "good.run"]
    arguments = [argument for run in runs for argument in ("--run-file", run)]
    records = sightline("eval", *arguments, "--qrels", files / "q.qrels", "--json").records
    assert [record["space"] for record in records] == list(map(str, runs))
    (comparison, *_) = records[1]["comparisons"]
    assert (comparison["difference"], comparison["better"]) == (0, "neither")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--run-file", "good.run"], "--run-file needs judgements: --qrels FILE, or a DATASET"),
        (["--run-file", "none.run", "--qrels", "q.qrels"], "none.run: No such file"),
        (["--run-file", "good.run", "--qrels", "none.qrels"], "none.qrels: No such file"),
        (["--run-file", "good.run", "--qrels", "good.run"], "good.run, line 1: expected 4 fields"),
        (["--run-file", "good.run", "--qrels", "q.qrels", "--space", "mini"], "cannot be combined with --space"),
        (["--run-file", "good.run", "--qrels", "q.qrels", "--direction", "both"], "A run has one direction"),
        (["--run-file", "a=good.run", "--run-file", "a=bad.json", "--qrels", "q.qrels"], "Two files are named a"),
        (["--run-file", "other.json", "--qrels", "q.qrels"], "no query is judged in q.qrels"),
    ],
)
def test_mistakes_are_named(
    sightline: Sightline, files: Path, arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "other.json").write_text('{"1": {"d1": 1}}')
    monkeypatch.chdir(files)
    answer = sightline("eval", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert complaint in answer.err
    assert "Traceback" not in answer.err


def test_runs_are_evaluated_without_models(files: Path) -> None:
    code = (
        "import sys; from cli.main import sightline; "
        f"sightline.main(['eval', '--run-file', {str(files / 'good.run')!r}, '--qrels', {str(files / 'q.qrels')!r}], "
        "standalone_mode=False); print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "numpy" in loaded
    assert not loaded & {"faiss", "torch", "onnxruntime", "alembic", "transformers", "sentencepiece", "indexer"}
