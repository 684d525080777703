"""How each program indexes and searches, in a process of its own that is timed."""

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.race.models import ARCHITECTURE, RCLIP_MODEL

__all__ = ["INT8", "RIVAL", "SIGHTLINE", "Course", "Indexed", "Spent"]

SIGHTLINE, INT8, RIVAL = "sightline", "sightline int8", "rclip"
OPTIONS = {SIGHTLINE: "", INT8: "?precision=int8"}
"""What follows the name of the model."""
RCLIP_INDEX = """
import sys
from rclip.main import init_rclip
from rclip.utils.helpers import init_arg_parser
batch = init_arg_parser().parse_args(["a query"]).indexing_batch_size
_, model, database = init_rclip(sys.argv[1], batch)
model.close()
database.close()
"""
"""Indexes a folder as the command of rclip does, with its default batch size, but without the search that follows."""
QUERY = "a dog on a beach"


class Spent(NamedTuple):
    """What a process took, with those that it started and waited for."""

    seconds: float
    """Wall time."""
    processor: float
    """Seconds of processor time, of all cores together."""
    output: str


class Indexed(NamedTuple):
    """What an index run took and did."""

    spent: Spent
    pictures: int
    stages: Mapping[str, float]


@dataclass(frozen=True)
class Course:
    """The files of a race. Libraries are created in `base`."""

    base: Path
    python: Path
    """Python of the environment of rclip."""

    @property
    def weights(self) -> Path:
        """Random weights of the architecture."""
        return self.base / "models" / "weights.safetensors"

    @property
    def rclip(self) -> Path:
        """What rclip keeps in its data folder."""
        return self.base / "rclip"

    def model(self, program: str) -> str:
        """Return the name of the model of Sightline in the form of `program`."""
        return f"{ARCHITECTURE}:{self.weights}{OPTIONS[program]}"

    def index(self, program: str, folder: Path, library: Path) -> Indexed:
        """Index a folder into a new library."""
        if program == RIVAL:
            return self._rclip_index(folder, library)
        spent = self._sightline(library, "index", str(folder), "--model", self.model(program), "--json")
        summary = json.loads(spent.output)
        return Indexed(spent, summary["new"], summary["timings"])

    def search(self, program: str, folder: Path, library: Path) -> Spent:
        """Search for a text in a new process. Ends the race if nothing is found."""
        if program != RIVAL:
            spent = self._sightline(library, "search", QUERY)
        else:
            command = [str(self.python), "-m", "rclip", "--no-indexing", QUERY]
            spent = _run(command, {"RCLIP_DATADIR": str(library)}, folder)
        if ".jpg" not in spent.output:
            sys.exit(f"{program} found nothing:\n{spent.output}")
        return spent

    def forward_rate(self, program: str) -> float:
        """Return the pictures per second of the model of `program` alone, in a new process (see `forward`)."""
        environment = {"SIGHTLINE_MODELS": str(self.base / "models")}
        command = [sys.executable, "-m", "benchmarks.race.forward", self.model(program)]
        return float(_run(command, environment, Path(__file__).parent.parent.parent).output)

    def _sightline(self, library: Path, *arguments: str) -> Spent:
        script = str(Path(sys.executable).parent / "sightline")
        environment = {"SIGHTLINE_MODELS": str(self.base / "models"), "SIGHTLINE_LIBRARY": str(library)}
        return _run([script, *arguments], environment, self.base)

    def _rclip_index(self, folder: Path, data: Path) -> Indexed:
        data.mkdir()
        for part in (RCLIP_MODEL, Path("tokenizer")):
            (data / part).symlink_to(self.rclip / part, target_is_directory=True)
        command = [str(self.python), "-c", RCLIP_INDEX, str(folder)]
        spent = _run(command, {"RCLIP_DATADIR": str(data)}, folder)
        connection = sqlite3.connect(data / "db.sqlite3")
        (count,) = connection.execute("SELECT count(*) FROM images WHERE deleted IS NULL").fetchone()
        connection.close()
        return Indexed(spent, count, {})


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Spent:
    # Without this variable, both programs start from bytecode, as after an installation.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started, before = perf_counter(), _processor_seconds()
    done = subprocess.run(
        command, env={**inherited, **environment}, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return Spent(perf_counter() - started, _processor_seconds() - before, done.stdout)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
