"""A query moved towards what a person liked and away from what they did not: relevance feedback.

Rocchio, "Relevance feedback in information retrieval" (in Salton, ed., The SMART Retrieval System, 1971):

    query' = alpha * query + beta * mean of the liked - gamma * mean of the others

with the weights that Manning, Raghavan and Schütze (Introduction to Information Retrieval, 2008, section 9.1.1) call
reasonable: 1, 0.75 and 0.15. What is liked says more than what is not.
"""

import math
from collections.abc import Sequence

from search.query import Part, Query, QueryInput

__all__ = ["ALPHA", "BETA", "GAMMA", "refined"]

ALPHA, BETA, GAMMA = 1.0, 0.75, 0.15


def refined(query: Query | None, more: Sequence[QueryInput] = (), less: Sequence[QueryInput] = ()) -> Query:
    """`query`, its parts together weighing `ALPHA`, with pictures to be like and unlike; without one, `more` is it.

    Raises `InvalidQuery` when there is neither a query nor anything to be like.
    """
    asked = () if query is None else query.parts
    whole = math.fsum(part.weight for part in asked if part.weight > 0) or 1.0
    parts = [Part(part.source, ALPHA * part.weight / whole) for part in asked]
    parts += [Part(source, BETA / len(more)) for source in more]
    parts += [Part(source, -GAMMA / len(less)) for source in less]
    return Query(tuple(parts))
