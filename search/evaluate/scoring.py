"""Evaluations from vectors and judgements, or from rankings and judgements."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.bootstrap import Resampling
from search.evaluate.datasets.base import Dataset
from search.evaluate.evaluation import ALL_LANGUAGES, Direction, Evaluation, Subject
from search.evaluate.metrics import Metric, parse_metrics
from search.evaluate.ranks import Ranks, relevant_ranks
from search.evaluate.trec import Qrels, Run, align_documents, invert_qrels, rank_run, relevant_documents
from search.evaluate.vector_blocks import BlockSizes, VectorBlocks, iter_blocks

__all__ = [
    "EvaluationSettings",
    "LabelledVectors",
    "cluster_names",
    "evaluate_dataset",
    "evaluate_run",
    "evaluate_vectors",
    "rank_vectors",
    "split_languages",
]


@dataclass(frozen=True)
class LabelledVectors:
    """Unit vectors (N, D) of one space and their ids. As a gallery the vectors may come in blocks."""

    ids: Sequence[str]
    vectors: VectorBlocks


@dataclass(frozen=True)
class EvaluationSettings:
    """The metrics, how confidence intervals are drawn, and how many vectors are compared at once."""

    metrics: tuple[Metric, ...] = field(default_factory=parse_metrics)
    resampling: Resampling = field(default_factory=Resampling)
    sizes: BlockSizes = field(default_factory=BlockSizes)


def rank_vectors(
    queries: Sequence[str],
    vectors: NDArray[np.float32],
    gallery: LabelledVectors,
    qrels: Qrels,
    sizes: BlockSizes | None = None,
) -> list[Ranks]:
    """Return the ranks of every query's relevant documents in the gallery.

    `vectors` (Q, D) belong to `queries`. A relevant document that is not in the gallery gets an infinite rank.
    Raises `EvaluationError` as `relevant_ranks` does, and when the ids and vectors of the gallery differ in number.
    """
    rows = _rows_by_id(gallery.ids)
    judged = [relevant_documents(qrels, query) for query in queries]
    relevant = [
        {rows[document]: grade for document, grade in of_query.items() if document in rows} for of_query in judged
    ]
    ranked = relevant_ranks(vectors, gallery.vectors, relevant, sizes, rows=len(gallery.ids))
    return [_with_absent(ranks, of_query, rows) for ranks, of_query in zip(ranked, judged, strict=True)]


def evaluate_vectors(
    subject: Subject,
    queries: LabelledVectors,
    gallery: LabelledVectors,
    qrels: Qrels,
    settings: EvaluationSettings = EvaluationSettings(),
    clusters: Sequence[str] | None = None,
) -> Evaluation:
    """Evaluate how well the vectors of the queries (Q, D), one array, find the relevant documents in the gallery.

    `clusters` names, for each query, what it depends on (its picture). Without it, queries with the same relevant
    documents are taken to depend on each other.
    """
    ranked = rank_vectors(queries.ids, np.asarray(queries.vectors), gallery, qrels, settings.sizes)
    return Evaluation(
        subject,
        tuple(queries.ids),
        tuple(ranked),
        candidates=len(gallery.ids),
        clusters=tuple(clusters) if clusters is not None else cluster_names(queries.ids, qrels),
        metrics=settings.metrics,
        resampling=settings.resampling,
    )


def evaluate_run(
    subject: Subject,
    run: Run,
    qrels: Qrels,
    settings: EvaluationSettings = EvaluationSettings(),
    candidates: int | None = None,
) -> Evaluation:
    """Evaluate a ranking made by another program, on every judged query.

    Queries that are missing from the run count as 0, and queries without judgements are ignored (see `rank_run`).
    Candidates are the documents that were ranked or judged, unless their number is given. The evaluation has the
    `depth` of the run: the largest number of documents that it ranks for a query, unless these are all candidates. Ids
    that differ only in Unicode normalization are matched, with a warning (see `align_documents`).
    """
    run, changed = align_documents(run, qrels)
    if changed:
        message = f"{changed:,} ids differ between the run and the judgements only in Unicode normalization (NFC, NFD)."
        warnings.warn(f"{message} They were matched.", stacklevel=2)
    if candidates is None:
        candidates = len({document for table in (run, qrels) for of_query in table.values() for document in of_query})
    depth = max((len(run.get(query, ())) for query in qrels), default=0)
    return Evaluation(
        subject,
        tuple(qrels),
        tuple(rank_run(run, qrels)),
        candidates=candidates,
        clusters=cluster_names(tuple(qrels), qrels),
        metrics=settings.metrics,
        resampling=settings.resampling,
        depth=depth if 0 < depth < candidates else None,
    )


def evaluate_dataset(
    dataset: Dataset,
    captions: NDArray[np.float32],
    images: VectorBlocks,
    space: str,
    direction: Direction = "text-to-picture",
    settings: EvaluationSettings = EvaluationSettings(),
) -> list[Evaluation]:
    """Return one evaluation per language and, if there are several languages, a pooled one at the end.

    `captions` (C, D) are the vectors of `dataset.captions`, `images` (N, D) those of `dataset.images`, in their order.
    From text to picture every image is a candidate in every language. From picture to text the captions of each
    language are a gallery, and the images with a caption in that language are the queries; pooled, all captions are
    one gallery. Raises `EvaluationError` as `rank_vectors` does, and for a language in which no image has a caption.
    """
    one_way = _text_to_picture if direction == "text-to-picture" else _picture_to_text
    return one_way(dataset, np.asarray(captions), images, space, settings)


def split_languages(pooled: Evaluation, dataset: Dataset) -> list[Evaluation]:
    """Return an evaluation of all captions by language and, if there are several languages, followed by itself."""
    if len(dataset.languages) == 1:
        return [replace(pooled, subject=replace(pooled.subject, lang=dataset.languages[0]))]
    langs = [caption.lang for caption in dataset.captions]
    return [*(_of_language(pooled, langs, lang) for lang in dataset.languages), pooled]


def cluster_names(queries: Sequence[str], qrels: Qrels) -> tuple[str, ...] | None:
    """Name, for each query, what it depends on: its relevant documents, which it may share with other captions.

    Returns None when no two queries have the same relevant documents.
    """
    names = ["\0".join(sorted(relevant_documents(qrels, query))) or f"\0{query}" for query in queries]
    return tuple(names) if len(set(names)) < len(names) else None


def _text_to_picture(
    dataset: Dataset, captions: NDArray[np.float32], images: VectorBlocks, space: str, settings: EvaluationSettings
) -> list[Evaluation]:
    queries = LabelledVectors([caption.id for caption in dataset.captions], captions)
    gallery = LabelledVectors(dataset.images, images)
    subject = Subject(dataset.name, dataset.split, space)
    return split_languages(evaluate_vectors(subject, queries, gallery, dataset.qrels(), settings), dataset)


def _picture_to_text(
    dataset: Dataset, captions: NDArray[np.float32], images: VectorBlocks, space: str, settings: EvaluationSettings
) -> list[Evaluation]:
    gallery = LabelledVectors(dataset.images, images)
    vectors = _to_array(gallery, captions.shape[1], settings.sizes.gallery)  # (N, D)
    langs = np.array([caption.lang for caption in dataset.captions])
    evaluations = []
    for lang in [*dataset.languages, *([ALL_LANGUAGES] if len(dataset.languages) > 1 else [])]:
        rows = np.flatnonzero((langs == lang) | (lang == ALL_LANGUAGES))
        of_lang = [dataset.captions[row] for row in rows]
        qrels = invert_qrels({caption.id: caption.images for caption in of_lang})
        image_rows = [row for row, image in enumerate(dataset.images) if image in qrels]
        if not image_rows:
            raise EvaluationError(f"No image of {dataset.name} has a relevant caption in {lang!r}.")
        names = [dataset.images[row] for row in image_rows]
        queries = LabelledVectors(names, vectors[image_rows])
        subject = Subject(dataset.name, dataset.split, space, lang, "picture-to-text")
        texts = LabelledVectors([caption.id for caption in of_lang], captions[rows])
        evaluations.append(evaluate_vectors(subject, queries, texts, qrels, settings, clusters=names))
    return evaluations


def _to_array(gallery: LabelledVectors, dim: int, size: int) -> NDArray[np.float32]:
    """Return all vectors of a gallery as one array (N, D), without an intermediate copy."""
    vectors = np.empty((len(gallery.ids), dim), dtype=np.float32)
    end = 0
    for start, block in iter_blocks(gallery.vectors, size, dim):
        end = start + len(block)
        vectors[start:end] = block[: len(vectors) - start]
    if end != len(vectors):
        raise EvaluationError(f"The gallery has {len(vectors):,} documents, but {end:,} vectors.")
    return vectors


def _rows_by_id(ids: Sequence[str]) -> dict[str, int]:
    """Return document id -> row."""
    rows = {document: row for row, document in enumerate(ids)}
    if len(rows) < len(ids):
        duplicate = next(document for row, document in enumerate(ids) if rows[document] != row)
        raise EvaluationError(f"The document {duplicate!r} is in the gallery twice.")
    return rows


def _of_language(pooled: Evaluation, langs: Sequence[str], lang: str) -> Evaluation:
    """Return the evaluation of the queries in one language, which were ranked together with the others."""
    rows = [row for row, other in enumerate(langs) if other == lang]
    return replace(pooled.part(rows), subject=replace(pooled.subject, lang=lang))


def _with_absent(ranks: Ranks, judged: Mapping[str, int], rows: Mapping[str, int]) -> Ranks:
    """Add an infinite rank for each relevant document that the gallery does not contain."""
    absent = [grade for document, grade in judged.items() if document not in rows]
    if not absent:
        return ranks
    return Ranks.of([*ranks.ranks, *[np.inf] * len(absent)], [*ranks.grades, *absent])
