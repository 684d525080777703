"""The filters of a search."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from store.filters.conditions import And, Condition, FieldTest, Op

__all__ = ["Filters"]


@dataclass(frozen=True)
class Filters:
    """Conditions that a picture must meet. All of them must be true of the same file."""

    within: tuple[Path, ...] = ()
    """Folders; one of them must contain the file. A path can also name the file itself."""
    after: datetime | None = None
    """The earliest time of capture, in the camera's local time. Pictures without a date do not match."""
    before: datetime | None = None
    """The time of capture must be earlier. Pictures without a date do not match."""
    where: Condition | None = None
    """Any further condition, as returned by `field_condition` and `parse_where`."""

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
