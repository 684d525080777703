"""The same numbers as trec_eval itself, on random graded judgements, with ties.

trec_eval breaks ties by document id, so it gets a ranking without ties: ours, in the order that is worst (irrelevant
documents first, then the lowest grade). A second test gives it the ties in any order, which must never be worse.
"""

import numpy as np
import pytest
import pytrec_eval
from numpy.typing import NDArray

from search.evaluate.metrics import parse_metric
from search.evaluate.scoring import LabelledVectors, rank_vectors
from search.evaluate.trec import rank_run
from search.evaluate.vector_blocks import BlockSizes

OURS = {"recip_rank": "mrr", "map": "map", "ndcg": "ndcg"} | {
    f"{theirs}_{k}": f"{ours}@{k}"
    for theirs, ours in (
        ("P", "p"),
        ("recall", "fraction_recall"),
        ("success", "recall"),
        ("ndcg_cut", "ndcg"),
        ("map_cut", "map"),
    )
    for k in (1, 5, 10, 100)
}

Qrels = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]


def trec_eval(run: Run, qrels: Qrels) -> dict[str, dict[str, float]]:
    wanted = {"recip_rank", "map", "ndcg"} | {
        f"{name}.1,5,10,100" for name in ("P", "recall", "success", "ndcg_cut", "map_cut")
    }
    found: dict[str, dict[str, float]] = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    return found


def random_case(seed: int, ties: bool) -> tuple[Run, Qrels]:
    """Forty queries over a hundred documents; not all are ranked, some queries have nothing relevant."""
    random = np.random.default_rng(seed)
    documents = [f"d{number}" for number in range(100)]
    run, qrels = {}, {}
    for query in (f"q{number}" for number in range(40)):
        judged = random.permutation(documents)[: random.integers(1, 40)]
        qrels[query] = {str(document): int(random.integers(0, 4)) for document in judged}
        ranked = random.permutation(documents)[: random.integers(1, 101)]
        scores = random.integers(0, 12, len(ranked)) if ties else random.permutation(len(ranked))
        run[query] = {str(document): float(score) for document, score in zip(ranked, scores, strict=True)}
    return run, qrels


def in_order(scores: dict[str, float], judged: dict[str, int], shuffle: NDArray[np.float64] | None) -> dict[str, float]:
    """The same ranking without ties: the worst order among equals, or any."""
    among_equals = dict(zip(scores, shuffle, strict=False)) if shuffle is not None else judged
    worst_last = sorted(scores, key=lambda document: (-scores[document], among_equals.get(document, 0)))
    return {document: float(-place) for place, document in enumerate(worst_last)}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_metrics_equal_those_of_trec_eval(seed: int, ties: bool) -> None:
    run, qrels = random_case(seed, ties)
    found = trec_eval({query: in_order(run[query], qrels[query], None) for query in run}, qrels)
    ranked = rank_run(run, qrels)
    for theirs, ours in OURS.items():
        values = parse_metric(ours).values(ranked)
        np.testing.assert_allclose(values, [found[query][theirs] for query in qrels], rtol=0, atol=1e-12, err_msg=ours)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_ties_gives_lower_values(seed: int) -> None:
    run, qrels = random_case(seed, ties=True)
    random = np.random.default_rng(seed)
    ranked = rank_run(run, qrels)
    ours = {name: parse_metric(mine).values(ranked) for name, mine in OURS.items()}
    differ = 0
    for _ in range(20):
        lucky = trec_eval({query: in_order(run[query], qrels[query], random.random(100)) for query in run}, qrels)
        for name, values in ours.items():
            theirs = np.array([lucky[query][name] for query in qrels])
            assert (values <= theirs + 1e-12).all(), name
            differ += int((values < theirs - 1e-12).sum())
    assert differ


def test_metrics_of_vectors_equal_those_of_trec_eval() -> None:
    """Whole-number vectors, so that scores are exact and tie."""
    random = np.random.default_rng(0)
    queries, gallery = (random.integers(-2, 3, (rows, 4)).astype(np.float32) for rows in (30, 200))
    names = [f"d{number}" for number in range(200)]
    qrels = {
        f"q{number}": {str(name): int(random.integers(0, 4)) for name in random.permutation(names)[:20]}
        for number in range(30)
    }
    scores = (queries @ gallery.T).tolist()
    run = {f"q{number}": dict(zip(names, row, strict=True)) for number, row in enumerate(scores)}
    found = trec_eval({query: in_order(run[query], qrels[query], None) for query in run}, qrels)
    ranked = rank_vectors(list(qrels), queries, LabelledVectors(names, gallery), qrels, BlockSizes(7, 33))
    for theirs, ours in OURS.items():
        values = parse_metric(ours).values(ranked)
        np.testing.assert_allclose(values, [found[query][theirs] for query in qrels], rtol=0, atol=1e-12, err_msg=ours)


def test_mean_counts_queries_missing_from_the_run() -> None:
    """trec_eval drops them unless it is told otherwise (-c); here they always count."""
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}}
    run = {"q1": {"a": 1.0}}
    mrr = parse_metric("mrr")
    assert mrr.summarise(mrr.values(rank_run(run, qrels))) == (1 + 0) / 2
    assert set(trec_eval(run, qrels)) == {"q1"}
