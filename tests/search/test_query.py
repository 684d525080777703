"""Queries of texts and pictures, and invalid queries."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidQuery
from search import ImageInput, Part, Query, TextInput, VectorInput
from search.query_language import parse


def test_query_of_texts_and_images() -> None:
    query = Query.of(["a dog", "雪"], ["x/cat.jpg", Path("b.png")])
    pictures = (Part(ImageInput(Path("x/cat.jpg"))), Part(ImageInput(Path("b.png"))))
    assert query == Query((Part(TextInput("a dog")), Part(TextInput("雪")), *pictures))
    assert query.title == "a dog + 雪 + cat.jpg + b.png"
    assert str(query) == 'a dog + 雪 + "./x/cat.jpg" + "./b.png"'


def test_query_of_single_items() -> None:
    """A string is not split into letters."""
    assert Query.of("dog", "cat.jpg") == Query((Part(TextInput("dog")), Part(ImageInput(Path("cat.jpg")))))
    assert Query.of(images=Path("cat.jpg")) == Query((Part(ImageInput(Path("cat.jpg"))),))


def test_negative_parts_weigh_half() -> None:
    query = Query.of(["a", "b"], without=["c", "d", "e", "f"])
    assert [part.weight for part in query.parts] == [1, 1, -0.25, -0.25, -0.25, -0.25]


@pytest.mark.parametrize("texts", [[], [""], ["  "], ["a dog", "\t\n"]])
def test_empty_query_raises(texts: list[str]) -> None:
    with pytest.raises(InvalidQuery):
        Query.of(texts)


@pytest.mark.parametrize("weight", [0.0, float("inf"), float("nan"), -float("inf"), 1e7, 1e-9])
def test_weight_out_of_range_raises(weight: float) -> None:
    with pytest.raises(InvalidQuery, match="out of range"):
        Part(TextInput("red"), weight)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TextInput(""), lambda: TextInput(" \n"), lambda: TextInput("a\0"), lambda: TextInput("\udcff"),
        lambda: TextInput("a" * 100_001), lambda: ImageInput(Path("a\0.jpg")), lambda: VectorInput(()),
        lambda: VectorInput((0.0, 0.0)), lambda: VectorInput((1.0, np.nan)),
        lambda: Query(()), lambda: Query((Part(TextInput("a"), -1),)), lambda: Query((Part(TextInput("a")),) * 1001),
        lambda: Query.of([]), lambda: Query.of(without="red"),
    ],
)  # fmt: skip
def test_invalid_query_raises(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidQuery):
        make()


def test_only_a_single_text_or_whole_picture_has_a_kind() -> None:
    kinds = {
        "beach": "word", "2:beach": "word", "a sandy beach": "phrase", "a man walks along the beach": "sentence",
        "./a.jpg": "picture", "like:4": "picture",
        "a + b": None, "a -b": None, "like:4 -like:5": None, "a + ./a.jpg": None, "./a.jpg[0,0,5,5]": None,
    }  # fmt: skip
    for line, kind in kinds.items():
        query = parse(line).query
        assert query is not None
        assert query.kind == kind, line
    assert Query((Part(VectorInput((1.0,))),)).kind is None
