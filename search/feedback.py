"""Relevance feedback: move a query towards hits that were right and away from hits that were wrong.

Rocchio, "Relevance feedback in information retrieval" (in Salton, ed., The SMART Retrieval System, 1971):

    query' = alpha * query + beta * mean of the right hits - gamma * mean of the wrong hits

The weights 1, 0.75 and 0.15 are those that Manning, Raghavan and Schütze (Introduction to Information Retrieval, 2008,
section 9.1.1) call reasonable. Right hits say more than wrong ones.
"""

import math
from collections.abc import Sequence

from search.query import Part, Query, QueryInput

__all__ = ["ALPHA", "BETA", "GAMMA", "refine_query"]

ALPHA, BETA, GAMMA = 1.0, 0.75, 0.15


def refine_query(query: Query | None, more: Sequence[QueryInput] = (), less: Sequence[QueryInput] = ()) -> Query:
    """Return `query` with the pictures `more` added and `less` subtracted; its own parts together weigh `ALPHA`.

    Raises `EmptyQuery` if there is neither a query nor a picture in `more`.
    """
    parts = () if query is None else query.parts
    total = math.fsum(part.weight for part in parts if part.weight > 0) or 1.0
    return Query(
        (
            *(Part(part.source, ALPHA * part.weight / total) for part in parts),
            *(Part(source, BETA / len(more)) for source in more),
            *(Part(source, -GAMMA / len(less)) for source in less),
        )
    )
