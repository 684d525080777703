"""What the parts of an index run share: its settings, its library, and what it adds up."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from indexer.reader_pool import default_workers
from indexer.runner import LocalRunner, Runner
from indexer.scan import ScanSettings
from indexer.summary import Progress, StageTimer
from pictures.decode import DecodeSettings
from store.library import Library, Writer

__all__ = ["IndexSettings", "RunContext", "RunTotals"]


@dataclass(frozen=True)
class IndexSettings:
    """How to index.

    `workers` is the number of readers (see `indexer.reader_pool`). `full` reads every file again, even if its size and
    modification time are unchanged. `only_failed` reads only the files that could not be read or embedded before; new
    and changed files wait for the next run. `accept_missing` accepts that a folder is empty or gone although the
    library has pictures of it. `runner` is where new files are read and embedded, by default this machine.
    """

    scan: ScanSettings = field(default_factory=ScanSettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    workers: int = field(default_factory=default_workers)
    full: bool = False
    only_failed: bool = False
    accept_missing: bool = False
    runner: Runner | None = None

    @property
    def chosen_runner(self) -> Runner:
        """The runner: that of the caller, or this machine with `workers` readers."""
        return self.runner or LocalRunner(self.workers)


@dataclass
class RunTotals:
    """What a run counts, added up over its folders."""

    counts: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


@dataclass
class RunContext:
    """A run over several folders. `totals` has the outcomes of its files, and `timer` the time spent by stage."""

    library: Library
    settings: IndexSettings
    progress: Progress
    totals: RunTotals = field(default_factory=RunTotals)
    timer: StageTimer = field(default_factory=StageTimer)

    @property
    def lock(self) -> Callable[[], AbstractContextManager[Writer]]:
        """Takes the writer lock, and reports that it waits."""
        return partial(self.library.exclusive, self.progress.waiting, self.progress.check)
