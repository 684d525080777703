"""A pull's progress on standard error: a bar with rate and time left in a terminal, a line a file elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from cli.models.formatting import in_units

__all__ = ["ShownPull"]

SHOWN_FROM = 2**20
"""Bytes of a file from which it is worth a line where there is no terminal."""


class ShownPull:
    """Use it in a `with` statement."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
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
        """Says so."""
        self._console.print("Another sightline is pulling this model; waiting until it is done.")

    def begin(self, file: str, size: int) -> None:
        """Starts the bar anew."""
        self._bar.reset(self._task, description=file, completed=0, total=size)
        if not self._console.is_terminal and size >= SHOWN_FROM:
            self._console.print(f"Fetching {file} ({in_units(size)})", highlight=False, soft_wrap=True)

    def advance(self, count: int) -> None:
        """Moves the bar."""
        self._bar.advance(self._task, count)
