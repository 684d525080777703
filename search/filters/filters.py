"""The filters of a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import InvalidQuery
from store.filters.conditions import And, Condition, FieldTest, Op

__all__ = ["Filters"]


@dataclass(frozen=True)
class Filters:
    """Conditions that a picture must meet. All of them must be true of the same file.

    Raises `InvalidQuery` for texts in place of dates, folders and conditions.
    """

    within: tuple[Path, ...] = ()
    """Folders; one of them must contain the file. A path can also name the file itself."""
    after: datetime | None = None
    """The earliest time of capture, in the camera's local time. Pictures without a date do not match."""
    before: datetime | None = None
    """The time of capture must be earlier. Pictures without a date do not match."""
    where: Condition | None = None
    """Any further condition, as returned by `field_condition` and `parse_where`."""

    def __post_init__(self) -> None:
        given: tuple[tuple[str, object, type, str], ...] = (
            ("within", self.within, Sequence, "a tuple of folders"),
            ("after", self.after, datetime, "a datetime, such as datetime(2023, 6, 1)"),
            ("before", self.before, datetime, "a datetime, such as datetime(2023, 6, 1)"),
            ("where", self.where, object, "a condition, as `parse_where` returns"),
        )
        for name, value, kind, what in given:
            if value is not None and (isinstance(value, str) or not isinstance(value, kind)):
                raise InvalidQuery(f"{name} must be {what}, not {value!r}.")

    def __bool__(self) -> bool:
        return bool(self.within or self.after or self.before or self.where)

    def condition(self) -> Condition | None:
        """Return all filters as one condition; None without any filters."""
        parts: list[Condition] = []
        if self.within:
            parts.append(FieldTest("folder", Op.IN, self.within))
        if self.after is not None:
            parts.append(FieldTest("taken_at", Op.GE, self.after))
        if self.before is not None:
            parts.append(FieldTest("taken_at", Op.LT, self.before))
        if self.where is not None:
            parts.append(self.where)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else And(tuple(parts))
