"""What a person narrows a search to: folders, and when pictures were taken."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from sightline.errors import InvalidQuery, NothingKnown
from store.roots import places_at
from store.selection import Selection

__all__ = ["Filters", "parse_date"]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


@dataclass(frozen=True)
class Filters:
    """Only pictures in one of the folders `within` (or that file itself), taken from `after` on and before `before`.

    Times are the camera's local time; a picture that does not tell when it was taken is left out by either.
    """

    within: tuple[Path, ...] = ()
    after: datetime | None = None
    before: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.within or self.after or self.before)

    def selection(self, connection: Connection) -> Selection:
        """As the catalogue understands it. Raises `NothingKnown` for a folder that the library does not cover."""
        if not self.within:
            return Selection(None, self.after, self.before)
        places = []
        for path in self.within:
            path = Path(os.path.abspath(path))  # noqa: PTH100 (links stay as the user named them)
            found = places_at(connection, path)
            if not found:
                raise NothingKnown(path)
            places.extend(found)
        return Selection(tuple(places), self.after, self.before)


def parse_date(text: str) -> datetime:
    """The first moment of a year (`2023`), a month (`2023-06`) or a day (`2023-06-15`). Raises `InvalidQuery`."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise InvalidQuery(f"{text!r} is no date; write a year, a month or a day: 2023, 2023-06, 2023-06-15")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        return datetime(year, month, day)  # noqa: DTZ001 (cameras know no time zone)
    except ValueError as exc:
        raise InvalidQuery(f"{text!r} is no date: {exc}") from exc
