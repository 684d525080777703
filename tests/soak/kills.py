"""A soak of kills: `python -m tests.soak.kills --help`.

Commands that change a library are killed (SIGKILL) at random instants, one after the other. After each kill the library
must open, `verify` must find no fault, everything that people said in commands that ended must be there, the killed
command must have had its whole effect or none (a restore: a part), and searches must return what the vectors computed
by hand say. Now and then everything is completed and compared with a library that was never disturbed.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tests.soak.checked_library import CheckedLibrary
from tests.soak.paint_model import install_paint
from tests.soak.report import Report
from tests.soak.verbs import VERBS

__all__ = ["soak"]

COMPLETE_EVERY = 40
"""Kills between two comparisons with an undisturbed library."""

MAX_FAULTS = 3
"""Faults after which the soak ends."""


def soak(place: Path, kills: int, seconds: float, seed: int, say: Callable[[str], None] = lambda _text: None) -> Report:
    """Kill commands until there were so many kills, or the time is over, or three faults were found."""
    began = monotonic()
    library = CheckedLibrary(place, seed)
    report = library.report
    while report.kills.total() < kills and monotonic() - began < seconds and len(report.faults) < MAX_FAULTS:
        known = len(report.faults)
        library.step += 1
        library.chance.choice(VERBS)(library)
        if library.step % COMPLETE_EVERY == 0:
            library.complete()
        for fault in report.faults[known:]:
            say(fault)
    library.complete()
    report.seconds = monotonic() - began
    return report


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the soak, and print what was killed; the exit code is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder that does not exist, for the library; it is kept")
    options = parser.parse_args()
    place = options.keep or Path(tempfile.mkdtemp())
    place.mkdir(parents=True, exist_ok=True)
    try:
        install_paint(place / "site")
        report = soak(place, options.kills, options.minutes * 60, options.seed, _say)
    finally:
        if options.keep is None:
            shutil.rmtree(place)
    _say(str(report))
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
