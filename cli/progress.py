"""Progress bars on standard error: with rate and remaining time in a terminal, nearly silent elsewhere."""

from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console

from cli.output import in_units, say_waiting
from indexer import Progress

__all__ = ["ProgressBar", "PullProgressBar"]


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

    def scanned(self, files: int) -> None:
        """Show how many files the scan has seen."""
        self._bar.update(self._task, description=f"Looking for pictures: {files:,}")

    def begin(self, files: int) -> None:
        """Start the bar with a known total."""
        self._bar.update(self._task, description=self._description, completed=0, total=files)

    def advance(self, files: int) -> None:
        """Advance the bar."""
        self._bar.advance(self._task, files)

    def publish(self) -> None:
        """Show the last step."""
        self._bar.update(self._task, description="Writing the index")


class PullProgressBar:
    """The progress of a download of model files. Use it in a `with` statement."""

    MIN_ANNOUNCED_BYTES = 2**20
    """Files from this size on are announced by a line where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TransferSpeedColumn(),
            bars.TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def waiting(self) -> None:
        """Report that another process is pulling the same model."""
        self._console.print("Another sightline process is pulling this model; waiting for it to finish.")

    def begin(self, file: str, size: int) -> None:
        """Start the bar of the next file."""
        self._bar.reset(self._task, description=file, completed=0, total=size)
        if not self._console.is_terminal and size >= self.MIN_ANNOUNCED_BYTES:
            self._console.print(f"Fetching {file} ({in_units(size)})", highlight=False, soft_wrap=True)

    def advance(self, count: int) -> None:
        """Advance the bar by `count` bytes."""
        self._bar.advance(self._task, count)
