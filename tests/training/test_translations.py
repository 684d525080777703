"""The choice of English names for words of other languages, with vectors made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from encoders.base import Vectors
from training.names import Noun
from training.translations import TranslationSettings, candidates, said_in_english, translate

SENSES = {"man": ["1", "2"], "world": ["2"], "toy": ["5", "3"], "plaything": ["3"], "park": ["4"]}
NOUNS = [
    Noun("1", {"en": ["man", "adult male"], "fr": ["homme"], "de": ["Mann"]}),
    Noun("2", {"en": ["world", "man"], "fr": ["homme", "monde"]}),
    Noun("3", {"en": ["plaything", "toy"], "cs": ["hračka"]}),
    Noun("4", {"en": ["park"], "de": ["Park"], "ar": ["..."]}),
]


def encode(texts: Sequence[str]) -> Vectors:
    """Return unit vectors in which "homme" is a man."""
    places = {"homme": 0.0, "man": 0.1, "adult male": 0.3, "world": 1.5}
    angles = np.array([places.get(text, 1.0) for text in texts])
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_names_of_all_meanings_are_candidates_with_the_place_of_the_meaning() -> None:
    """A name that WordNet does not list has place 3, and a name of two meanings the better place."""
    found = candidates(NOUNS, SENSES, TranslationSettings())
    assert found["homme"] == {"man": 0, "adult male": 3, "world": 0}
    assert found["hracka"] == {"plaything": 0, "toy": 1}
    assert candidates(NOUNS, SENSES, TranslationSettings(names=1))["homme"] == {"man": 0, "world": 0}


def test_english_nouns_and_names_of_signs_are_no_candidates() -> None:
    assert candidates(NOUNS, SENSES, TranslationSettings()).keys() == {"homme", "mann", "monde", "hracka"}


def test_words_of_english_sentences_are_no_candidates() -> None:
    nouns = [*NOUNS, Noun("6", {"en": ["orchard"], "cs": ["Sad"]})]
    settings = TranslationSettings(spoken=2)
    said = said_in_english(["A sad man, a sad, sad dog.", "SAD people had tea!", "he had a monde"], settings)
    assert {"sad", "monde", "had", "a"} & said == {"sad"}  # "monde" is said once, and "had" is no query
    assert "sad" in candidates(nouns, SENSES, settings)
    assert candidates(nouns, SENSES, settings, said).keys() == {"homme", "mann", "monde", "hracka"}


def test_similar_and_frequent_names_weigh_more() -> None:
    """The logits are 10 cos(0.1), 10 cos(0.3) - 3, and 10 cos(1.5): weights of 97, 3 and 0 %."""
    names = {"homme": {"man": 0, "adult male": 3, "world": 0}}
    assert translate(names, encode, TranslationSettings(least=0.01)) == {"homme": {"man": 97, "adult male": 3}}
    assert translate(names, encode, TranslationSettings()) == {"homme": {"man": 97}}


def test_each_word_keeps_at_least_one_name() -> None:
    names = {"x": {f"name {number}": 0 for number in range(20)}}  # 5 % each
    assert len(translate(names, encode, TranslationSettings())["x"]) == 20


@pytest.mark.parametrize("names", [{}, {"homme": {"man": 0}}])
def test_few_words_are_translated(names: dict[str, dict[str, int]]) -> None:
    assert translate(names, encode, TranslationSettings()) == {word: {"man": 100} for word in names}
