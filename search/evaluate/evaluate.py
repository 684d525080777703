"""Vectors and judgements in, evaluations out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.bootstrap import Resampling
from search.evaluate.datasets.base import Dataset
from search.evaluate.evaluation import EVERY_LANGUAGE, Direction, Evaluation, Subject
from search.evaluate.gallery_blocks import Gallery, blocks
from search.evaluate.metrics import Metric, parse_metrics
from search.evaluate.qrels import Qrels, inverted, relevant_documents
from search.evaluate.ranks import BlockSizes, Ranks, relevant_ranks
from search.evaluate.trec import Run, rank_run

__all__ = ["Embedded", "EvaluationSettings", "evaluate", "evaluate_dataset", "evaluate_run", "rank", "shared"]


@dataclass(frozen=True)
class Embedded:
    """Unit vectors (N, D) of one space and whose they are; as a gallery they may come in blocks."""

    ids: Sequence[str]
    vectors: Gallery


@dataclass(frozen=True)
class EvaluationSettings:
    """What is measured, how intervals are drawn, how much is compared at once."""

    metrics: tuple[Metric, ...] = field(default_factory=parse_metrics)
    resampling: Resampling = field(default_factory=Resampling)
    sizes: BlockSizes = field(default_factory=BlockSizes)


def rank(
    queries: Sequence[str],
    vectors: NDArray[np.float32],
    gallery: Embedded,
    qrels: Qrels,
    sizes: BlockSizes | None = None,
) -> list[Ranks]:
    """The ranks of every query's relevant documents in the gallery.

    `vectors` (Q, D) are those of `queries`. A relevant document that is not in the gallery is ranked infinitely low.
    Raises `EvaluationError` as `relevant_ranks` does, and for a gallery whose ids and vectors do not go together.
    """
    rows = _rows(gallery.ids)
    judged = [relevant_documents(qrels, query) for query in queries]
    held = [{rows[document]: grade for document, grade in some.items() if document in rows} for some in judged]
    ranked = relevant_ranks(vectors, gallery.vectors, held, sizes, rows=len(gallery.ids))
    return [_with_absent(ranks, some, rows) for ranks, some in zip(ranked, judged, strict=True)]


def evaluate(
    subject: Subject,
    queries: Sequence[str],
    vectors: NDArray[np.float32],
    gallery: Embedded,
    qrels: Qrels,
    settings: EvaluationSettings = EvaluationSettings(),
    clusters: Sequence[str] | None = None,
) -> Evaluation:
    """How well the queries' vectors (Q, D) find what is relevant to them in the gallery.

    `clusters` names, for each query, what it depends on (its picture); without it, queries with the same relevant
    documents are taken to depend on each other.
    """
    ranked = rank(queries, vectors, gallery, qrels, settings.sizes)
    return Evaluation(
        subject,
        tuple(queries),
        tuple(ranked),
        candidates=len(gallery.ids),
        clusters=tuple(clusters) if clusters is not None else shared(queries, qrels),
        metrics=settings.metrics,
        resampling=settings.resampling,
    )


def evaluate_run(
    subject: Subject, run: Run, qrels: Qrels, settings: EvaluationSettings = EvaluationSettings()
) -> Evaluation:
    """How well a ranking that some other program made does, on every query that was judged.

    Queries that the run leaves out count as 0, and queries that nobody judged are not counted (`rank_run`); candidates
    are the documents that were ranked or judged.
    """
    documents = {document for named in (run, qrels) for some in named.values() for document in some}
    return Evaluation(
        subject,
        tuple(qrels),
        tuple(rank_run(run, qrels)),
        candidates=len(documents),
        clusters=shared(tuple(qrels), qrels),
        metrics=settings.metrics,
        resampling=settings.resampling,
    )


def evaluate_dataset(
    dataset: Dataset,
    texts: NDArray[np.float32],
    pictures: Gallery,
    space: str,
    direction: Direction = "text-to-picture",
    settings: EvaluationSettings = EvaluationSettings(),
) -> list[Evaluation]:
    """One evaluation a language, and with several languages a pooled one at the end.

    `texts` (C, D) are the vectors of `dataset.captions`, `pictures` (N, D) of `dataset.images`, in their order. From
    text to picture every picture is a candidate in every language. From picture to text each language's captions are a
    gallery of their own, the pictures that have one are the queries, and pooled all captions are one gallery. Raises
    `EvaluationError` as `rank` does, and for a language in which there is no such picture.
    """
    one_way = _text_to_picture if direction == "text-to-picture" else _picture_to_text
    return one_way(dataset, np.asarray(texts), pictures, space, settings)


def _text_to_picture(
    dataset: Dataset, texts: NDArray[np.float32], pictures: Gallery, space: str, settings: EvaluationSettings
) -> list[Evaluation]:
    queries = [caption.id for caption in dataset.captions]
    gallery = Embedded(dataset.images, pictures)
    subject = Subject(dataset.name, dataset.split, space)
    pooled = evaluate(subject, queries, texts, gallery, dataset.qrels(), settings)
    langs = [caption.lang for caption in dataset.captions]
    if len(dataset.languages) == 1:
        return [replace(pooled, subject=replace(subject, lang=dataset.languages[0]))]
    apart = [_of_language(pooled, langs, lang) for lang in dataset.languages]
    return [*apart, pooled]


def _picture_to_text(
    dataset: Dataset, texts: NDArray[np.float32], pictures: Gallery, space: str, settings: EvaluationSettings
) -> list[Evaluation]:
    vectors = _whole(Embedded(dataset.images, pictures), texts.shape[1], settings.sizes.gallery)  # (N, D)
    langs = np.array([caption.lang for caption in dataset.captions])
    found = []
    for lang in [*dataset.languages, *([EVERY_LANGUAGE] if len(dataset.languages) > 1 else [])]:
        mine = np.flatnonzero((langs == lang) | (lang == EVERY_LANGUAGE))
        captions = [dataset.captions[number] for number in mine]
        qrels = inverted({caption.id: caption.images for caption in captions})
        rows = [row for row, image in enumerate(dataset.images) if image in qrels]
        if not rows:
            raise EvaluationError(f"no picture of {dataset.name} has a caption in {lang!r} that is right for it")
        subject = Subject(dataset.name, dataset.split, space, lang, "picture-to-text")
        queries = [dataset.images[row] for row in rows]
        gallery = Embedded([caption.id for caption in captions], texts[mine])
        found.append(evaluate(subject, queries, vectors[rows], gallery, qrels, settings, clusters=queries))
    return found


def _whole(gallery: Embedded, dim: int, size: int) -> NDArray[np.float32]:
    """All vectors of a gallery as one array (N, D), without a second copy on the way."""
    vectors = np.empty((len(gallery.ids), dim), dtype=np.float32)
    end = 0
    for start, block in blocks(gallery.vectors, size, dim):
        end = start + len(block)
        vectors[start:end] = block[: len(vectors) - start]
    if end != len(vectors):
        raise EvaluationError(f"there are {len(vectors):,} documents and {end:,} vectors in the gallery")
    return vectors


def shared(queries: Sequence[str], qrels: Qrels) -> tuple[str, ...] | None:
    """What each query depends on: the documents relevant to it, which other captions of the picture name as well.

    None when no two queries have the same.
    """
    names = ["\0".join(sorted(relevant_documents(qrels, query))) or f"\0{query}" for query in queries]
    return tuple(names) if len(set(names)) < len(names) else None


def _rows(ids: Sequence[str]) -> dict[str, int]:
    """The row of each document."""
    rows = {document: row for row, document in enumerate(ids)}
    if len(rows) < len(ids):
        twice = next(document for row, document in enumerate(ids) if rows[document] != row)
        raise EvaluationError(f"the document {twice!r} is in the gallery twice")
    return rows


def _of_language(pooled: Evaluation, langs: Sequence[str], lang: str) -> Evaluation:
    """The queries of one language, which were ranked with the others."""
    mine = [number for number, other in enumerate(langs) if other == lang]
    clusters = pooled.clusters
    return replace(
        pooled,
        subject=replace(pooled.subject, lang=lang),
        queries=tuple(pooled.queries[number] for number in mine),
        ranked=tuple(pooled.ranked[number] for number in mine),
        clusters=None if clusters is None else tuple(clusters[number] for number in mine),
    )


def _with_absent(ranks: Ranks, judged: Mapping[str, int], rows: Mapping[str, int]) -> Ranks:
    """The same ranks, and an infinite one for each relevant document that the gallery does not have."""
    absent = [grade for document, grade in judged.items() if document not in rows]
    if not absent:
        return ranks
    return Ranks.of([*ranks.ranks, *[np.inf] * len(absent)], [*ranks.grades, *absent])
