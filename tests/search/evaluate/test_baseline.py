"""Saving evaluations as a baseline and comparing with it."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import DatasetError, EvaluationError, IncomparableEvaluations
from search.evaluate.baseline import compare_with_baseline, read_baseline, significant_drops, write_baseline
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.metrics import parse_metrics
from search.evaluate.ranks import Ranks


def evaluation(ranks: list[list[float]], lang: str = "en", space: str = "old") -> Evaluation:
    return Evaluation(
        Subject("data", "dev", space, lang),
        tuple(f"q{number}" for number in range(len(ranks))),
        tuple(Ranks.of(some, [1 + number % 3 for number in range(len(some))]) for some in ranks),
        candidates=50,
        clusters=tuple(f"picture {number // 2}" for number in range(len(ranks))),
        metrics=parse_metrics(("mrr", "ndcg@10", "median_rank")),
    )


GOOD: list[list[float]] = [[1.0], [2, 3, 9], [1], [1, 4]] * 8
BAD: list[list[float]] = [[5.0], [6, 7, 9], [4], [9, 11]] * 8


def test_baseline_is_read_back_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    kept = [evaluation([*GOOD, [float("inf"), 3], []]), evaluation(BAD, "de")]
    write_baseline(path, kept)
    for found, before in zip(read_baseline(path), kept, strict=True):
        assert found.subject == before.subject
        assert found.queries == before.queries
        assert found.clusters == before.clusters
        assert found.candidates == before.candidates
        assert found.scores == before.scores
        assert found.as_dict() == before.as_dict()


def test_compressed_baseline_is_reproducible(tmp_path: Path) -> None:
    plain, packed, again = (tmp_path / name for name in ("kept.json", "kept.json.gz", "again.json.gz"))
    for path in (plain, packed, again):
        write_baseline(path, [evaluation(GOOD)])
    assert packed.stat().st_size < plain.stat().st_size / 2
    assert packed.read_bytes() == again.read_bytes()
    assert [kept.as_dict() for kept in read_baseline(packed)] == [kept.as_dict() for kept in read_baseline(plain)]
    for damaged in (
        packed.read_bytes()[:-9],
        packed.read_bytes()[:30],
        b"plain",
        packed.read_bytes()[:20] + b"\xff" * 99,
    ):
        packed.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"kept\.json\.gz"):
            read_baseline(packed)


def test_significant_drop_is_found(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(path, [evaluation(GOOD), evaluation(GOOD, "de")])
    now = [evaluation(GOOD, space="new"), evaluation(BAD, "de", space="new")]
    compared = compare_with_baseline(now, read_baseline(path))
    assert len(compared) == 6
    found = significant_drops(compared)
    assert {(one.metric.name, one.right.lang) for one in found} == {
        ("mrr", "de"),
        ("ndcg@10", "de"),
        ("median_rank", "de"),
    }
    assert all("old is better" in one.verdict for one in found)


def test_rise_and_noise_are_not_drops() -> None:
    assert significant_drops(compare_with_baseline([evaluation(GOOD)], [evaluation(BAD)])) == []
    slightly: list[list[float]] = [[2.0], *GOOD[1:]]
    compared = compare_with_baseline([evaluation(slightly)], [evaluation(GOOD)])
    assert compared[0].difference < 0
    assert significant_drops(compared) == []


def test_new_metrics_are_computed_from_the_saved_ranks() -> None:
    now = replace(evaluation(GOOD), metrics=parse_metrics(("map", "mrr")))
    compared = compare_with_baseline([now], [evaluation(BAD)])
    assert [one.metric.name for one in compared] == ["map", "mrr"]
    assert compared[0].left_score == pytest.approx(
        (1 / 5 + (1 / 6 + 2 / 7 + 3 / 9) / 3 + 1 / 4 + (1 / 9 + 2 / 11) / 2) / 4
    )


def test_other_queries_and_data_sets_are_rejected() -> None:
    with pytest.raises(EvaluationError, match="Not in the baseline: data dev de text-to-picture"):
        compare_with_baseline([evaluation(GOOD, "de")], [evaluation(GOOD)])
    with pytest.raises(IncomparableEvaluations, match="1 differ: q31"):
        compare_with_baseline([evaluation(GOOD[:-1])], [evaluation(GOOD)])
    with pytest.raises(EvaluationError, match="has 50 candidates, but there are 51 now: data dev en text"):
        compare_with_baseline([replace(evaluation(GOOD), candidates=51)], [evaluation(GOOD)])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "not a baseline file"),
        ('{"format": "other"}', "not a baseline file"),
        ('{"format": "sightline baseline 1"}', "the baseline is damaged: KeyError"),
        ('{"format": "sightline baseline 1", "evaluations": [{}]}', "the baseline is damaged: KeyError"),
        ('{"format": "sightline baseline 1", "evaluations": [[]]}', "the baseline is damaged: TypeError"),
    ],
)
def test_other_files_are_not_a_baseline(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match=complaint):
        read_baseline(path)


def test_damaged_baseline_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(path, [evaluation(GOOD)])
    path.write_text(path.read_text(encoding="utf-8").replace('"q0",', ""), encoding="utf-8")
    with pytest.raises(DatasetError, match="the number of rankings is not the number of queries"):
        read_baseline(path)
    with pytest.raises(EvaluationError, match="Cannot write"):
        write_baseline(tmp_path, [])
