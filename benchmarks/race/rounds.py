"""What the programs do in turns, and the figures of each."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.race.photos import write_race_photos
from benchmarks.race.programs import RIVAL, Course, Spent

__all__ = ["Figures", "PictureSet", "run_rounds"]


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one kind."""

    folder: Path
    count: int
    bytes: int


@dataclass(frozen=True)
class Figures:
    """The rounds of one measure by one program."""

    measure: str
    program: str
    pictures: int
    """Pictures that each round handles; 0 for a search."""
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    """Seconds of processor time of each round, which depend less on what else the machine does."""
    stages: Mapping[str, float] = field(default_factory=dict)
    """Median seconds by stage of the summary of `sightline index`; those of readers are summed over the readers."""

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Seconds between the fastest and the slowest round."""
        return max(self.seconds) - min(self.seconds)

    @property
    def rate(self) -> float:
        """Pictures per second, by the median."""
        return self.pictures / self.median


def run_rounds(
    course: Course, programs: Sequence[str], sets: Mapping[str, PictureSet], rounds: int
) -> tuple[list[Figures], dict[str, float]]:
    """Let the programs take turns. Return the figures, and the forward-only rates of those of Sightline.

    Before the first round each program indexes a few pictures and searches, which compiles and calibrates models, and
    fills the page cache. Ends the race if a program does not index all pictures.
    """
    _warm_up(course, programs)
    rows = list[_Round]()
    rates: dict[str, list[float]] = {program: [] for program in programs if program != RIVAL}
    for turn in range(rounds):
        for program, each in rates.items():
            each.append(course.forward_rate(program))
        for name, pictures in sets.items():
            for program in programs:
                rows += _round(course, program, name, pictures, course.base / f"{program}-{name}-{turn}")
    return _figures(rows), {program: statistics.median(each) for program, each in rates.items()}


class _Round(NamedTuple):
    key: tuple[str, str, int]
    """Measure, program and number of pictures."""
    spent: Spent
    stages: Mapping[str, float]


def _warm_up(course: Course, programs: Sequence[str]) -> None:
    folder = course.base / "warm-up"
    write_race_photos(folder, 8, (640, 480), 8)
    for program in programs:
        library = course.base / f"{program}-warm-up"
        course.index(program, folder, library)
        course.search(program, folder, library)


def _round(course: Course, program: str, name: str, pictures: PictureSet, library: Path) -> list[_Round]:
    indexed = course.index(program, pictures.folder, library)
    if indexed.pictures != pictures.count:
        sys.exit(f"{program} indexed {indexed.pictures} of {pictures.count} pictures")
    found = course.search(program, pictures.folder, library)
    return [
        _Round((f"index {name}", program, pictures.count), indexed.spent, indexed.stages),
        _Round((f"first search, {name}", program, 0), found, {}),
    ]


def _figures(rows: Sequence[_Round]) -> list[Figures]:
    """Gather the rounds of each measure and program, in the order of their first round."""
    result = []
    for key in dict.fromkeys(row.key for row in rows):
        rounds = [row for row in rows if row.key == key]
        stages = {name: statistics.median(row.stages.get(name, 0.0) for row in rounds) for name in rounds[0].stages}
        seconds = tuple(row.spent.seconds for row in rounds)
        result.append(Figures(*key, seconds, tuple(row.spent.processor for row in rounds), stages))
    return result
