"""Ratings that users give to pictures.

They are kept apart from those in files and sidecars, which no rating changes. A change is one short transaction that
needs no writer lock.
"""

from collections.abc import Sequence

from sqlalchemy import select, update

from core.metadata import MAX_RATING, MIN_RATING
from store.catalog.id_sets import batch_slices
from store.catalog.tables import Content
from store.library import Library

__all__ = ["rate"]


def rate(library: Library, content_ids: Sequence[int], rating: int | None) -> dict[int, int | None]:
    """Rate contents: 1 to 5 stars, 0 for unrated, -1 for rejected; None returns to the rating of the file.

    Returns the previous rating of the user for each content whose rating has changed. Contents that are not in the
    library are skipped. Raises `ValueError` for any other number, also one between two of these.
    """
    if rating is not None and not (isinstance(rating, int) and MIN_RATING <= rating <= MAX_RATING):
        raise ValueError(f"{rating} is not a rating from {MIN_RATING} to {MAX_RATING}")
    previous: dict[int, int | None] = {}
    with library.transaction() as connection:
        for batch in batch_slices(len(content_ids)):
            chosen = Content.id.in_(list(content_ids[batch]))
            changed = Content.user_rating.is_distinct_from(rating)
            statement = select(Content.id, Content.user_rating).where(chosen, changed)
            previous |= {row.id: row.user_rating for row in connection.execute(statement)}
            connection.execute(update(Content).where(chosen, changed).values(user_rating=rating))
    return previous
