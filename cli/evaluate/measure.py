"""Systems measured on a data set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cli.evaluate.captions import caption_vectors
from cli.evaluate.systems import System
from search.evaluate.approximate import evaluate_approximate
from search.evaluate.datasets import Dataset
from search.evaluate.evaluate import Embedded, EvaluationSettings, evaluate_dataset
from search.evaluate.evaluation import Direction, Evaluation
from search.evaluate.gallery import open_gallery
from search.evaluate.gallery_blocks import Gallery, blocks
from search.evaluate.qrels import Qrels, inverted
from search.evaluate.top_k import top_k
from search.evaluate.trec import Run

__all__ = ["Measured", "measure", "measure_approximate", "together"]


@dataclass(frozen=True, eq=False)
class Measured:
    """One system on one data set in one direction: the vectors, and an evaluation a language (and pooled)."""

    dataset: Dataset
    name: str
    direction: Direction
    captions: NDArray[np.float32]
    """(C, D), in the order of the data set."""
    pictures: Gallery
    """(N, D), in the order of the data set."""
    evaluations: Sequence[Evaluation]
    exact: "Measured | None" = None
    """Exact search by the same system, where this is an approximate index."""

    @property
    def pooled(self) -> Evaluation:
        """Of all languages together, or of the only one."""
        return self.evaluations[-1]

    @property
    def qrels(self) -> Qrels:
        """What answers each query, in this direction."""
        return self.dataset.qrels() if self.direction == "text-to-picture" else inverted(self.dataset.qrels())

    @property
    def queries(self) -> Embedded:
        """All queries, with their vectors as one array."""
        if self.direction == "text-to-picture":
            return self._captions()
        vectors = np.concatenate([block for _, block in blocks(self.pictures, 4096)])  # (N, D)
        rows = {image: row for row, image in enumerate(self.dataset.images)}
        return Embedded(self.pooled.queries, vectors[[rows[query] for query in self.pooled.queries]])

    @property
    def gallery(self) -> Embedded:
        """What is ranked for each query; from pictures to texts that is all captions."""
        if self.direction == "text-to-picture":
            return Embedded(self.dataset.images, self.pictures)
        return self._captions()

    def apart(self) -> "list[Measured]":
        """Each language for itself, with its own captions."""
        return [self._only(evaluation) for evaluation in self.evaluations[:-1] or self.evaluations]

    def ranking(self, queries: Sequence[str], depth: int) -> Run:
        """The first `depth` of each of these queries, with their scores."""
        everyone = self.queries
        places = {query: place for place, query in enumerate(everyone.ids)}
        vectors = np.asarray(everyone.vectors)[[places[query] for query in queries]]  # (q, D)
        ids = self.gallery.ids
        scores, rows = top_k(vectors, self.gallery.vectors, depth)
        return {
            query: {ids[row]: float(score) for row, score in zip(of_rows, of_scores, strict=True)}
            for query, of_rows, of_scores in zip(queries, rows, scores, strict=True)
        }

    def _only(self, evaluation: Evaluation) -> "Measured":
        dataset = self.dataset.only(evaluation.subject.lang)
        rows = [row for row, caption in enumerate(self.dataset.captions) if caption.lang == evaluation.subject.lang]
        return replace(self, dataset=dataset, captions=self.captions[rows], evaluations=[evaluation])

    def _captions(self) -> Embedded:
        return Embedded([caption.id for caption in self.dataset.captions], self.captions)


def measure(
    system: System,
    dataset: Dataset,
    directions: Sequence[Direction],
    settings: EvaluationSettings,
    templates: Sequence[str] = (),
) -> list[Measured]:
    """The system in each of the directions."""
    pictures = open_gallery(system.library, system.stored, dataset)
    captions = caption_vectors(system, dataset, templates)
    return [
        Measured(
            dataset,
            system.name,
            direction,
            captions,
            pictures,
            evaluate_dataset(dataset, captions, pictures, system.name, direction, settings),
        )
        for direction in directions
    ]


def measure_approximate(exact: Measured, spec: str, depth: int) -> Measured:
    """The same system and queries, through the FAISS index `spec`; what it does not list among `depth` is not found.

    From pictures to texts every language has a gallery of its own, and so an index of its own.
    """
    if exact.direction == "text-to-picture":
        evaluations = _approximate(exact, spec, depth)
    else:
        evaluations = [found for each in exact.apart() for found in _approximate(each, spec, depth)]
        if len(exact.evaluations) > 1:
            evaluations += _approximate(replace(exact, evaluations=[exact.pooled]), spec, depth)
    return replace(exact, name=f"{exact.name} {spec}", evaluations=evaluations, exact=exact)


def _approximate(exact: Measured, spec: str, depth: int) -> list[Evaluation]:
    return evaluate_approximate(exact.evaluations, exact.queries, exact.gallery, exact.qrels, spec, depth)


def together(measured: Sequence[Measured]) -> list[list[Measured]]:
    """Those that answer the same queries: a list for each data set and direction."""
    groups: dict[tuple[int, str], list[Measured]] = {}
    for each in measured:
        groups.setdefault((id(each.dataset), each.direction), []).append(each)
    return list(groups.values())
