"""What a score means: from a cosine similarity to the probability that a hit answers the question.

A cosine says nothing by itself: its scale differs between models, between words and pictures as the question, and
between questions, some of which are a little like everything. So a question is held against a background, the mean
of many mixed pictures, and a logistic function (Platt, 1999) of the score and of that nearness gives the relevance. It
depends on the question and the picture alone, never on what else a library holds: libraries of any size and any filter
give the same. `training/calibrate.py` fits the numbers; docs/relevance.md says how well they do.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder

__all__ = ["RELEVANT", "Calibration", "Kind", "Scale", "calibration_of"]

Kind: TypeAlias = Literal["text", "picture"]
"""What a question is made of; each has a scale of its own."""

RELEVANT = 0.5
"""From this relevance on a hit is taken for an answer."""


@dataclass(frozen=True)
class Scale:
    """The logit of the relevance is `slope * score + tilt * nearness to the background + constant`."""

    slope: float
    """Above zero: a better score is never less relevant."""
    tilt: float
    constant: float


@dataclass(frozen=True)
class Calibration:
    """What the scores of one space mean."""

    weights: str
    """Digest of the weights that it was fitted to."""
    background: NDArray[np.float32]
    """(D,): the mean of many pictures' unit vectors."""
    scales: Mapping[Kind, Scale]

    @classmethod
    def read(cls, file: Path) -> "Calibration":
        """What `write` wrote."""
        said = json.loads(file.read_text(encoding="utf-8"))
        scales: dict[Kind, Scale] = {kind: Scale(**said["scales"][kind]) for kind in ("text", "picture")}
        return cls(said["weights"], np.array(said["background"], np.float32), scales)

    def write(self, file: Path) -> None:
        """Writes a JSON file, the same for the same numbers."""
        scales = {
            kind: {name: round(number, 3) for name, number in vars(scale).items()}
            for kind, scale in self.scales.items()
        }
        background = [round(float(number), 4) for number in self.background]
        said = {"weights": self.weights, "scales": scales, "background": background}
        file.write_text(json.dumps(said) + "\n", encoding="utf-8")

    def relevance(self, scores: NDArray[np.floating], query: NDArray[np.floating], kind: Kind) -> NDArray[np.float64]:
        """How likely hits with `scores` (N,) answer the question with the unit vector `query` (D,): (N,), 0 to 1.

        As likely as not is 0.5, where questions that are answered and such that are not are asked equally often.
        """
        logit = self.scales[kind].slope * scores.astype(np.float64) + self._offset(query, kind)
        return np.asarray(1 / (1 + np.exp(-logit)))

    def score_of(self, relevance: float, query: NDArray[np.floating], kind: Kind) -> float:
        """The score whose relevance is `relevance` (between 0 and 1), for the unit vector `query` (D,)."""
        logit = math.log(relevance / (1 - relevance))
        return (logit - self._offset(query, kind)) / self.scales[kind].slope

    def _offset(self, query: NDArray[np.floating], kind: Kind) -> float:
        scale = self.scales[kind]
        return scale.tilt * float(query @ self.background) + scale.constant


def calibration_of(encoder: Encoder | None) -> Calibration | None:
    """The calibration that ships with a model; None when nobody has measured these very weights."""
    if encoder is None or encoder.calibration is None:
        return None
    found = Calibration.read(encoder.calibration)
    return found if found.weights == encoder.space.weights else None
