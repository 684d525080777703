"""Rendered scenes with known masks: the subject of each patch of a picture, and its names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from examples.scenes import Subject, masks, random_scene
from examples.scenes.grammar import LANGUAGES

__all__ = ["MaskedScenes", "mask_scenes", "phrases"]

_SMALLEST = 0.002
"""Minimum fraction of the picture; smaller subjects are not used."""


@dataclass(frozen=True)
class MaskedScenes:
    """N scenes with M subjects in total; `owners` has the scene of each subject."""

    count: int
    owners: NDArray[np.int64]  # (M,)
    subjects: list[Subject]  # M of them
    cover: NDArray[np.float32]  # (M, G, G) the fraction of each patch that shows the subject

    def shown(self, rows: NDArray[np.int64]) -> list[Subject]:
        """Return the subjects of some scenes."""
        return [self.subjects[index] for index in np.flatnonzero(np.isin(self.owners, rows))]

    def answers(
        self, rows: NDArray[np.int64], asked: Sequence[Subject]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the fraction of each patch that shows each query, (B, P, G, G), and whether it is known, (B, P).

        If only the colour differs, the answer is unknown: a blue car is neither a red car nor the absence of a car.
        """
        cover = np.zeros((len(rows), len(asked), *self.cover.shape[1:]), dtype=np.float32)
        known = np.ones(cover.shape[:2], dtype=bool)
        place = {row: number for number, row in enumerate(rows.tolist())}
        for index in np.flatnonzero(np.isin(self.owners, rows)):
            subject, b = self.subjects[index], place[int(self.owners[index])]
            for p, form in enumerate(asked):
                if form.kind == subject.kind and form.colour in (None, subject.colour):
                    cover[b, p] = np.maximum(cover[b, p], self.cover[index])
                elif form.kind == subject.kind:
                    known[b, p] = False
        return cover, known


def mask_scenes(count: int, grid: int, first: int) -> MaskedScenes:
    """Return the scenes of `count` seeds from `first` on, with masks on a grid of `grid` patches per side."""
    owners, subjects, cover = [], [], []
    for row in range(count):
        scene = random_scene(first + row)
        named = {subject.label: subject for subject in scene.subjects}
        for label, mask in masks(scene).items():
            share = np.asarray(mask.resize((grid, grid), Image.Resampling.BOX), dtype=np.float32) / 255
            if share.mean() >= _SMALLEST:
                owners.append(row)
                subjects.append(named[label])
                cover.append(share)
    return MaskedScenes(count, np.array(owners), subjects, np.stack(cover))


def phrases(subject: Subject) -> list[str]:
    """Return the names of a subject in every language, with and without their article."""
    kind, colour = subject.kind, subject.colour
    return [
        text for language in LANGUAGES.values() for text in (language.phrase(kind, colour), language.bare(kind, colour))
    ]
