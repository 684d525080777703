"""Telling words, phrases and sentences apart in languages with and without spaces."""

import pytest

from search.query_kind import count_words, text_kind, without_articles


@pytest.mark.parametrize(
    "text",
    [
        "dog", "a dog", "the dog", "THE DOG", "Hund", "ein Hund", "der Hund", "un chien", "l'eau", "l’eau",
        "basket-ball", "pes", "kůň", "ku\u030an\u030c", "狗", "一只狗", "自行车", "一辆汽车", "马", "كلب",
        "كَلْب", "هٰذا", "un perro", "कुत्ता", "நாய்", "שָׁלוֹם", "می\u200cخواهم",
        "犬", "スノーボード", "a dog!", " dog ", "个", "개", "ox", "4x4",
    ],
)  # fmt: skip
def test_word(text: str) -> None:
    assert text_kind(text) == "word"


@pytest.mark.parametrize(
    "text",
    [
        "a black dog", "dog on the beach", "zwei Hunde", "ein Hund im Schnee", "un chien dans l'eau", "černý pes",
        "黑色的狗", "一只黑色的狗", "条纹衬衫", "海滩上的狗", "男人攀岩",
        "كلب أسود", "رجل يتسلق صخرة", "海辺の犬", "3 dogs",
        "मोटर गाड़ी", "2 x dog", "dog.jpg dog",
    ],
)  # fmt: skip
def test_phrase(text: str) -> None:
    assert text_kind(text) == "phrase"


@pytest.mark.parametrize(
    "text",
    [
        "two men in an office", "a dog runs through the snow", "Zwei Männer sitzen in einem Büro.",
        "两个男人在办公室里谈话",
        "رجلان يتحدثان في مكتب", "un homme joue de la guitare dans la rue",
    ],
)  # fmt: skip
def test_sentence(text: str) -> None:
    assert text_kind(text) == "sentence"


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!!!", "?!", "🐶", "❤️", "...", "\u200d", "42", "3.14", "2023-06-01", "٤٢", "½", "x", "Ж", "ش", "a",
        "the", "la", "x y 3", "https://example.com/a-dog-in-the-snow", "www.example.com", "me@example.com",
        "dog.jpg", "IMG_1234.JPG", "holiday-2023.heic",
    ],
)  # fmt: skip
def test_text_that_names_nothing_has_no_kind(text: str) -> None:
    assert text_kind(text) is None


def test_two_chinese_characters_count_as_a_word() -> None:
    assert [count_words("雪" * number) for number in (1, 2, 3, 4, 5, 8)] == [1, 1, 1, 2, 2, 4]
    assert count_words("NBA 篮球 比赛") == 3
    assert count_words("") == 0


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        *(("a dog", "dog"), ("Ein Hund!", "hund"), ("the black dog", "black dog"), ("dog", "dog"), ("a", ""), ("", "")),
        *(("一只狗", "狗"), ("狗", "狗"), ("un chien", "chien"), ("كَلْب", "كلب")),
        *(("头发", "头发"), ("一头牛", "牛"), ("一条", "一条"), ("条纹", "条纹")),
    ],
)
def test_text_without_its_articles(text: str, rest: str) -> None:
    assert without_articles(text) == rest
