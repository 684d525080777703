"""Many queries at once: a line of a file each, and one JSON object each in return."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cli.options import Order
from cli.output import print_json
from cli.query_options import Asked, merged, note
from cli.results import FOUND, NOTHING_FOUND, as_record
from core.errors import InvalidQuery

if TYPE_CHECKING:
    from search import Filters, Query, Searcher

__all__ = ["answer_all"]

BLOCK = 256
"""Queries that are ranked in one pass of the index."""


def answer_all(searcher: "Searcher", lines: Iterable[str], asked: Asked, order: Order, filters: "Filters") -> int:
    """Answers every line that is not empty, in their order; returns the exit code.

    Raises `InvalidQuery`, which names the line, for one that cannot be asked, after what stands before it is answered.
    """
    if order.sort != "relevance" or order.cursor is not None or order.diverse is not None:
        raise click.UsageError("--queries ranks by relevance, one page of each query")
    if asked.words or asked.images or asked.like or asked.more or asked.less:
        raise click.UsageError("--queries takes its queries from the file alone")
    found = False
    block: list[tuple[int, str, Query, Filters]] = []
    for number, line in enumerate(lines, start=1):
        name, tab, text = line.rstrip("\r\n").partition("\t")
        words = text if tab else name
        if not words.strip():
            continue
        try:
            query, inline = asked.question(words)
            if query is None:
                raise InvalidQuery("only filters, which rank nothing: give some words, too")
        except InvalidQuery as exc:
            found |= _print(searcher, block, asked, order)
            raise InvalidQuery(f"line {number}: {exc}") from exc
        block.append((number, name if tab else str(number), query, merged(filters, inline)))
        if len(block) == BLOCK:
            found |= _print(searcher, block, asked, order)
            block = []
    found |= _print(searcher, block, asked, order)
    return FOUND if found else NOTHING_FOUND


def _print(searcher: "Searcher", block: "list[tuple[int, str, Query, Filters]]", asked: Asked, order: Order) -> bool:
    """Answers a block of queries; says whether anything was found."""
    answers = searcher.search_many(
        [(query, filters) for _, _, query, filters in block],
        order.k,
        order.min_score,
        relevant=order.relevant,
        fold=order.fold,
        asking=asked.asking(),
    )
    for (number, name, query, _), hits in zip(block, answers, strict=True):
        note(tuple(f"line {number}: {said}" for said in hits.notes))
        print_json({"number": number, "id": name, "query": str(query), "hits": [as_record(hit) for hit in hits]})
    return any(answers)
