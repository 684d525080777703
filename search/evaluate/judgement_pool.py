"""Which pictures to judge for a query: the first ones of every system, and in which order.

Pooling: pictures that no system found count as wrong (Sparck Jones and van Rijsbergen, "Report on the need for and
provision of an 'ideal' information retrieval test collection", 1975).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from search.evaluate.judgement_influence import by_influence, judgement_influence
from search.evaluate.judgement_set import JudgementSet, listed_name
from store import Library
from store.catalog.frame_ids import content_of
from store.queries import ContentRecord, load_content_records
from store.spaces import index_cache
from store.spaces.ranker import Ranker
from store.spaces.registry import StoredSpace

__all__ = ["JudgementPool", "pool_results"]

_BATCH = 64
"""Queries that are embedded and searched at once."""


@dataclass(frozen=True)
class JudgementPool:
    """The pictures to judge for one query."""

    query: str
    """The id of the query."""
    records: Sequence[ContentRecord]
    """All pictures, in a random order that is always the same for a query."""
    rankings: Sequence[Sequence[int]]
    """The contents that each system found, best first."""

    def unjudged(self, judged: JudgementSet) -> list[ContentRecord]:
        """Return the pictures without a judgement."""
        return [record for record in self.records if judged.grade(self.query, record) is None]

    def by_influence(self, judged: JudgementSet) -> tuple[list[ContentRecord], tuple[float, float]]:
        """Return the pictures without a judgement, and the influence of the first.

        The first one is that whose judgement can change the measured values most (see `judgement_influence`).
        """
        grades = {record.id: judged.grade(self.query, record) for record in self.records}
        known = {content: grade for content, grade in grades.items() if grade is not None}
        relevant = sum(grade > 0 for grade in judged.grades.get(self.query, {}).values())
        elsewhere = relevant - sum(grade > 0 for grade in known.values())
        influences = judgement_influence(self.rankings, known, max(elsewhere, 0))
        records = {record.id: record for record in self.unjudged(judged)}
        ordered = by_influence(list(records), influences)
        largest = influences[ordered[0]] if ordered else (0.0, 0.0)
        return [records[content] for content in ordered], largest


def pool_results(
    library: Library, systems: Sequence[tuple[StoredSpace, Encoder]], queries: Mapping[str, str], depth: int
) -> Iterator[JudgementPool]:
    """Yield, for each query (id -> text), the pool of the first `depth` pictures of every system."""
    names = list(queries)
    indexes = [index_cache.load(library, stored).index.exact for stored, _ in systems]  # evaluations are exact, too
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        texts = [queries[name] for name in batch]
        found = [
            _first_contents(index, encoder.encode_texts(texts), depth)
            for index, (_, encoder) in zip(indexes, systems, strict=True)
        ]
        for row, name in enumerate(batch):
            yield _pool(library, name, [of_system[row] for of_system in found])


def _pool(library: Library, query: str, rankings: Sequence[Sequence[int]]) -> JudgementPool:
    records = load_content_records(library, sorted({content for ranking in rankings for content in ranking}))
    pictures = {content: each for content, each in records.items() if each.document is None and listed_name(each)}
    shuffled = list(pictures.values())
    Random(query).shuffle(shuffled)
    kept = [[content for content in ranking if content in pictures] for ranking in rankings]
    return JudgementPool(query, shuffled, kept)


def _first_contents(index: Ranker, queries: NDArray[np.float32], depth: int) -> list[list[int]]:
    """Return the first `depth` contents for each of the queries (Q, D), each at its best frame."""
    number = depth
    while True:
        found = index.search(queries, number).ids  # (Q, K)
        contents = [list(dict.fromkeys(content_of(row).tolist()))[:depth] for row in found]
        if found.shape[1] < number or all(len(each) == depth for each in contents):
            return contents
        number *= 2
