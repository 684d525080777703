"""All steps of the recipe in order. Finished steps are skipped, and an interrupted one continues.

    python -m training.recipe --data DIR --device cuda
    python -m training.recipe --data DIR --trial DIR
    python -m training.recipe --data DIR --trial DIR --limit 40 --runs TRY

With `--trial`, the first training step is replaced by the weights of the trial from which the shipped ones were
continued; this is the way without a GPU. `--limit` tries the recipe on a few pictures and with two steps of each
training; its files are in `v3` below the folder of runs, and the shipped ones stay as they are.
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


def steps(
    data: Path, runs: Path, device: str = "cpu", trial: Path | None = None, limit: int | None = None
) -> Iterator[Step]:
    """Return all steps from a folder of data to the exported files; intermediate files are in `runs`.

    With a `limit` on the pictures of each kind, the exported files are in `runs` as well.
    """
    source, on = ("--data", str(data)), ("--device", device)
    prepared, tokenizer = runs / "prepared", runs / "tokenizer.model"
    pixels, maps, scenes, towers = (runs / name / "weights.pt" for name in ("pixels", "maps", "scenes", "distilled"))
    patches = runs / "patches" / "patches.pt"
    small, large = runs / "maps192", runs / "maps512"
    few = () if limit is None else ("--limit", str(limit))
    scenes_too = () if limit is None else ("--scenes", str(limit))
    short = () if limit is None else ("--steps", "2")
    files = runs / "v3"
    exported = () if limit is None else ("--out", str(files))
    scored = () if limit is None else ("--weights", str(files))
    common = ("--prepared", str(prepared), "--tokenizer", str(tokenizer), *on)
    # The steps without a file to check resume by themselves, and have nothing to do once all rows are filled.
    yield Step("prepare", (*source, "--out", str(prepared), *few, *scenes_too))
    if trial is not None:
        yield Step("trial", ("--trial", str(trial), "--out", str(runs)), pixels)
    else:
        yield Step("tokenizer", (*source, "--out", str(tokenizer)), tokenizer)
        yield Step("train", ("pixels", *source, *common, "--out", str(pixels.parent), *short), pixels)
    cached = ("--weights", str(pixels), "--prepared", str(prepared), "--out", str(small))
    yield Step("cache_maps", (*source, *cached, *on))
    for name, begin, made in (("maps", pixels, maps), ("scenes", maps, scenes)):
        continued = ("--maps", str(small), "--begin", str(begin), "--out", str(made.parent))
        yield Step("train", (name, *source, *common, *continued, *short), made)
    means = ("--weights", str(scenes), "--prepared", str(prepared), "--out", str(runs / "means"))
    yield Step("cache_means", (*means, *on))
    distilled = ("--means", str(runs / "means"), "--begin", str(scenes), "--out", str(towers.parent))
    yield Step("distil", (*source, *common, *distilled, *short), towers)
    yield Step("cache_patches", (*source, "--weights", str(towers), "--out", str(large), *on, *few), patches)
    head = ("--weights", str(towers), "--maps", str(large), "--tokenizer", str(tokenizer), *on)
    yield Step("train_patches", (*source, *head, "--out", str(patches.parent), *short), patches)
    yield Step(
        "export", ("--weights", str(towers), "--patches", str(patches), "--tokenizer", str(tokenizer), *exported)
    )
    yield Step("translations", (*source, *scored, *few))
    yield Step("evaluate", (*source, *scored, *scenes_too))
    yield Step("calibrate", (*source, "--work", str(runs / "calibration"), *scored))


def follow(todo: Iterator[Step], run: Callable[[list[str]], object]) -> None:
    """Run the unfinished steps in order; an error of `run` stops them."""
    for step in todo:
        if step.made is None or not step.made.exists():
            run(step.command())


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--trial", type=Path, help="begin with the weights of the trial in this folder")
    parser.add_argument("--limit", type=int, help="try the recipe on this many pictures of each kind")
    options = parser.parse_args()
    options.runs.mkdir(exist_ok=True)
    todo = steps(options.data, options.runs, options.device, options.trial, options.limit)
    follow(todo, lambda command: subprocess.run(command, check=True))


if __name__ == "__main__":
    _main()
