"""What can be asked."""

from pathlib import Path

import pytest

from search import Query
from sightline.errors import InvalidQuery


def test_texts_and_pictures() -> None:
    query = Query.of(["a dog", "雪"], ["x/cat.jpg", Path("b.png")])
    assert query == Query(("a dog", "雪"), (Path("x/cat.jpg"), Path("b.png")))
    assert str(query) == "a dog + 雪 + cat.jpg + b.png"


@pytest.mark.parametrize("texts", [[], [""], ["  "], ["a dog", "\t\n"]])
def test_nothing_cannot_be_asked(texts: list[str]) -> None:
    with pytest.raises(InvalidQuery):
        Query.of(texts)
