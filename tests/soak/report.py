"""What a soak did, and what was wrong."""

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Report"]


@dataclass
class Report:
    """The commands by verb, and the faults that were found."""

    kills: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """Commands that ended before they were killed."""
    had_written: Counter[str] = field(default_factory=Counter)
    """Killed commands that had changed the catalogue or its log."""
    comparisons: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = ["| command | killed | of these, after a write | ended before |", "|---|---|---|---|"]
        lines += [
            f"| {verb} | {self.kills[verb]} | {self.had_written[verb]} | {self.ended[verb]} |"
            for verb in sorted(self.kills | self.ended)
        ]
        total = f"{self.kills.total()} kills, {self.comparisons} comparisons with an undisturbed library"
        return "\n".join([*lines, "", f"{total}, {self.seconds:.0f} s, {len(self.faults)} faults", *self.faults])
