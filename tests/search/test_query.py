"""What can be asked."""

from pathlib import Path

import pytest

from search import Query
from sightline.errors import InvalidQuery


def test_texts_and_pictures() -> None:
    query = Query.of(["a dog", "雪"], ["x/cat.jpg", Path("b.png")])
    assert query == Query(("a dog", "雪"), (Path("x/cat.jpg"), Path("b.png")))
    assert str(query) == "a dog + 雪 + cat.jpg + b.png"


def test_a_single_part_needs_no_list() -> None:
    """A text is a sequence too: of letters."""
    assert Query.of("dog", "cat.jpg") == Query(("dog",), (Path("cat.jpg"),))
    assert Query.of(images=Path("cat.jpg")) == Query(images=(Path("cat.jpg"),))


@pytest.mark.parametrize("texts", [[], [""], ["  "], ["a dog", "\t\n"]])
def test_nothing_cannot_be_asked(texts: list[str]) -> None:
    with pytest.raises(InvalidQuery):
        Query.of(texts)
