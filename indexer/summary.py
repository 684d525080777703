"""What an index run tells: while it goes on, and when it is done."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Progress", "Summary"]


class Progress:
    """Told by a run how it goes on; does nothing. The command line shows it."""

    def waiting(self) -> None:
        """Another process is changing the library; the run waits for it."""

    def scanned(self, files: int) -> None:
        """So many files were seen so far."""

    def begin(self, files: int) -> None:
        """The scan is over, and so many files must be read."""

    def advance(self, files: int) -> None:
        """So many more files are settled."""

    def publish(self) -> None:
        """All pictures are in the catalogue; the index file is being written."""


@dataclass(frozen=True)
class Summary:
    """The outcome of an index run.

    Every file that was seen is one of `new`, `unchanged`, `changed`, `moved`, `restored` or `failed`. `missing` are
    those that earlier runs saw and this one did not; `duplicates` are those among `new` whose content the library had
    already; `embedded` is how many vectors were computed. `remarks` are sidecars that were read, and
    files of which only the header was read again, because this version finds more in it than the one before.
    """

    new: int = 0
    unchanged: int = 0
    changed: int = 0
    moved: int = 0
    restored: int = 0
    missing: int = 0
    failed: int = 0
    duplicates: int = 0
    embedded: int = 0
    remarks: int = 0
    seconds: float = 0.0
    unreadable: tuple[str, ...] = ()
    """Folders that could not be looked into; what was known beneath them is kept as it was."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage. Those of reading files (`read` to `hash`) add up over the workers, beside which others run."""

    @property
    def seen(self) -> int:
        """How many files the scan found."""
        return self.new + self.unchanged + self.changed + self.moved + self.restored + self.failed

    @classmethod
    def of(
        cls, counts: Counter[str], unreadable: tuple[str, ...], timings: Mapping[str, float], seconds: float
    ) -> "Summary":
        """A summary from counts by the names of its fields."""
        return cls(**dict(counts), unreadable=unreadable, timings=dict(timings), seconds=seconds)
