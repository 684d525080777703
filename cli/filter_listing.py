"""A line of filters alone: the pictures that they keep, the newest first. Nothing is ranked, and no model is needed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.options import Order

if TYPE_CHECKING:
    from cli.results import Form
    from search import Filters
    from store import Library

__all__ = ["list_pictures"]


def list_pictures(
    title: str, library: "Library", filters: "Filters", order: Order, form: "Form", extras: Mapping[str, bool]
) -> int:
    """Shows a page of what `filters` keep, which `title` says in words; returns the exit code.

    Raises `InvalidQuery` where there are no filters either, and `click.UsageError` for whatever takes a score: in
    `order`, or one of the options `extras` that is said.
    """
    from cli.results import answer
    from core.errors import InvalidQuery
    from search.browse import browse

    if not filters:
        raise InvalidQuery("nothing to search for: give some words, a picture with --image, or filters")
    ranking = {
        "--min-score": order.min_score is not None,
        "--relevant": order.relevant,
        "--diverse": order.diverse is not None,
    }
    given = [option for option, said in {**ranking, **extras}.items() if said]
    if given:
        raise click.UsageError(f"Filters alone rank nothing: {', '.join(given)} takes words or a picture, too.")
    page = browse(library, order.k, filters, order.cursor)
    return answer(title or "The newest", page.pictures, form, page.next)
