"""How figures are printed."""

import importlib.util
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.race.rounds import Figures

__all__ = ["print_figures"]

HEAD = ("measure", "program", "median s", "spread s", "processor s", "pictures/s", "of forward only")
WIDTH = 110
"""Width of the table in a file."""


def print_figures(figures: Sequence[Figures], forward: Mapping[str, float], conditions: Mapping[str, Any]) -> None:
    """Print the conditions, a table, and the stages of index runs. Without rich, the table is plain lines.

    `forward` has the forward-only rate, in pictures per second, of each program that has one.
    """
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    for program, rate in forward.items():
        print(f"forward only, {program}: {rate:.1f} pictures/s")
    _print_table([_cells(row, forward.get(row.program)) for row in figures])
    for row in figures:
        if row.stages:
            each = ", ".join(f"{name} {1000 * s / row.pictures:.2f}" for name, s in row.stages.items())
            print(f"{row.measure}, {row.program}, ms per picture: {each}")


def _cells(row: Figures, forward: float | None) -> tuple[str, ...]:
    times = (f"{row.median:.2f}", f"{row.spread:.2f}", f"{statistics.median(row.processor):.2f}")
    rate = f"{row.rate:.1f}" if row.pictures else ""
    share = f"{row.rate / forward:.0%}" if row.pictures and forward else ""
    return (row.measure, row.program, *times, rate, share)


def _print_table(lines: Sequence[tuple[str, ...]]) -> None:
    if not importlib.util.find_spec("rich"):
        print("\n".join(" | ".join(line) for line in (HEAD, *lines)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEAD)
    for line in lines:
        table.add_row(*line)
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)
