"""Systems measured on a data set: `evaluate` for one system, and measurements that keep the vectors for reports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from search.evaluate.approximate import evaluate_approximate
from search.evaluate.datasets import Dataset, open_dataset
from search.evaluate.evaluation import Direction, Evaluation
from search.evaluate.gallery import open_gallery
from search.evaluate.metrics import DEFAULT_METRICS, parse_metrics
from search.evaluate.scoring import EvaluationSettings, LabelledVectors, evaluate_dataset
from search.evaluate.systems import OnProgress, RetrievalSystem, caption_vectors, encoder_system, library_system
from search.evaluate.trec import Qrels, Run, invert_qrels
from search.evaluate.vector_blocks import VectorBlocks, iter_blocks, top_k
from store.library import Library

__all__ = ["Measurement", "evaluate", "group_by_task", "measure", "measure_approximate"]


def evaluate(
    dataset: Dataset | Path | str,
    library: Library,
    encoder: Encoder | str | None = None,
    *,
    split: str | None = None,
    direction: Direction = "text-to-picture",
    metrics: Sequence[str] = DEFAULT_METRICS,
    templates: Sequence[str] = (),
) -> list[Evaluation]:
    """Evaluate how well the captions of a data set find its images, which must be indexed in the library.

    `dataset` is a `Dataset`, or the path of a file or folder in a known format, with a `split` if needed. `encoder`
    is an encoder, or the name of a model or of a space of the library; by default it is the active model. Returns one
    evaluation per language, and with several languages a pooled one at the end. Raises `DatasetError`,
    `MissingVectors` for images that are not in the library, `UnknownSpace`, `SpaceMismatch` and `UnknownMetric`.
    """
    if not isinstance(dataset, Dataset):
        dataset = open_dataset(dataset, split)
    system = encoder_system(library, encoder) if isinstance(encoder, Encoder) else library_system(library, encoder)
    (measurement,) = measure(system, dataset, [direction], EvaluationSettings(parse_metrics(metrics)), templates)
    return list(measurement.evaluations)


@dataclass(frozen=True, eq=False)
class Measurement:
    """One system on one data set in one direction: the vectors, and one evaluation per language (and pooled)."""

    dataset: Dataset
    name: str
    direction: Direction
    captions: NDArray[np.float32]
    """Vectors (C, D) of the captions, in the order of the data set."""
    images: VectorBlocks
    """Vectors (N, D) of the images, in the order of the data set."""
    evaluations: Sequence[Evaluation]
    exact: "Measurement | None" = None
    """The measurement with exact search, if this one is of an approximate index."""

    @property
    def pooled(self) -> Evaluation:
        """The evaluation of all languages together, or of the only language."""
        return self.evaluations[-1]

    @property
    def qrels(self) -> Qrels:
        """The judgements in this direction."""
        return self.dataset.qrels() if self.direction == "text-to-picture" else invert_qrels(self.dataset.qrels())

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

    def by_language(self) -> "list[Measurement]":
        """Return one measurement per language, with only the captions in this language."""
        return [self._only(evaluation) for evaluation in self.evaluations[:-1] or self.evaluations]

    def ranking(self, queries: Sequence[str], depth: int) -> Run:
        """Return the first `depth` results of each of these queries, with their scores."""
        everything = self.queries
        rows = {query: row for row, query in enumerate(everything.ids)}
        vectors = np.asarray(everything.vectors)[[rows[query] for query in queries]]  # (q, D)
        ids = self.gallery.ids
        scores, results = top_k(vectors, self.gallery.vectors, depth)
        return {
            query: {ids[row]: float(score) for row, score in zip(of_query, of_scores, strict=True)}
            for query, of_query, of_scores in zip(queries, results, scores, strict=True)
        }

    def _only(self, evaluation: Evaluation) -> "Measurement":
        dataset = self.dataset.only(evaluation.subject.lang)
        rows = [row for row, caption in enumerate(self.dataset.captions) if caption.lang == evaluation.subject.lang]
        return replace(self, dataset=dataset, captions=self.captions[rows], evaluations=[evaluation])

    def _labelled_captions(self) -> LabelledVectors:
        return LabelledVectors([caption.id for caption in self.dataset.captions], self.captions)


def measure(
    system: RetrievalSystem,
    dataset: Dataset,
    directions: Sequence[Direction],
    settings: EvaluationSettings | None = None,
    templates: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> list[Measurement]:
    """Measure the system in each of the directions. Raises `MissingVectors` and `EvaluationError`."""
    settings = settings or EvaluationSettings()
    images = open_gallery(system.library, system.stored, dataset)
    captions = caption_vectors(system, dataset, templates, on_progress)
    return [
        Measurement(
            dataset,
            system.name,
            direction,
            captions,
            images,
            evaluate_dataset(dataset, captions, images, system.name, direction, settings),
        )
        for direction in directions
    ]


def measure_approximate(exact: Measurement, spec: str, depth: int) -> Measurement:
    """Measure the same system and queries through the FAISS index `spec`. Results beyond `depth` count as not found.

    From picture to text each language has its own gallery, and therefore its own index.
    """
    if exact.direction == "text-to-picture":
        evaluations = _approximate(exact, spec, depth)
    else:
        evaluations = [each for of_lang in exact.by_language() for each in _approximate(of_lang, spec, depth)]
        if len(exact.evaluations) > 1:
            evaluations += _approximate(replace(exact, evaluations=[exact.pooled]), spec, depth)
    return replace(exact, name=f"{exact.name} {spec}", evaluations=evaluations, exact=exact)


def group_by_task(measurements: Sequence[Measurement]) -> list[list[Measurement]]:
    """Group the measurements with the same queries: one list for each data set and direction."""
    groups: dict[tuple[int, str], list[Measurement]] = {}
    for measurement in measurements:
        groups.setdefault((id(measurement.dataset), measurement.direction), []).append(measurement)
    return list(groups.values())


def _approximate(exact: Measurement, spec: str, depth: int) -> list[Evaluation]:
    return evaluate_approximate(exact.evaluations, exact.queries, exact.gallery, exact.qrels, spec, depth)
