"""TREC files: reading, writing and invalid files; rankings of other programs."""

import os
from math import inf
from pathlib import Path

import pytest

from core.errors import DatasetError, EvaluationError
from search.evaluate.evaluation import Subject
from search.evaluate.scoring import evaluate_run
from search.evaluate.trec import align_documents, rank_run, read_qrels, read_run, write_qrels, write_run


def test_read_qrels(tmp_path: Path) -> None:
    path = tmp_path / "qrels.txt"
    path.write_text("q1 0 sea/a.jpg 2\nq1\t0\tb.jpg\t0\r\n\nq2 Q0 b.jpg -1\n", encoding="utf-8")
    assert read_qrels(path) == {"q1": {"sea/a.jpg": 2, "b.jpg": 0}, "q2": {"b.jpg": -1}}


def test_run_is_ordered_by_score_not_by_rank(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    path.write_text("q1 Q0 a 1 0.25 tag\nq1 Q0 b 2 1e2 tag\n", encoding="utf-8")
    run = read_run(path)
    assert run == {"q1": {"a": 0.25, "b": 100.0}}
    (ranks,) = rank_run(run, {"q1": {"b": 1}})
    assert ranks.ranks.tolist() == [1]


def test_written_files_are_read_back_unchanged(tmp_path: Path) -> None:
    """Blanks, per cent signs, other scripts and bytes that are not UTF-8 survive."""
    names = ["my photos/a b.jpg", "100%.jpg", "100%20.jpg", "雪\u3000地.jpg", os.fsdecode(b"caf\xe9.jpg"), "tab\there"]
    qrels = {"a query": {name: grade for grade, name in enumerate(names)}}
    run = {query: {name: 1 / (grade + 3) for name, grade in judged.items()} for query, judged in qrels.items()}
    write_qrels(tmp_path / "qrels", qrels)
    write_run(tmp_path / "run", run, "my tag")
    assert read_qrels(tmp_path / "qrels") == qrels
    assert read_run(tmp_path / "run") == run
    (tmp_path / "run").read_text(encoding="utf-8")
    first = (tmp_path / "run").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"a%20query Q0 my%20photos/a%20b.jpg 1 {1 / 3!r} my%20tag"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", "\x1c", "\x85"])
def test_only_ascii_blanks_separate_fields(tmp_path: Path, encoding: str, blank: str) -> None:
    name = f"a{blank}b.jpg"
    (tmp_path / "qrels").write_text(f"q1\t0 {name}  1 \r\nq1 0 c 0\n", encoding=encoding, newline="")
    (tmp_path / "run").write_text(f" q1 Q0 {name} 1 0.5 tag\nq1 Q0 c 2 0.25 tag\n", encoding=encoding, newline="")
    assert read_qrels(tmp_path / "qrels") == {"q1": {name: 1, "c": 0}}
    assert read_run(tmp_path / "run") == {"q1": {name: 0.5, "c": 0.25}}


def test_grades_may_be_written_as_decimals(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("q 0 a 1.0\nq 0 b -1.\n", encoding="utf-8")
    assert read_qrels(tmp_path / "qrels") == {"q": {"a": 1, "b": -1}}


def test_ids_that_differ_only_in_normalization_are_matched() -> None:
    qrels = {"q1": {"\u00e4.jpg": 1}, "q2": {"\u00e4": 1, "a\u0308": 1}}
    run = {"q1": {"a\u0308.jpg": 0.5, "b": 0.25}, "q2": {"a\u0308": 1.0}}
    with pytest.warns(UserWarning, match="1 ids differ .* only in Unicode normalization"):
        evaluation = evaluate_run(Subject("d", "t", "s"), run, qrels)
    assert evaluation.scores["mrr"] == 1
    assert align_documents(run, qrels) == ({"q1": {"\u00e4.jpg": 0.5, "b": 0.25}, "q2": {"a\u0308": 1.0}}, 1)
    both = {"q": {"e\u0301": 1.0, "\u00e9": 0.5}}
    assert align_documents(both, {"q": {"e\u0301": 1}}) == (both, 0)


def test_run_is_written_best_first_then_by_id(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"q": {"b": 1.0, "c": 2.0, "a": 1.0}})
    lines = (tmp_path / "run").read_text(encoding="utf-8").splitlines()
    assert lines == ["q Q0 c 1 2.0 sightline", "q Q0 a 2 1.0 sightline", "q Q0 b 3 1.0 sightline"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"\n  \n", "the file is empty"),
        (b"q 0 a\n", "line 1: expected 4 fields (query 0 document grade), found 3"),
        (b"q 0 a 1\nq 0 b 1 2\n", "line 2: expected 4 fields (query 0 document grade), found 5"),
        (b"q 0 a high\n", "line 1: the grade 'high' is not a whole number"),
        (b"q 0 a 1.5\n", "line 1: the grade '1.5' is not a whole number"),
        (b"q 0 a 1\nq 0 a 0\n", "line 2: duplicate document a for the query q"),
        (b"q 0 a 1\nq 0 caf\xe9 1\n", "line 2: not UTF-8 at byte 7"),
    ],
)
def test_invalid_qrels_name_the_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "qrels.txt"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_qrels(path)
    assert str(caught.value).startswith(f"{path}{', ' if complaint.startswith('line') else ': '}{complaint}")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("q Q0 a 1 0.5", r"expected 6 fields \(query Q0 document rank score tag\), found 5"),
        ("q Q0 a 1 best tag", "the score 'best' is not a number"),
        ("q Q0 a 1 nan tag", "the score 'nan' is not finite"),
        ("q Q0 first 2 0.25 tag", "duplicate document first for the query q"),
    ],
)
def test_invalid_runs_name_the_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "run.txt"
    path.write_text(f"q Q0 first 1 0.5 tag\n{line}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=f"line 2: {complaint}"):
        read_run(path)


def test_missing_and_unwritable_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        read_run(tmp_path / "run")
    with pytest.raises(DatasetError, match="Is a directory"):
        read_qrels(tmp_path)
    with pytest.raises(EvaluationError, match=r"Cannot write .*: Is a directory"):
        write_qrels(tmp_path, {})
    with pytest.raises(EvaluationError, match="TREC files cannot contain an empty id"):
        write_run(tmp_path / "run", {"": {"a": 1.0}})


def test_ties_count_against_the_run() -> None:
    """a 0.9; then b, c, d, e at 0.5: not relevant c, d first, then b (grade 1), then e (grade 2); f is not ranked."""
    run = {"q": {"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.5, "e": 0.5}}
    (ranks,) = rank_run(run, {"q": {"b": 1, "e": 2, "f": 1, "c": 0}})
    assert ranks.ranks.tolist() == [4, 5, inf]
    assert ranks.grades.tolist() == [1, 2, 1]


def test_rank_run_ranks_judged_queries_by_default() -> None:
    run = {"q1": {"a": 1.0}, "unjudged": {"a": 1.0}}
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}}
    assert [ranks.first for ranks in rank_run(run, qrels)] == [1, inf]
    assert [ranks.first for ranks in rank_run(run, qrels, ["unjudged", "q1"])] == [inf, 1]
