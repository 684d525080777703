"""What a search is narrowed to."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from core.errors import NothingKnown
from store.filters.conditions import And, Condition, FieldTest, Op
from store.roots import absolute, places_at

__all__ = ["Filters"]


@dataclass(frozen=True)
class Filters:
    """Only pictures in one of the folders `within` (or that file itself), taken from `after` on and before `before`.

    Times are the camera's local time; a picture that does not tell when it was taken is left out by either. `where` is
    any further condition (`field_condition`, `parse_where`). All of them must hold for one and the same file.
    """

    within: tuple[Path, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    where: Condition | None = None

    def __bool__(self) -> bool:
        return bool(self.within or self.after or self.before or self.where)

    def condition(self) -> Condition:
        """All of it as one condition."""
        parts: list[Condition] = []
        if self.within:
            parts.append(FieldTest("folder", Op.IN, self.within))
        if self.after is not None:
            parts.append(FieldTest("taken_at", Op.GE, self.after))
        if self.before is not None:
            parts.append(FieldTest("taken_at", Op.LT, self.before))
        if self.where is not None:
            parts.append(self.where)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def selection(self, connection: Connection) -> Condition:
        """As the catalogue understands it. Raises `NothingKnown` for a folder that the library does not cover."""
        for path in self.within:
            if not places_at(connection, absolute(path)):
                raise NothingKnown(path)
        return self.condition()
