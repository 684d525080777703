"""The words of a prompt that name something."""

import pytest

from search.highlight.content_words import MAX_WORDS, content_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a snowman in the snow", [(2, "snowman"), (17, "snow")]),
        ("Ein Hund mit einem roten Ball", [(4, "Hund"), (19, "roten"), (25, "Ball")]),
        ("une maison près de la mer", [(4, "maison"), (22, "mer")]),
        ("pes na sněhu", [(0, "pes"), (7, "sněhu")]),
        ("خيمة ونار في الليل", [(0, "خيمة"), (5, "ونار"), (13, "الليل")]),
        ("一艘帆船在海上", [(2, "帆船"), (5, "海")]),
        ("two 狗, ok?", [(0, "two"), (4, "狗"), (7, "ok")]),
        ("a red-brown dog's nose", [(2, "red-brown"), (12, "dog's"), (18, "nose")]),
        ("Dog dog DOG 2023", [(0, "Dog")]),
        ("in the of", []),
        ("...", []),
    ],
)
def test_words_that_name_something_are_found(text: str, words: list[tuple[int, str]]) -> None:
    assert content_words(text) == words
    assert all(text[start : start + len(word)] == word for start, word in words)


def test_number_of_words_is_bounded() -> None:
    assert len(content_words(" ".join(f"w{number}x" for number in range(250)))) == MAX_WORDS
    assert len(content_words("狗的" * 250)) == 1
