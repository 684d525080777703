"""All steps of the recipe in order. Finished steps are skipped, and an interrupted one resumes.

python -m training.recipe --data DIR
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Step", "follow", "steps"]


@dataclass(frozen=True)
class Step:
    """A module to run with arguments. It is skipped if the file `made` exists; None runs it always."""

    module: str
    arguments: tuple[str, ...]
    made: Path | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-m", f"training.{self.module}", *self.arguments]


def steps(data: Path, runs: Path) -> Iterator[Step]:
    """Return all steps from a folder of data to the exported files; intermediate files are in `runs`."""
    source = ("--data", str(data))
    tokenizer, text, cells = runs / "tokenizer.model", runs / "text.pt", runs / "cells.pt"
    small, large = runs / "mini", runs / "mini-144"
    prepared = ("--prepared", str(runs / "prepared"), "--tokenizer", str(tokenizer))
    student = (*source, *prepared, "--text", str(text))
    last = ("--checkpoint", str(large / "checkpoint.pt"))
    larger = ("--side", "144", "--small-until", "0", "--rate", "1e-3", "--epochs", "12", "--seed", "120")
    yield Step("prepare", (*source, "--out", str(runs / "prepared")))
    yield Step("tokenizer", (*source, "--out", str(tokenizer)), tokenizer)
    yield Step("train_text", (*source, *prepared, "--out", str(text)), text)
    yield Step("train", (*student, "--out", str(small)))
    yield Step("train", (*student, "--begin", str(small / "checkpoint.pt"), *larger, "--out", str(large)))
    yield Step("train_patches", (*student, *last, "--out", str(cells)), cells)
    yield Step("export", (*last, "--cells", str(cells), "--tokenizer", str(tokenizer)))
    yield Step("evaluate", source)
    yield Step("calibrate", source)


def follow(todo: Iterator[Step], run: Callable[[list[str]], object]) -> None:
    """Run the unfinished steps in order; an error of `run` stops them."""
    for step in todo:
        if step.made is None or not step.made.exists():
            run(step.command())


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    options = parser.parse_args()
    options.runs.mkdir(exist_ok=True)
    follow(steps(options.data, options.runs), lambda command: subprocess.run(command, check=True))


if __name__ == "__main__":
    _main()
