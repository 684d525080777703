"""Measurements of systems on a data set: the evaluations, with the vectors or the run, for comparisons and reports."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from search.evaluate.approximate import evaluate_approximate
from search.evaluate.datasets import Dataset
from search.evaluate.evaluation import ALL_LANGUAGES, Direction, Evaluation, Subject
from search.evaluate.query_lengths import LengthSlice, length_slices
from search.evaluate.scoring import (
    EvaluationSettings,
    LabelledVectors,
    evaluate_dataset,
    evaluate_run,
    split_languages,
)
from search.evaluate.trec import Qrels, Run, invert_qrels
from search.evaluate.vector_blocks import VectorBlocks, iter_blocks, top_k
from search.relevance import Calibration

__all__ = [
    "Measurement",
    "RunMeasurement",
    "VectorMeasurement",
    "group_by_task",
    "measure_approximate",
    "measure_run",
    "measure_vectors",
]


@dataclass(frozen=True, eq=False)
class Measurement(ABC):
    """One system on one data set in one direction: one evaluation per language, and with several a pooled one."""

    dataset: Dataset
    name: str
    direction: Direction
    evaluations: Sequence[Evaluation]

    @property
    def exact(self) -> "Measurement | None":
        """The measurement with exact search, if this one is of an approximate index."""
        return None

    @property
    def pooled(self) -> Evaluation:
        """The evaluation of all languages together, or of the only language."""
        return self.evaluations[-1]

    @cached_property
    def by_length(self) -> list[LengthSlice]:
        """The evaluations of short and long queries, over all languages; empty if they do not differ in length."""
        return length_slices(self.pooled, self.dataset)

    @property
    def qrels(self) -> Qrels:
        """The judgements in this direction."""
        return self.dataset.qrels() if self.direction == "text-to-picture" else invert_qrels(self.dataset.qrels())

    def by_language(self) -> list[Self]:
        """Return one measurement per language, with only the captions in this language."""
        return [self.only(evaluation) for evaluation in self.evaluations[:-1] or self.evaluations]

    def only(self, evaluation: Evaluation) -> Self:
        """Return the measurement in the language of one of its evaluations."""
        lang = evaluation.subject.lang
        dataset = self.dataset if lang == ALL_LANGUAGES else self.dataset.only(lang)
        return replace(self, dataset=dataset, evaluations=[evaluation])

    @abstractmethod
    def ranking(self, queries: Sequence[str], depth: int) -> Run:
        """Return the first `depth` results of each of these queries, best first, with their scores."""


@dataclass(frozen=True, eq=False)
class VectorMeasurement(Measurement):
    """A measurement of vectors."""

    captions: NDArray[np.float32]
    """Vectors (C, D) of the captions, in the order of the data set."""
    images: VectorBlocks
    """Vectors (N, D) of the images, in the order of the data set."""
    exact_search: "VectorMeasurement | None" = None
    """The measurement with exact search, if this one is of an approximate index."""
    calibration: Calibration | None = None
    """The calibration of the relevance of these scores, if there is one."""
    count_tokens: Callable[[str], int | None] | None = None
    """How the model counts the tokens of a text, if this is known: some calibrations depend on it."""

    @property
    def exact(self) -> Measurement | None:
        """The measurement with exact search, if this one is of an approximate index."""
        return self.exact_search

    @property
    def queries(self) -> LabelledVectors:
        """All queries, with their vectors as one array."""
        if self.direction == "text-to-picture":
            return self._labelled_captions()
        vectors = np.concatenate([block for _, block in iter_blocks(self.images, 4096)])  # (N, D)
        rows = {image: row for row, image in enumerate(self.dataset.images)}
        return LabelledVectors(self.pooled.queries, vectors[[rows[query] for query in self.pooled.queries]])

    @property
    def gallery(self) -> LabelledVectors:
        """The candidates of each query. From picture to text these are all captions."""
        if self.direction == "text-to-picture":
            return LabelledVectors(self.dataset.images, self.images)
        return self._labelled_captions()

    def only(self, evaluation: Evaluation) -> Self:
        """Return the measurement in the language of one of its evaluations."""
        lang = evaluation.subject.lang
        rows = [row for row, caption in enumerate(self.dataset.captions) if lang in (caption.lang, ALL_LANGUAGES)]
        return replace(super().only(evaluation), captions=self.captions[rows])

    def ranking(self, queries: Sequence[str], depth: int) -> Run:
        """Return the first `depth` results of each of these queries by exact search, best first, with their scores."""
        everything = self.queries
        rows = {query: row for row, query in enumerate(everything.ids)}
        vectors = np.asarray(everything.vectors)[[rows[query] for query in queries]]  # (q, D)
        ids = self.gallery.ids
        scores, results = top_k(vectors, self.gallery.vectors, depth)
        return {
            query: {ids[row]: float(score) for row, score in zip(of_query, of_scores, strict=True)}
            for query, of_query, of_scores in zip(queries, results, scores, strict=True)
        }

    def _labelled_captions(self) -> LabelledVectors:
        return LabelledVectors([caption.id for caption in self.dataset.captions], self.captions)


@dataclass(frozen=True, eq=False)
class RunMeasurement(Measurement):
    """A measurement of a ranking that another program made."""

    run: Run

    def ranking(self, queries: Sequence[str], depth: int) -> Run:
        """Return the first `depth` results of each of these queries, best first, with their scores."""
        return {query: _first(self.run.get(query, {}), depth) for query in queries}


def measure_vectors(
    dataset: Dataset,
    name: str,
    captions: NDArray[np.float32],
    images: VectorBlocks,
    directions: Sequence[Direction],
    settings: EvaluationSettings | None = None,
) -> list[VectorMeasurement]:
    """Measure unit vectors of the captions (C, D) and images (N, D), in the order of the data set, in each direction.

    Raises `EvaluationError` as `evaluate_dataset` does.
    """
    settings = settings or EvaluationSettings()
    return [
        VectorMeasurement(
            dataset,
            name,
            direction,
            evaluate_dataset(dataset, captions, images, name, direction, settings),
            captions,
            images,
        )
        for direction in directions
    ]


def measure_run(
    dataset: Dataset, name: str, run: Run, direction: Direction, settings: EvaluationSettings | None = None
) -> RunMeasurement:
    """Measure a ranking that another program made of the images, or of the captions, of a data set.

    From picture to text only all languages together are measured: the run ranks captions in all of them.
    """
    settings = settings or EvaluationSettings()
    qrels = dataset.qrels()
    if direction == "picture-to-text":
        qrels = invert_qrels(qrels)
    candidates = len(dataset.images) if direction == "text-to-picture" else len(dataset.captions)
    subject = Subject(dataset.name, dataset.split, name, direction=direction)
    pooled = evaluate_run(subject, run, qrels, settings, candidates)
    if direction == "text-to-picture":
        return RunMeasurement(dataset, name, direction, split_languages(pooled, dataset), run)
    if len(dataset.languages) == 1:
        pooled = replace(pooled, subject=replace(subject, lang=dataset.languages[0]))
    return RunMeasurement(dataset, name, direction, [pooled], run)


def measure_approximate(exact: VectorMeasurement, spec: str, depth: int) -> VectorMeasurement:
    """Measure the same system and queries through the FAISS index `spec`. Results beyond `depth` count as not found.

    From picture to text each language has its own gallery, and therefore its own index.
    """
    if exact.direction == "text-to-picture":
        evaluations = _approximate(exact, spec, depth)
    else:
        evaluations = [each for of_lang in exact.by_language() for each in _approximate(of_lang, spec, depth)]
        if len(exact.evaluations) > 1:
            evaluations += _approximate(replace(exact, evaluations=[exact.pooled]), spec, depth)
    return replace(exact, name=f"{exact.name} {spec}", evaluations=evaluations, exact_search=exact)


def group_by_task(measurements: Sequence[Measurement]) -> list[list[Measurement]]:
    """Group the measurements with the same queries: one list for each data set, by name and split, and direction."""
    groups: dict[tuple[str, str, str], list[Measurement]] = {}
    for measurement in measurements:
        key = (measurement.dataset.name, measurement.dataset.split, measurement.direction)
        groups.setdefault(key, []).append(measurement)
    return list(groups.values())


def _approximate(exact: VectorMeasurement, spec: str, depth: int) -> list[Evaluation]:
    return evaluate_approximate(exact.evaluations, exact.queries, exact.gallery, exact.qrels, spec, depth)


def _first(scores: Mapping[str, float], depth: int) -> dict[str, float]:
    """Return the `depth` documents with the highest scores; equal scores by id."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:depth])
