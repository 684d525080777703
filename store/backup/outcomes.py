"""What became of the statements of a snapshot when it was restored."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Outcome", "RestoreReport", "Statement"]


class Outcome(StrEnum):
    """What happened to a statement, or would happen."""

    RESTORED = "restored"
    """It was not here, and is now."""
    PRESENT = "present"
    """It is here already."""
    KEPT = "kept"
    """Something else is here, which was kept; `replace` takes what the snapshot says."""
    UNKNOWN = "unknown"
    """Its picture is not in the library. It can be restored after the picture was indexed."""


class Statement(StrEnum):
    """What a statement of a snapshot is about."""

    TAGS = "tags"
    RATINGS = "ratings"
    ALBUMS = "albums"
    ALBUM_PICTURES = "album_pictures"
    COVERS = "covers"
    VERDICTS = "verdicts"
    JUDGEMENTS = "judgements"


@dataclass
class RestoreReport:
    """Number of statements by subject and outcome."""

    counts: defaultdict[Statement, Counter[Outcome]] = field(default_factory=lambda: defaultdict(Counter))
    found_by_path: int = 0
    """Pictures whose content is not in the library, but another one at the path they had."""
    unknown_pictures: int = 0
    """Pictures of the snapshot that are not in the library."""
    conflicts: list[str] = field(default_factory=list)
    """Albums that were skipped: one is a saved search, and the other was put together by hand."""

    def add(self, subject: Statement, outcome: Outcome, number: int = 1) -> None:
        """Count statements."""
        if number:
            self.counts[subject][outcome] += number

    def total(self, outcome: Outcome) -> int:
        """Return the number of statements with this outcome."""
        return sum(counter[outcome] for counter in self.counts.values())
