"""Relevance: the probability that a hit answers the query, computed from its cosine similarity.

Cosine similarities are not comparable across models, across kinds of queries, or even across queries: a few queries are
slightly similar to everything. A calibration corrects for this. It compares the query vector with a background vector,
the mean of many different pictures, and applies a logistic function (Platt, 1999) to the score and that similarity.
Words, phrases, sentences and pictures have separate coefficients, and separate limits for their verdicts. Relevance
depends only on the query and the picture, so it is the same in libraries of any size and under any filter.
`training/calibrate.py` fits the numbers; docs/relevance.md reports how well they work.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import RelevanceNotCalibrated
from encoders.base import Encoder

__all__ = ["KINDS", "TEXT_KINDS", "Calibration", "Kind", "Scale", "calibration_of", "min_relevant_score"]

Kind: TypeAlias = Literal["word", "phrase", "sentence", "picture"]
"""The kind of a query. `search/query_kind.py` tells the kinds of texts apart."""

KINDS: tuple[Kind, ...] = get_args(Kind)

TEXT_KINDS: tuple[Kind, ...] = ("word", "phrase", "sentence")

EVEN = 0.5
"""The limit for both verdicts where a calibration sets none."""

ROUNDING_MARGIN = 1e-6
"""Subtracted from the lowest relevant score, so that rounding loses no relevant hit."""


@dataclass(frozen=True)
class Scale:
    """How to judge the hits of one kind of query.

    The first three are the coefficients of the logit: `slope * score + tilt * similarity to the background + constant`.
    `tokens` is another one, of the logarithm of the number of tokens.
    """

    slope: float
    """Positive: a higher score is never less relevant."""
    tilt: float
    constant: float
    likely: float = EVEN
    """A hit of at least this relevance is probably right."""
    unlikely: float = EVEN
    """A hit below this relevance is probably wrong. If even the best hit is, there is probably no answer."""
    precision: float | None = None
    """The share of right hits among the likely ones, as measured on queries that were not used to fit."""
    tokens: float | None = None
    """Negative: a word that the model reads in many pieces is rare, and its hits are less often right. Often None."""

    def verdict(self, relevance: float) -> bool | None:
        """Return whether a hit is probably right; None between the two limits."""
        return True if relevance >= self.likely else False if relevance < self.unlikely else None


@dataclass(frozen=True)
class Calibration:
    """The meaning of the scores of one embedding space."""

    weights: str
    """Digest of the model weights that it was fitted to."""
    background: NDArray[np.float32]
    """(D,): the mean of many pictures' unit vectors."""
    scales: Mapping[Kind, Scale]
    """A kind of query without a scale is only ranked: its hits have no relevance."""

    @classmethod
    def read(cls, file: Path) -> "Calibration":
        """Read a file written by `write`."""
        content = json.loads(file.read_text(encoding="utf-8"))
        scales: dict[Kind, Scale] = {
            kind: Scale(**content["scales"][kind]) for kind in KINDS if kind in content["scales"]
        }
        return cls(content["weights"], np.array(content["background"], np.float32), scales)

    def write(self, file: Path) -> None:
        """Write a JSON file; equal numbers give equal bytes."""
        file.write_text(self.as_json(), encoding="utf-8")

    def as_json(self) -> str:
        """Return the content of that file."""
        scales = {
            kind: {name: round(number, 3) for name, number in vars(scale).items() if number is not None}
            for kind, scale in self.scales.items()
        }
        background = [round(float(number), 4) for number in self.background]
        content = {"weights": self.weights, "scales": scales, "background": background}
        return json.dumps(content) + "\n"

    def relevance(
        self, scores: NDArray[np.floating], query: NDArray[np.floating], kind: Kind, tokens: int = 1
    ) -> NDArray[np.float64]:
        """Return the relevance (N,), from 0 to 1, of hits with `scores` (N,) for the unit vector `query` (D,).

        `tokens` is the number of tokens of a text without its article, special ones included. Raises `KeyError` for a
        kind without a scale.
        """
        logit = self.scales[kind].slope * scores.astype(np.float64) + self._offset(query, kind, tokens)
        return np.asarray(1 / (1 + np.exp(-logit)))

    def score_of(self, relevance: float, query: NDArray[np.floating], kind: Kind, tokens: int = 1) -> float:
        """Return the score whose relevance is `relevance` (between 0 and 1) for the unit vector `query` (D,)."""
        logit = math.log(relevance / (1 - relevance))
        return (logit - self._offset(query, kind, tokens)) / self.scales[kind].slope

    def _offset(self, query: NDArray[np.floating], kind: Kind, tokens: int) -> float:
        scale = self.scales[kind]
        return scale.tilt * float(query @ self.background) + scale.constant + (scale.tokens or 0) * math.log(tokens)


def calibration_of(encoder: Encoder | None) -> Calibration | None:
    """Return the calibration that ships with a model; None if it has none for these weights."""
    if encoder is None or encoder.calibration is None:
        return None
    calibration = Calibration.read(encoder.calibration)
    return calibration if calibration.weights == encoder.space.weights else None


def min_relevant_score(
    vector: NDArray[np.float32], calibration: Calibration | None, kind: Kind | None, model: str, tokens: int = 1
) -> float:
    """Return a score that every likely hit reaches; `tokens` as for `Calibration.relevance`.

    Raises `RelevanceNotCalibrated` if the model has no calibration, or none for this kind of query.
    """
    if kind is None and calibration is not None:
        raise RelevanceNotCalibrated(None)
    if kind is None or calibration is None or not calibration.scales:
        raise RelevanceNotCalibrated(model)
    if kind not in calibration.scales:
        raise RelevanceNotCalibrated(model, kind)
    return calibration.score_of(calibration.scales[kind].likely, vector, kind, tokens) - ROUNDING_MARGIN
