"""Fitting a calibration to queries with answers worked out by hand."""

import numpy as np
import pytest

from search.relevance import Scale
from training.calibrate import fit_scale, log_loss, measured
from training.logistic import auc, fit
from training.questions import Questions

MEAN = np.array([0.0, 0.0])


def asked(name: str, scores: list[float], *, answered: bool, use: str = "both") -> Questions:
    vectors = np.tile(np.array([1, 0], np.float32), (len(scores), 1))
    halves = np.arange(len(scores)) % 2
    return Questions(name, answered, vectors, np.array(scores), halves, np.full(len(scores), "en"), use)


def test_auc_worked_out_by_hand() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert auc(np.array([0.0]), np.array([1.0])) == 0
    assert auc(np.array([1.0, 2.0]), np.array([1.0, 3.0])) == pytest.approx((0.5 + 0 + 1 + 0) / 4)


def test_a_fit_reproduces_the_observed_odds() -> None:
    """Three of four are answered at x = 1, and one of four at x = 0."""
    features = np.array([[1.0]] * 4 + [[0.0]] * 4)
    answered = np.array([1.0, 1, 1, 0, 1, 0, 0, 0])
    slope, constant = fit(features, answered, np.full(8, 1 / 8))
    assert slope == pytest.approx(2 * np.log(3), abs=1e-2)
    assert constant == pytest.approx(-np.log(3), abs=1e-2)


def test_classes_and_kinds_have_equal_weight() -> None:
    good, bad = asked("good", [0.8, 0.8, 0.6, 0.6], answered=True), asked("bad", [0.6, 0.6, 0.4, 0.4], answered=False)
    scale = fit_scale([good, bad], MEAN)
    assert scale.slope * 0.6 + scale.constant == pytest.approx(0, abs=1e-2)
    often = asked("good", [0.8, 0.8, 0.6, 0.6] * 10, answered=True)
    other = fit_scale([often, bad, asked("looked at", [0.1] * 9, answered=True, use="measure")], MEAN)
    assert isinstance(scale, Scale)
    assert (other.slope, other.constant) == pytest.approx((scale.slope, scale.constant), rel=1e-6)


def test_each_half_is_evaluated_with_the_other_fit() -> None:
    """The halves have different scales, so that each is misjudged by the fit of the other."""
    good = asked("good", [0.8, 0.4] * 4, answered=True)
    bad = asked("bad", [0.7, 0.3] * 4, answered=False)
    found = measured([good, bad], MEAN)
    assert (found["bad"][::2] > 0.5).all()
    assert (found["good"][1::2] < 0.5).all()


def test_log_loss_worked_out_by_hand() -> None:
    """Two answered kinds weigh a quarter each, and the unanswered one weighs half, for any sizes."""
    kinds = [asked("a", [0.8], answered=True), asked("b", [0.8] * 3, answered=True), asked("c", [0.1], answered=False)]
    relevance = {"a": np.array([0.5]), "b": np.array([1.0, 1.0, 1.0]), "c": np.array([0.75])}
    assert log_loss(kinds, relevance) == pytest.approx(np.log(2) / 4 + np.log(4) / 2)
