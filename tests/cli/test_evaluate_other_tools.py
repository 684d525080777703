"""The examples of other tools in docs/evaluation.md give the numbers of `sightline eval` next to them."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval

from search.evaluate.metrics import parse_metric

Sightline = Callable[..., Any]

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("\n## From other tools\n")[2].partition("\n## ")[0]
PARTS = re.split(r"^### (.+)$", SECTION, flags=re.MULTILINE)
EXAMPLES = dict(zip(PARTS[1::2], PARTS[2::2], strict=True))
QUERIES, DOCUMENTS = 50, 80


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run without ties, graded judgements, and unit vectors, in the files that the examples name."""
    random = np.random.default_rng(5)
    grades = {f"q{row}": {f"d{column}": int(grade) for column, grade in enumerate(of_query)}
              for row, of_query in enumerate(random.choice(3, (QUERIES, DOCUMENTS), p=[0.94, 0.04, 0.02]))}  # fmt: skip
    for judged in grades.values():
        judged["d0"] = 1  # every query has an answer
    run = {
        query: {name: round(float(random.normal() + grade), 6) for name, grade in judged.items()}
        for query, judged in grades.items()
    }
    (tmp_path / "qrels.json").write_text(json.dumps(grades))
    (tmp_path / "run.json").write_text(json.dumps(run))
    qrels = [f"{query} 0 {name} {grade}" for query, judged in grades.items() for name, grade in judged.items()]
    (tmp_path / "q.qrels").write_text("\n".join(qrels) + "\n")
    ranked = {query: sorted(scores, key=lambda name: -scores[name]) for query, scores in run.items()}
    lines = [f"{query} Q0 {name} {rank} {run[query][name]} tag"
             for query, names in ranked.items() for rank, name in enumerate(names, 1)]  # fmt: skip
    (tmp_path / "a.run").write_text("\n".join(lines) + "\n")
    images = random.normal(size=(60, 16)).astype(np.float32)
    texts = np.repeat(images, 5, axis=0) + random.normal(0, 1.2, (300, 16)).astype(np.float32)
    for name, vectors in (("img", images), ("txt", texts)):
        np.save(tmp_path / f"{name}.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ours(sightline: Sightline, name: str) -> dict[str, float]:
    """Run the command of an example, and return its values by the names that --metrics gives them."""
    (command,) = re.findall(r"^    sightline (.+)$", EXAMPLES[name], re.MULTILINE)
    arguments = shlex.split(command)
    record = sightline(*arguments, "--json").record
    names = arguments[arguments.index("--metrics") + 1].replace("R@1,5", "R@1,R@5").split(",")
    return {name: record[parse_metric(name).name] for name in names}


def run_python(name: str) -> dict[str, float]:
    """Run the Python example of a tool, and return its values."""
    (code,) = re.findall(r"```python\n(.+?)```", EXAMPLES[name], re.DOTALL)
    assert len(code.splitlines()) <= 10
    scope: dict[str, Any] = {}
    exec(code, scope)
    return {str(key): float(value) for key, value in scope["values"].items()}


@pytest.mark.parametrize("tool", ["pytrec_eval", "ir-measures", "CLIP_benchmark"])
def test_example_has_the_numbers_of_the_tool(tool: str, files: Path, sightline: Sightline) -> None:
    assert ours(sightline, tool) == pytest.approx(run_python(tool), abs=1e-6)


def test_example_has_the_numbers_of_trec_eval(files: Path, sightline: Sightline) -> None:
    """Those of the program if it is installed, else of its C code in pytrec_eval."""
    names = {"recip_rank": "recip_rank", "ndcg_cut_10": "ndcg_cut_10", "success_5": "success_5", "map": "map"}
    (command,) = re.findall(r"^    (trec_eval .+)$", EXAMPLES["trec_eval"], re.MULTILINE)
    if shutil.which("trec_eval"):
        printed = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
        theirs = {line.split()[0]: float(line.split()[2]) for line in printed.splitlines()}
        tolerance = 6e-5  # it prints four digits
    else:
        run, qrels = (json.loads((files / name).read_text()) for name in ("run.json", "qrels.json"))
        values = pytrec_eval.RelevanceEvaluator(qrels, set(names)).evaluate(run)
        theirs = {name: float(np.mean([of[name] for of in values.values()])) for name in names}
        tolerance = 1e-6
    assert ours(sightline, "trec_eval") == pytest.approx(theirs, abs=tolerance)


def test_ranx_computes_the_same_metrics_as_trec_eval(files: Path, sightline: Sightline) -> None:
    """ranx itself is not among the packages for tests. Its example is compared with the same metrics of trec_eval."""
    run, qrels = (json.loads((files / name).read_text()) for name in ("run.json", "qrels.json"))
    measures = {"recip_rank", "ndcg_cut_10", "success_5", "map"}
    values = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    theirs = {name: float(np.mean([of[name] for of in values.values()])) for name in measures}
    reciprocal = [of["recip_rank"] if of["recip_rank"] >= 0.1 else 0 for of in values.values()]
    assert ours(sightline, "ranx") == pytest.approx(
        {
            "mrr@10": float(np.mean(reciprocal)),
            "ndcg@10": theirs["ndcg_cut_10"],
            "hit_rate@5": theirs["success_5"],
            "map": theirs["map"],
        },
        abs=1e-6,
    )
