"""The subjects of rendered scenes as queries: "a red tractor" and "ein Traktor" fit a scene that shows one.

Captions of scenes are sentences, and people ask for single things. The content of a rendered scene is known.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.mini.tokenizer import Tokenizer
from examples.scenes import Subject
from training.masked_scenes import phrases
from training.texts import Ids

__all__ = ["SubjectQueries", "SubjectSampler"]

_NAMES: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("subject_names.json").read_text(encoding="utf-8")
)
"""Names without a colour in each language, of things whose phrase needs one: "a red and white cow"."""
_ARTICLES = ("a", "ein", "eine", "un", "une")
_RARE = -0.3
"""Exponent of a subject's number of scenes in its probability of being drawn: rare subjects are drawn more often."""


@dataclass(frozen=True)
class SubjectQueries:
    """T texts, and which of S scenes fit them."""

    texts: list[Ids]
    shown: NDArray[np.float32]
    """(S, T): 1 if the scene shows the subject."""
    known: NDArray[np.bool_]
    """(S, T): False if the scene shows the same thing in another colour, which is neither right nor wrong."""


class SubjectSampler:
    """Draws subjects that at least one scene of a batch shows, with and without their colour."""

    def __init__(self, scenes: Sequence[Sequence[Subject]], tokenizer: Tokenizer) -> None:
        self._subjects = sorted({form for scene in scenes for form in _forms(scene)}, key=lambda form: form.label)
        self._texts = [[tokenizer(text) for text in _names(subject)] for subject in self._subjects]
        columns = {subject: column for column, subject in enumerate(self._subjects)}
        kinds = np.array([subject.kind for subject in self._subjects])
        self.shown = np.zeros((len(scenes), len(columns)), np.float32)
        self.known = np.ones(self.shown.shape, np.bool_)
        for row, scene in enumerate(scenes):
            self.known[row, np.isin(kinds, [subject.kind for subject in scene])] = False
            shown = [columns[form] for form in _forms(scene)]
            self.shown[row, shown], self.known[row, shown] = 1, True
        self._weights = np.maximum(self.shown.sum(0), 1) ** _RARE

    def draw(self, rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> SubjectQueries:
        """Return a text of at most `count` subjects, in a random language."""
        shown = self.shown[rows]
        present = np.flatnonzero(shown.any(0))
        number = min(count, len(present))
        weights = self._weights[present]
        drawn = rng.choice(present, number, replace=False, p=weights / weights.sum()) if number else present[:0]
        texts = [self._texts[column][int(rng.integers(len(self._texts[column])))] for column in drawn]
        return SubjectQueries(texts, shown[:, drawn], self.known[rows][:, drawn])


def _forms(scene: Sequence[Subject]) -> set[Subject]:
    """Return the subjects of a scene, with and without their colour."""
    return {form for subject in scene for form in (subject, replace(subject, colour=None))}


def _names(subject: Subject) -> list[str]:
    """Return the names of a subject in every language, with and without their article."""
    names = _NAMES.get(subject.kind) if subject.colour is None else None
    if names is None:
        return phrases(subject)
    split = [name.partition(" ") for name in names.values()]
    return [*names.values(), *(noun for first, _, noun in split if first in _ARTICLES)]
