"""Fitting a calibration to queries with answers worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from search.logistic import fit
from search.relevance import Calibration, Kind, Scale
from training import calibrate as calibration
from training import verdicts
from training.calibrate import best_cut, fit_pairs, with_limits
from training.questions import FIT, MEASURE, Asked
from training.verdicts import (
    AllAsked,
    Judged,
    has_many,
    macro_precision,
    macro_recall,
    relevance_of,
    replace_tables,
    tables,
    with_precision,
)

MEAN = np.array([0.0, 0.0])


def asked(
    scores: Sequence[Sequence[float]], counts: Sequence[Sequence[int]] | None = None, kind: str = "word"
) -> Asked:
    number = len(scores)
    return Asked(
        "words",
        np.tile(np.array([1, 0], np.float32), (number, 1)),
        np.array(scores, np.float32),
        np.full(number, kind),
        np.full(number, MEASURE),
        np.full(number, "en"),
        None if counts is None else np.array(counts),
    )


def test_a_fit_reproduces_the_observed_odds() -> None:
    """Three of four are answered at x = 1, and one of four at x = 0."""
    features = np.array([[1.0]] * 4 + [[0.0]] * 4)
    answered = np.array([1.0, 1, 1, 0, 1, 0, 0, 0])
    slope, constant = fit(features, answered, np.full(8, 1 / 8))
    assert slope == pytest.approx(2 * np.log(3), abs=1e-2)
    assert constant == pytest.approx(-np.log(3), abs=1e-2)


def test_relevance_is_the_share_of_right_pairs() -> None:
    """At 0.8, three of four pictures are right, and at 0.4 one; half of the queries have no answer and score 0.4."""
    words = asked([[0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4]], [[5, 2, 2, 1, 2, 0, 0, 1]])
    scale = fit_pairs([words], [asked([[0.4] * 8])], MEAN)
    found = relevance_of(asked([[0.8, 0.4]]), scale, MEAN)
    np.testing.assert_allclose(found, [[0.75, 1 / 12]], atol=0.01)  # at 0.4: 1 of 4, and 0 of 8


def test_each_query_weighs_the_same() -> None:
    """One query to two pictures and one to eight: at 0.8, (1 + 0.5) / 2 of the weight is right."""
    small, large = asked([[0.8, 0.4]], [[2, 0]]), asked([[0.8] * 4 + [0.4] * 4], [[2, 2, 0, 0, 0, 0, 0, 0]])
    scale = fit_pairs([small, large], [asked([[0.0]])], MEAN)
    assert relevance_of(asked([[0.8]]), scale, MEAN)[0, 0] == pytest.approx(0.75, abs=0.01)


def test_words_of_many_tokens_are_less_relevant_at_the_same_score() -> None:
    """At one token, nine of ten pictures are right, and at three, one."""
    tokens = np.array([1, 3])
    words = replace(asked([[0.5] * 10] * 2, [[2] * 9 + [0], [2] + [0] * 9]), tokens=tokens)
    none = asked([[-10.0] * 10])
    scale = fit_pairs([words], [none], MEAN, reads_tokens=True)
    assert scale.tokens is not None
    found = relevance_of(replace(asked([[0.5], [0.5]]), tokens=tokens), scale, MEAN)
    np.testing.assert_allclose(found, [[0.9], [0.1]], atol=0.01)
    np.testing.assert_allclose(
        Calibration("w", np.zeros(2, np.float32), {"word": scale}).relevance(np.array([0.5]), np.ones(2), "word", 3),
        [0.1],
        atol=0.01,
    )
    assert fit_pairs([words], [none], MEAN).tokens is None


def test_limit_for_another_precision() -> None:
    relevance = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]])
    right = np.array([[1, 1, 1, 0, 0]], bool)
    cut = best_cut(relevance, right, 0.8)  # 3 of 3 from 0.7 on are right, 3 of 4 from 0.6 on
    assert cut is not None
    assert 0.6 < cut <= 0.7


def test_macro_averages_worked_out_by_hand() -> None:
    right = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
    likely = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool)
    assert macro_precision(likely, right) == pytest.approx((1 + 1 / 2 + 0) / 3)  # the last one has no likely hit
    assert macro_recall(likely, right) == pytest.approx((1 / 2 + 1 + 0) / 3)  # the third has no right picture
    assert macro_precision(np.zeros_like(likely), right) == 0


def test_best_cut_is_the_lowest_with_the_precision_needed() -> None:
    relevance = np.array([[0.9, 0.8, 0.7, 0.6, 0.5] + [0.1] * 5])
    right = np.array([[1, 1, 1, 0, 0] + [0] * 5], bool)
    cut = best_cut(relevance, right)  # 3 of 4 from 0.6 on are right, 3 of 5 from 0.5 on
    assert cut is not None
    assert 0.5 < cut <= 0.6
    assert best_cut(relevance, np.zeros_like(right)) is None


def test_limits_keep_answered_queries_from_being_told_nothing() -> None:
    scale = Scale(10, 0, -5)
    scores = np.linspace(0.3, 0.9, 100)[:, None] * np.linspace(1, 0.1, 20)  # (100, 20), the best first
    counts = np.where(np.arange(20) < 10, 2, 0) * np.ones((100, 1))
    words = asked(scores.tolist(), counts.astype(int).tolist())
    assert has_many(words).all()
    limited = with_limits(scale, [words], MEAN)
    assert limited is not None
    assert limited.unlikely <= limited.likely
    judged = Judged.of(words, {"word": limited}, MEAN)
    assert judged.missed <= 0.02
    assert judged.precision >= 0.75
    assert judged.best_recall(0.75) == pytest.approx(judged.recall, abs=0.02)


def test_share_that_may_be_told_nothing_sets_the_lower_limit() -> None:
    """The best hits score 0.3 to 0.9, and of those above 0.5, ten wrong pictures at 0.55 keep the upper limit high."""
    best = np.linspace(0.3, 0.9, 101)
    wrong = np.where(best > 0.5, 0.55, 0.1)
    scores = np.column_stack([best[:, None] * np.linspace(1, 0.99, 10), np.tile(wrong[:, None], 10)])
    words = asked(scores.tolist(), [[2] * 10 + [0] * 10] * 101)
    scale = Scale(10, 0, -5)
    for share, score in ((0.0, 0.3), (0.5, 0.6 - 0.006)):  # no query, and half of them
        limited = with_limits(scale, [words], MEAN, max_missed=share)
        assert limited is not None
        assert limited.unlikely == pytest.approx(min(limited.likely, 1 / (1 + np.exp(5 - 10 * score))), abs=0.02)
        assert Judged.of(words, {"word": limited}, MEAN).missed <= share


def test_kind_that_cannot_be_judged_gets_no_scale() -> None:
    wrong = asked([[0.9, 0.8, 0.7, 0.6]] * 20, [[0, 0, 0, 2]] * 20)
    assert with_limits(Scale(10, 0, -5), [wrong], MEAN) is None


def test_only_words_with_judged_photos_choose_the_limits_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of phrases have wrong answers only, as if captions left out all that their photos show."""
    scale = Scale(10, 0, -5)
    monkeypatch.setattr(verdicts, "MANY", 1)
    monkeypatch.setattr(calibration, "fit_pairs", lambda *_, **__: scale)
    monkeypatch.setattr(calibration, "fit_best", lambda *_: scale)

    def fitted(asked: Asked) -> Asked:
        return replace(asked, halves=np.full(len(asked.scores), FIT))

    words = fitted(asked([[0.9, 0.6, 0.4, 0.1]] * 20, [[5, 5, 0, 0]] * 20))
    misjudged = fitted(asked([[0.9, 0.8, 0.7, 0.1]] * 20, [[0, 0, 0, 0]] * 20))
    none = fitted(asked([[0.2, 0.1]]))
    sentences = replace(none, kinds=np.full(1, "sentence"))
    owners = np.zeros(1, int)
    asked_all = AllAsked(words, words, none, none, words, [none], sentences, owners, sentences, owners, [sentences])
    expected = calibration.calibrate(asked_all, MEAN)["word"]
    assert calibration.calibrate(replace(asked_all, phrases=misjudged), MEAN)["word"] == expected
    assert "word" not in calibration.calibrate(replace(asked_all, everyday=misjudged, phrases=words), MEAN)


def test_queries_of_a_kind_without_a_scale_get_no_verdict() -> None:
    phrases = asked([[0.9, 0.1]], [[2, 0]], kind="phrase")
    judged = Judged.of(phrases, {"word": Scale(10, 0, -5)}, MEAN)
    assert not judged.likely.any()
    assert not judged.nothing.any()


def test_answers_can_be_taken_out() -> None:
    taken = asked([[0.9, 0.8, 0.1]], [[2, 1, 0]]).taken_out()
    assert taken.scores.max() == pytest.approx(0.1)
    assert not taken.right.any()


def test_measured_precision_is_added() -> None:
    words = asked([[0.9, 0.8, 0.1]], [[2, 0, 0]])
    scales: dict[Kind, Scale] = {"word": Scale(10, 0, -5), "sentence": Scale(10, 0, -5)}
    found = with_precision(scales, {"word": words}, MEAN)
    assert found["word"].precision == 0.5
    assert found["sentence"].precision is None


def test_tables_of_a_document_are_replaced() -> None:
    text = "# A\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nBetween.\n\n| c |\n| - |\n| 3 |\n"
    found = replace_tables(
        text, ["| a | b |", "| - | - |", "| 5 | 6 |", "| 7 | 8 |", "", "| c |", "| - |", "| 9 |", ""]
    )
    assert found == "# A\n\n| a | b |\n| - | - |\n| 5 | 6 |\n| 7 | 8 |\n\nBetween.\n\n| c |\n| - |\n| 9 |\n"
    with pytest.raises(ValueError, match="no such table"):
        replace_tables("", ["| a |"])


def test_tables_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of 0.5 and more are likely, and best hits below 0.3 are told that there is nothing."""
    monkeypatch.setattr(verdicts, "MANY", 1)
    scale = Scale(10, 0, -5, likely=0.5, unlikely=0.119)  # 1 / (1 + e^2) at a score of 0.3
    words = asked([[0.9, 0.6, 0.1], [0.2, 0.1, 0.1], [0.4, 0.3, 0.1]], [[2, 1, 0], [0, 0, 2], [2, 0, 0]])
    none = asked([[0.9, 0.1], [0.2, 0.1]])
    sentences = replace(none, name="captions", kinds=np.full(2, "sentence"))
    owners = np.zeros(2, int)
    all_asked = AllAsked(words, words, none, none, words, [none], sentences, owners, sentences, owners, [sentences])
    lines = list(tables(all_asked, Calibration("w", np.zeros(2, np.float32), {"word": scale})))
    assert "| word | 10.000 | 0.000 | 0.000 | -5.000 | 0.500 | 0.119 | - |" in lines
    assert "| sentence | - | - | - | - | - | - | - |" in lines
    # The first word has two likely hits, the first of them right. With a limit of 0.4, 1/2 and 1 of the hits are right.
    assert "| words | 3 | 0.333 | 0.500 | 0.333 | 0.667 | 1.000 | 0.333 of 3 |" in lines
    assert (
        "| words, by captions | 3 | 0.333 | 0.500 | 0.333 | 0.667 | 1.000 | 0.333 of 3 |" in lines
    )  # nothing is judged
    assert "| words | 2 | 0.500 | 0.500 |" in lines  # without an answer: told nothing, and with a likely hit
    assert "| words, answers taken out | 3 | 0.667 | 0.000 |" in lines
    assert "| captions | 2 | 0.000 | 0.000 |" in lines  # no scale
