"""Relevance judgements: which documents answer a query, and how well."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

__all__ = ["Qrels", "inverted", "relevant_documents"]

Qrels: TypeAlias = Mapping[str, Mapping[str, int]]
"""Query id -> {document id: grade}. A grade above 0 is relevant, and more is better; everything unnamed is not."""


def relevant_documents(qrels: Qrels, query: str) -> dict[str, int]:
    """The documents with a grade above 0; empty for a query that nobody judged."""
    return {document: grade for document, grade in qrels.get(query, {}).items() if grade > 0}


def inverted(qrels: Qrels, documents: Iterable[str] = ()) -> dict[str, dict[str, int]]:
    """The same judgements with documents as queries: document id -> {query id: grade}.

    `documents` are there even when nothing is relevant to them.
    """
    turned: dict[str, dict[str, int]] = {document: {} for document in documents}
    for query, judged in qrels.items():
        for document, grade in judged.items():
            turned.setdefault(document, {})[query] = grade
    return turned
