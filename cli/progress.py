"""A progress bar on standard error, with rate and remaining time; silent where there is no terminal."""

from pathlib import Path
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console

from cli.output import say_waiting, shown, warn
from indexer import Progress

__all__ = ["ProgressBar"]


class ProgressBar(Progress):
    """The progress of an index run or a similar task. Use it in a `with` statement.

    `task` describes what happens to each item, such as "Embedding".
    """

    def __init__(self, task: str = "Embedding") -> None:
        self._description = task
        self._has_waited = False
        console = Console(stderr=True)
        self._bar = bars.Progress(
            bars.SpinnerColumn(),
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TaskProgressColumn(show_speed=True),
            bars.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
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
        """Report that another process holds the library, but only once: a run may have to wait several times."""
        if not self._has_waited:
            say_waiting()
        self._has_waited = True

    def waiting_for_root(self, root: Path) -> None:
        """Report that another run indexes the folder, but only once."""
        if not self._has_waited:
            warn(f"another run is indexing {shown(root)}; this one begins when that has finished")
        self._has_waited = True

    def scanned(self, files: int) -> None:
        """Show how many files the scan has seen."""
        self._bar.update(self._task, description=f"Looking for pictures: {files:,}")

    def begin(self, files: int) -> None:
        """Start the bar with a known total."""
        self._bar.update(self._task, description=self._description, completed=0, total=files)

    def advance(self, files: int) -> None:
        """Advance the bar."""
        self._bar.advance(self._task, files)

    def warn(self, message: str) -> None:
        """Print a warning."""
        warn(message)

    def publish(self) -> None:
        """Show the last step."""
        self._bar.update(self._task, description="Writing the index")
