"""What can be asked."""

from pathlib import Path

import pytest

from core.errors import InvalidQuery
from search import ImageInput, Part, Query, TextInput


def test_texts_and_pictures() -> None:
    query = Query.of(["a dog", "雪"], ["x/cat.jpg", Path("b.png")])
    pictures = (Part(ImageInput(Path("x/cat.jpg"))), Part(ImageInput(Path("b.png"))))
    assert query == Query((Part(TextInput("a dog")), Part(TextInput("雪")), *pictures))
    assert query.title == "a dog + 雪 + cat.jpg + b.png"
    assert str(query) == 'a dog + 雪 + "./x/cat.jpg" + "./b.png"'


def test_a_single_part_needs_no_list() -> None:
    """A text is a sequence too: of letters."""
    assert Query.of("dog", "cat.jpg") == Query((Part(TextInput("dog")), Part(ImageInput(Path("cat.jpg")))))
    assert Query.of(images=Path("cat.jpg")) == Query((Part(ImageInput(Path("cat.jpg"))),))


def test_what_it_stays_away_from_weighs_half_of_what_it_wants() -> None:
    query = Query.of(["a", "b"], without=["c", "d", "e", "f"])
    assert [part.weight for part in query.parts] == [1, 1, -0.25, -0.25, -0.25, -0.25]


@pytest.mark.parametrize("texts", [[], [""], ["  "], ["a dog", "\t\n"]])
def test_nothing_cannot_be_asked(texts: list[str]) -> None:
    with pytest.raises(InvalidQuery):
        Query.of(texts)
