"""Words that captions say, for photos whose captions are written here."""

from pathlib import Path

import numpy as np
import pytest

from encoders.mini.tokenizer import Tokenizer
from training.names import Noun
from training.tokenizer import train_tokenizer
from training.words import Vocabulary, Word, WordSampler, caption_words, noun_words

DAUGHTER = Noun("1", {"en": ["girl"], "de": ["Tochter"]})
GIRL = Noun("2", {"en": ["girl"], "de": ["Mädchen", "Mädel"], "zh": ["女孩"]})
LEAF = Noun("3", {"en": ["leaf"]})
VOCABULARY = Vocabulary([DAUGHTER, GIRL, LEAF], {"girl": ["2", "1"]})


def test_a_name_means_its_most_frequent_sense() -> None:
    assert VOCABULARY.forms("girl") == ["girl", "girl", "女孩", "Mädchen"]
    assert Vocabulary([DAUGHTER, GIRL], {}).forms("girl") == ["girl", "girl", "Tochter"]


@pytest.mark.parametrize(("word", "lemma"), [("girls", "girl"), ("leaves", "leaf"), ("dogs", None)])
def test_plurals_of_nouns(word: str, lemma: str | None) -> None:
    assert VOCABULARY.lemma(word) == lemma


def test_shares_of_nouns_in_five_captions() -> None:
    one = ["A girl.", "Two children.", "Some kids.", "Kids.", "People."]
    two = ["Girls on a lawn.", "A girl runs.", "Kids.", "Kids.", "People."]
    photos = [{"en": two}] * 8 + [{"en": one}, {"en": []}]
    (word,) = noun_words(photos, VOCABULARY)
    assert word.forms[0] == "girl"
    assert word.shares == {**dict.fromkeys(range(8), 0.8), 8: 0.4}
    assert noun_words(photos[1:], VOCABULARY) == []  # seven photos are too few


def test_words_of_captions_in_english_are_joined_by_their_stem() -> None:
    photos = [{"en": ["The dog is running", "A dog runs"]}] * 12 + [{"en": ["Snow"]}] * 36
    words = {word.forms[0]: word for word in caption_words(photos, "en")}
    assert set(words) == {"dog", "running"}  # snow is too common, and "the" a stop word
    assert words["running"].forms == ["running", "runs"]
    assert words["running"].shares == dict.fromkeys(range(12), 1.0)


def test_arabic_words_are_found_with_and_without_their_article() -> None:
    photos = [{"ar": ["الكلب" if row % 2 else "كلب"]} for row in range(12)] + [{"ar": ["ثلج"]}] * 36
    (word,) = caption_words(photos, "ar")
    assert word.forms == ["كلب", "الكلب"]
    assert len(word.shares) == 12


def test_chinese_captions_give_no_words() -> None:
    assert caption_words([{"zh": ["一只狗"]}] * 12, "zh") == []


@pytest.fixture
def sampler(tmp_path: Path) -> WordSampler:
    train_tokenizer(["dog hound cat bird"] * 3, 273, tmp_path / "tokenizer.model")
    words = [Word(["dog", "hound"], {0: 1.0, 1: 0.4}), Word(["cat"], {2: 1.0}), Word(["bird"], {3: 1.0})]
    return WordSampler(words, 4, Tokenizer(tmp_path / "tokenizer.model"))


def test_only_words_of_the_batch_are_drawn(sampler: WordSampler) -> None:
    texts, shares = sampler.draw(np.array([2, 1]), 5, np.random.default_rng(0))
    assert len(texts) == 2
    # Rows are those of the batch: the cat in the first photo, and something of a dog in the second.
    np.testing.assert_array_equal(shares[:, np.argsort(shares[0])], np.array([[0, 1], [0.4, 0]], np.float32))


def test_a_batch_without_any_word_is_allowed(tmp_path: Path) -> None:
    train_tokenizer(["dog hound cat bird"] * 3, 273, tmp_path / "tokenizer.model")
    sampler = WordSampler([], 2, Tokenizer(tmp_path / "tokenizer.model"))
    texts, shares = sampler.draw(np.array([0, 1]), 5, np.random.default_rng(0))
    assert (texts, shares.shape) == ([], (2, 0))
