"""`sightline eval --table`: Markdown, LaTeX and CSV, with the numbers of --json."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.evaluate.tables import Cell, PaperTable, to_latex, to_markdown
from search.evaluate.metrics import parse_metric

Sightline = Callable[..., Any]

EVIL = PaperTable(
    "data", "50 % of A_B & {c} | d^2 ~ #1 $ \\x: >= 0.5", ["system"], ["R@1"], [(["a|b_c"], [Cell("0.5", "0.4-inf")])]
)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """`good` finds everything first, `bad` second, in 30 queries of two languages."""
    queries = [f"q{number}" for number in range(30)]
    lines = [{"image": f"{q}.jpg", "caption": q, "lang": "en" if place < 20 else "de", "id": q}
             for place, q in enumerate(queries)]  # fmt: skip
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for name in ("good", "bad_1"):
        run = {query: {f"{other}.jpg": 0.0 for other in queries} for query in queries}
        for query, scores in run.items():
            scores[f"{query}.jpg"] = 2.0
            if name == "bad_1":
                scores["q0.jpg" if query != "q0" else "q1.jpg"] = 3.0
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    files = [f"--run-file={tmp_path / 'good.json'}", f"--run-file={tmp_path / 'bad_1.json'}"]
    return ["eval", str(tmp_path / "captions.jsonl"), *files, "--metrics", "R@1,mrr,R@5,medr"]


def test_markdown_has_values_intervals_marks_and_a_caption(sightline: Sightline, arguments: list[str]) -> None:
    lines = sightline(*arguments, "--table", "markdown").lines
    caption, _, head, rule, *rows = lines[:10]
    assert "text to picture: 30 queries, 30 candidates. Brackets: 95% confidence intervals" in caption
    assert "† significantly better, ‡ significantly worse than good" in caption
    assert head == "| system | language | R@1 | MRR | R@5 | median rank |"
    assert rule == "| --- | --- | ---: | ---: | ---: | ---: |"
    low = 0.025 ** (1 / 20)
    assert rows[2].startswith(f"| good | en | **1.000** [{low:.3f}-1.000] | **1.000** [{low:.3f}-1.000] |")
    assert rows[3].startswith(rf"| bad\_1 | en | 0.000‡ [0.000-{1 - low:.3f}] | 0.500‡ [")
    assert rows[3].endswith(f"| **1.000** [{low:.3f}-1.000] | 2‡ [2-2] |")  # the best of R@5 are both
    assert [row.split(" | ")[1] for row in rows] == ["de", "de", "en", "en", "all", "all"]
    assert "- R@1: share of queries with any relevant document among the first 1" in lines


def test_latex_is_escaped_and_balanced(sightline: Sightline, arguments: list[str]) -> None:
    text = sightline(*arguments, "--table", "latex").text
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert body.count("{") == body.count("}")
    assert re.findall(r"\\(?:begin|end)\{(\w+)\}", body) == ["table", "tabular", "tabular", "table"]
    assert r"\begin{tabular}{llrrrr}" in body
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert r"bad\_1 & en & 0.000\textsuperscript{\ddag} {\footnotesize [0.000-" in body
    escaped = to_latex(EVIL)
    assert r"50 \% of A\_B \& \{c\} | d\textasciicircum{}2 \textasciitilde{} \#1 \$ \textbackslash{}x: $\ge$ 0.5" in (
        escaped
    )
    assert r"0.5 {\footnotesize [0.4-$\infty$]}" in escaped


def test_markdown_is_escaped() -> None:
    text = to_markdown(EVIL)
    assert text.startswith(r"50 % of A\_B & {c} \| d^2 ~ #1 $ \\x: \>= 0.5")
    assert r"| a\|b\_c | 0.5 [0.4-inf] |" in text


def test_csv_has_the_numbers_of_json_in_full_precision(sightline: Sightline, arguments: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(sightline(*arguments, "--table", "csv").text)))
    records = sightline(*arguments, "--json").records
    assert len(rows) == 2 * 3 * 4
    by_key = {(record["space"], record["lang"]): record for record in records}
    for row in rows:
        record, name = by_key[row["system"], row["language"]], parse_metric(row["metric"]).name
        assert float(row["value"]) == pytest.approx(record[name], abs=1e-6)
        assert [float(row["low"]), float(row["high"])] == pytest.approx(record["intervals"][name], abs=1e-6)
        if row["system"] == "good":
            assert row["compared_with"] == row["p"] == ""
            continue
        (comparison,) = (one for one in record["comparisons"] if one["metric"] == name)
        assert row["compared_with"] == "good"
        assert float(row["p"]) == pytest.approx(comparison["adjusted_p"], abs=1e-6)
        assert row["better"] == {"left": "no", "right": "yes", "neither": "noise"}[comparison["better"]]


def test_single_system_has_no_marks(sightline: Sightline, arguments: list[str]) -> None:
    text = sightline(*(part for part in arguments if "bad_1" not in part), "--table", "markdown").text
    assert "†" not in text
    assert "**" not in text
