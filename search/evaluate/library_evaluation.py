"""Systems of libraries and models measured on a data set: `evaluate` for one system, `measure` for reports."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from encoders.base import Encoder
from search.background_calibration import known_outcome
from search.evaluate.datasets import Dataset, open_dataset
from search.evaluate.evaluation import Direction, Evaluation
from search.evaluate.gallery import open_gallery
from search.evaluate.measurement import VectorMeasurement, measure_vectors
from search.evaluate.metrics import DEFAULT_METRICS, parse_metrics
from search.evaluate.scoring import EvaluationSettings
from search.evaluate.systems import (
    CaptionVectorFile,
    OnProgress,
    RetrievalSystem,
    caption_vectors,
    encoder_system,
    library_system,
)
from store.library import Library

__all__ = ["evaluate", "measure"]


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


def measure(
    system: RetrievalSystem,
    dataset: Dataset,
    directions: Sequence[Direction],
    settings: EvaluationSettings | None = None,
    templates: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> list[VectorMeasurement]:
    """Measure the system in each of the directions. Raises `MissingVectors` and `EvaluationError`.

    The measurements have the calibration of relevance that is known for the model. Templates change the scores, so with
    templates they have none.
    """
    images = open_gallery(system.library, system.stored, dataset)
    captions = caption_vectors(system, dataset, templates, on_progress)
    measured = measure_vectors(dataset, system.name, captions, images, directions, settings)
    if isinstance(system.captions, CaptionVectorFile) or templates:
        return measured
    encoder, outcome = system.captions, known_outcome(system.captions)
    calibration = outcome.calibration if outcome else None
    return [replace(each, calibration=calibration, count_tokens=encoder.count_tokens) for each in measured]
