"""What an index run reports: its progress while it is running, and a summary at the end."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

__all__ = ["Progress", "StageTimer", "Summary"]


class Progress:
    """Receives the progress of a run. This class ignores it; subclasses show it."""

    def waiting(self) -> None:
        """Another process is changing the library; the run waits for it."""

    def waiting_for_root(self, root: Path) -> None:  # noqa: ARG002 (subclasses name it)
        """Another run indexes the folder `root`; this one waits for it."""
        self.waiting()

    def scanned(self, files: int) -> None:
        """The scan has found this many files so far."""

    def begin(self, files: int) -> None:
        """The scan is complete, and this many files must be read."""

    def advance(self, files: int) -> None:
        """This many more files have been written."""

    def downloaded(self, done: int, total: int) -> None:
        """`done` of `total` bytes have been downloaded."""

    def check(self) -> None:
        """Called before each batch of work, while no lock is held: the place to wait, or to raise to stop the run."""

    def make_way(self) -> None:
        """Another run waits for the same root. A run in the background may raise to let it go first."""

    def warn(self, message: str) -> None:
        """Something makes the run slower, but does not stop it; `message` says what."""

    def publish(self) -> None:
        """All pictures are in the catalogue; the index file is being written."""


@dataclass(frozen=True)
class Summary:
    """The outcome of an index run.

    Each file that was found is counted as one of `new`, `unchanged`, `changed`, `moved`, `restored` or `failed`.
    `missing` counts files that earlier runs found and this one did not. `duplicates` counts those among `new` whose
    content the library had already. `companions` counts files that belong to one of the found ones, such as its RAW
    file. `embedded` counts the vectors that were computed. `metadata_updated` counts the sidecars that were read, and
    the files whose headers were read again because an older version found less in them.
    """

    new: int = 0
    unchanged: int = 0
    changed: int = 0
    moved: int = 0
    restored: int = 0
    missing: int = 0
    failed: int = 0
    duplicates: int = 0
    companions: int = 0
    embedded: int = 0
    metadata_updated: int = 0
    seconds: float = 0.0
    unreadable: tuple[str, ...] = ()
    """Folders that could not be read. Pictures in them are kept as they were."""
    too_long: tuple[str, ...] = ()
    """Files and folders that were not indexed, because the catalogue cannot store such a long path."""
    absent: tuple[str, ...] = ()
    """Folders whose disk seems to be away: it was mounted there before, or the folder is empty and had many pictures.
    These pictures are kept as they were."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Number of files that are not pictures, or not supported, by type: the suffix in lower case, empty without one.
    Hidden and ignored files, sidecars and companions are not counted."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage. Those of reading files (`read` to `hash`) are added up over the workers, which run in
    parallel with each other and with the other stages."""

    @property
    def seen(self) -> int:
        """The number of files that the scan found."""
        return self.new + self.unchanged + self.changed + self.moved + self.restored + self.failed

    @classmethod
    def of(
        cls,
        counts: Counter[str],
        unreadable: tuple[str, ...],
        too_long: tuple[str, ...],
        absent: tuple[str, ...],
        timings: Mapping[str, float],
        seconds: float,
        passed_over: Counter[str],
    ) -> "Summary":
        """Return a summary with `counts` by field name."""
        return cls(
            **dict(counts),
            unreadable=unreadable,
            too_long=too_long,
            absent=absent,
            timings=dict(timings),
            seconds=seconds,
            passed_over=dict(passed_over.most_common()),
        )


class StageTimer:
    """Adds up the seconds spent in each stage of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add seconds by stage."""
        for stage, value in seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + value

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a `with` block, whether or not it raises."""
        started = perf_counter()
        try:
            yield
        finally:
            self.add({name: perf_counter() - started})
