"""Which pictures a question is about: places and times, as conditions on the catalogue."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_

from store.catalog import Content
from store.lookup import findable_ids
from store.roots import Place, within
from store.spaces import StoredSpace
from store.vectors import Ids

__all__ = ["Selection", "selected_ids"]


@dataclass(frozen=True)
class Selection:
    """Pictures at or beneath any of `places` (None: anywhere), taken in a span of local time.

    `taken_from` is the first moment that counts, `taken_until` the first that does not; a picture of which the time is
    not known is in no span.
    """

    places: tuple[Place, ...] | None = None
    taken_from: datetime | None = None
    taken_until: datetime | None = None


def selected_ids(connection: Connection, stored: StoredSpace, selection: Selection) -> Ids:
    """The contents that a search within `selection` may find. Sorted."""
    contents: list[ColumnElement[bool]] = []
    if selection.taken_from is not None:
        contents.append(Content.taken_at >= selection.taken_from)
    if selection.taken_until is not None:
        contents.append(Content.taken_at < selection.taken_until)
    pictures = [] if selection.places is None else [or_(*(and_(*within(place)) for place in selection.places))]
    return findable_ids(connection, stored, pictures=pictures, contents=contents)
