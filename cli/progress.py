"""An index run's progress on standard error: a bar with rate and time left in a terminal, silence elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from cli.output import say_waiting
from indexer import Progress

__all__ = ["ShownProgress"]


class ShownProgress(Progress):
    """Shows a run while it goes on; `work` is what it does to each item. Use it in a `with` statement."""

    def __init__(self, work: str = "Embedding") -> None:
        self._work = work
        self._has_waited = False
        self._console = Console(stderr=True)
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(show_speed=True),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("Looking for pictures", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def waiting(self) -> None:
        """Says so, once: a run that others interrupt again and again waits for each of them."""
        if not self._has_waited:
            say_waiting()
        self._has_waited = True

    def scanned(self, files: int) -> None:
        """Counts what was seen."""
        self._bar.update(self._task, description=f"Looking for pictures: {files:,}")

    def begin(self, files: int) -> None:
        """Starts the bar."""
        self._bar.update(self._task, description=self._work, completed=0, total=files)

    def advance(self, files: int) -> None:
        """Moves the bar."""
        self._bar.advance(self._task, files)

    def publish(self) -> None:
        """Names the last step."""
        self._bar.update(self._task, description="Writing the index")
