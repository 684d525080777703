"""Ingest time by stage: `python -m benchmarks.ingest --help`.

Every number is the median of several runs into a fresh library, after a warm-up that loads the model. Files are in the
page cache (they were just written), so reading is as fast as memory; decoding and the model are what is measured.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.photos import write_photos
from encoders import registry
from encoders.base import Encoder
from indexer.pipeline import IndexSettings, index
from indexer.summary import Summary
from store import Library

STAGES = ("scan", "read", "decode", "preprocess", "hash", "forward", "write", "group", "publish")
SHARED = frozenset({"read", "decode", "preprocess", "hash"})
"""Stages whose seconds are summed over the readers; they overlap with each other and with other stages."""


@dataclass(frozen=True)
class Result:
    """The medians for one set of pictures."""

    pictures: str
    count: int
    megabytes: float
    seconds: float
    per_second: float
    stages: dict[str, float]
    unchanged_seconds: float
    """Seconds of a second run over unchanged files."""


@dataclass(frozen=True)
class Bench:
    """One model and one configuration; libraries are created in the folder `base`."""

    base: Path
    encoder: Encoder
    settings: IndexSettings
    repeats: int

    @property
    def library(self) -> Path:
        """Return the path of the library of the last run."""
        return max(self.base.glob("library-*"))

    def measure(self, title: str, folder: Path) -> Result:
        """Return the medians of runs into fresh libraries, each followed by a run over unchanged files."""
        runs = [self.run(folder) for _ in range(self.repeats)]
        first = [one for one, _ in runs]
        seconds = statistics.median(one.seconds for one in first)
        return Result(
            pictures=title,
            count=first[0].new,
            megabytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6,
            seconds=seconds,
            per_second=first[0].new / seconds,
            stages={stage: statistics.median(one.timings.get(stage, 0.0) for one in first) for stage in STAGES},
            unchanged_seconds=statistics.median(again.seconds for _, again in runs),
        )

    def run(self, folder: Path) -> tuple[Summary, Summary]:
        """Index `folder` into a fresh library, and once again."""
        place = self.base / f"library-{len(list(self.base.glob('library-*'))):03d}"
        with Library.open(place, create=True) as library:
            first, again = (index(library, [folder], self.encoder, self.settings) for _ in range(2))
        return first, again

    def commands(self) -> dict[str, float]:
        """Return median wall times of whole processes, in seconds; the search uses the library of the last run."""
        script = str(Path(sys.executable).parent / "sightline")
        search = [script, "--library", str(self.library), "search", "a dog on a beach"]
        commands = {"sightline --help": [script, "--help"], "sightline search": search}
        return {
            name: statistics.median(_wall(command) for _ in range(self.repeats)) for name, command in commands.items()
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the results."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as name:
        base = Path(name)
        settings = IndexSettings(workers=options.workers)
        bench = Bench(base, registry.load(options.model), settings, options.repeats)
        write_photos(base / "warm-up", 64, (320, 240), quality=85)
        bench.run(base / "warm-up")
        results = [bench.measure(title, folder) for title, folder in _sets(base, options)]
        commands = bench.commands()
    if options.json:
        report = {**_conditions(options), "ingest": [asdict(result) for result in results], "commands": commands}
        print(json.dumps(report, indent=2))
    else:
        _print(_conditions(options), results, commands)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=registry.DEFAULT_MODEL, choices=sorted(registry.ENCODERS.built_in()))
    parser.add_argument("--large", type=int, default=64, metavar="N", help="generated JPEGs of 12 megapixels")
    parser.add_argument("--small", type=int, default=1000, metavar="N", help="generated JPEGs of 500x375")
    parser.add_argument("--folder", type=Path, help="your own photos instead of the generated small ones")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _sets(base: Path, options: argparse.Namespace) -> list[tuple[str, Path]]:
    """Return the folders to index by name."""
    sets = []
    if options.large:
        write_photos(base / "large", options.large, (4000, 3000), quality=93)
        sets.append(("12 megapixels", base / "large"))
    if options.folder:
        sets.append((options.folder.name, options.folder))
    elif options.small:
        write_photos(base / "small", options.small, (500, 375), quality=88, masters=50)
        sets.append(("500x375", base / "small"))
    return sets


def _wall(command: list[str]) -> float:
    started = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def _conditions(options: argparse.Namespace) -> dict[str, object]:
    return {
        "model": options.model,
        "workers": options.workers,
        "repeats": options.repeats,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def _print(conditions: dict[str, object], results: Sequence[Result], commands: dict[str, float]) -> None:
    """Print Markdown tables."""
    print(", ".join(f"{name} {value}" for name, value in conditions.items()), end="\n\n")
    print("| pictures | n | MB | s | pictures/s | " + " | ".join(STAGES) + " | nothing changed |")
    print("|---" * (6 + len(STAGES)) + "|")
    for result in results:
        # Milliseconds of work per picture; those of `SHARED` stages are spent by several threads at once.
        each = (f"{1000 * seconds / result.count:.2f}" for seconds in result.stages.values())
        print(
            f"| {result.pictures} | {result.count:,} | {result.megabytes:,.0f} | {result.seconds:.2f} "
            f"| {result.per_second:,.1f} | {' | '.join(each)} | {result.unchanged_seconds:.2f} s |"
        )
    print(f"\nStages in milliseconds per picture; {', '.join(sorted(SHARED))} are summed over the readers.\n")
    for name, seconds in commands.items():
        print(f"{name}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
