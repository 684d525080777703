"""Slices by the length of queries: units of length, and values equal to those of the queries alone."""

from pathlib import Path

import pytest

from search.evaluate.datasets.base import Caption, Dataset
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.query_lengths import length_slices, text_length
from search.evaluate.ranks import Ranks


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a dog - on the beach!", ("words", 5)),
        ("l'homme assis", ("words", 2)),
        ("\U0001f436", ("words", 1)),
        ("강아지가 해변에서 뛴다", ("words", 3)),
        ("一只狗在海滩上奔跑。", ("characters", 9)),
        ("ビーチを走る犬", ("characters", 7)),
        ("สุนัขวิ่งบนชายหาด", ("characters", 13)),
        ("BMW 的车", ("words", 2)),
        ("BMW 的红色汽车", ("characters", 8)),
    ],
)
def test_unit_and_length_of_a_text(text: str, length: tuple[str, int]) -> None:
    assert text_length(text) == length


def evaluation_of(texts: list[str], ranks: list[int], direction: str = "text-to-picture") -> tuple[Evaluation, Dataset]:
    captions = tuple(Caption(str(row), text, "en", {"a.jpg": 1}) for row, text in enumerate(texts))
    dataset = Dataset("data", "all", Path(), ("a.jpg", "b.jpg", "c.jpg"), captions)
    subject = Subject("data", "all", "system", direction=direction)  # type: ignore[arg-type]
    queries = tuple(caption.id for caption in captions)
    return Evaluation(subject, queries, tuple(Ranks.of([rank]) for rank in ranks), candidates=3), dataset


def test_slices_have_the_values_of_their_queries() -> None:
    """Three words at rank 1 and four at ranks 2 and 1; 13 words at rank 4; a Chinese text of six characters."""
    texts = ["one two three", "one two three four", "a b c d e f g", " ".join("abcdefghijklm"), "海滩上的狗跑"]
    slices = length_slices(*evaluation_of(texts, [1, 2, 1, 4, 3]))
    assert [(part.label, len(part.evaluation.queries)) for part in slices] == [
        ("1-3 words", 1), ("4-7 words", 2), ("13+ words", 1), ("1-6 characters", 1),
    ]  # fmt: skip
    assert [part.evaluation.scores["mrr"] for part in slices] == [1, 0.75, 0.25, 1 / 3]
    record = slices[1].as_dict()
    assert (record["unit"], record["from"], record["to"], record["queries"]) == ("words", 4, 7, 2)
    low, high = record["intervals"]["recall@1"]  # type: ignore[index]
    assert (round(low, 4), round(high, 4)) == (0.0126, 0.9874)  # Clopper-Pearson, 1 of 2
    assert slices[2].as_dict()["to"] is None


def test_slices_of_a_run_have_lower_bounds() -> None:
    """The run has two results for each query, so that MRR and later ranks are not known for the longer one."""
    evaluation, dataset = evaluation_of(["a dog", "a dog that runs"], [1, 3])
    short, long = length_slices(evaluation.cut(2), dataset)
    assert short.as_dict()["lower_bounds"] == {}
    bounds = long.as_dict()["lower_bounds"]
    assert bounds == {"mrr": 0, "recall@5": 0, "recall@10": 0, "ndcg@10": 0, "median_rank": 3}
    whole = length_slices(evaluation, dataset)[1].as_dict()
    assert "lower_bounds" not in whole


def test_no_slices_where_lengths_are_equal_or_unknown_or_queries_are_pictures() -> None:
    assert length_slices(*evaluation_of(["a dog", "a cat"], [1, 2])) == []
    assert length_slices(*evaluation_of(["", ""], [1, 2])) == []
    assert length_slices(*evaluation_of(["a", "a b c d e"], [1, 2], "picture-to-text")) == []
