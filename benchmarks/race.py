"""Sightline side by side with rclip: the same pictures, the same architecture, random weights, in turns.

    python -m benchmarks.race
    python -m benchmarks.race --int8
    python -m benchmarks.race --rclip ~/rclip-env/bin/python --json race.json

See benchmarks/README.md for what is measured.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.race_photos import write_race_photos

__all__ = ["Figures", "main"]

ARCHITECTURE = "ViT-B-32-256"
"""That of rclip 3."""
RCLIP = "rclip==3.3.0"
RCLIP_MODEL = Path("ViT-B-32-256-datacomp_s34b_b86k")
"""The subfolder of its data folder from which rclip 3 loads its model instead of downloading it."""
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
FORWARD_PICTURES = 96
SIGHTLINE, INT8, RIVAL = "sightline", "sightline int8", "rclip"
OPTIONS = {SIGHTLINE: "", INT8: "?precision=int8"}
"""What follows the name of the model."""


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

    def sightline(self, library: Path, *arguments: str) -> Spent:
        """Run Sightline."""
        script = str(Path(sys.executable).parent / "sightline")
        environment = {"SIGHTLINE_MODELS": str(self.base / "models"), "SIGHTLINE_LIBRARY": str(library)}
        return _run([script, *arguments], environment, self.base)

    def index(self, program: str, folder: Path, library: Path) -> Indexed:
        """Index a folder into a new library."""
        if program == RIVAL:
            return self._rclip_index(folder, library)
        model = f"{ARCHITECTURE}:{self.weights}{OPTIONS[program]}"
        spent = self.sightline(library, "index", str(folder), "--model", model, "--json")
        summary = json.loads(spent.output)
        return Indexed(spent, summary["new"], summary["timings"])

    def _rclip_index(self, folder: Path, data: Path) -> Indexed:
        data.mkdir()
        for part in (RCLIP_MODEL, Path("tokenizer")):
            (data / part).symlink_to(self.base / "rclip" / part, target_is_directory=True)
        command = [str(self.python), "-c", RCLIP_INDEX, str(folder)]
        spent = _run(command, {"RCLIP_DATADIR": str(data)}, folder)
        connection = sqlite3.connect(data / "db.sqlite3")
        (count,) = connection.execute("SELECT count(*) FROM images WHERE deleted IS NULL").fetchone()
        connection.close()
        return Indexed(spent, count, {})

    def search(self, program: str, folder: Path, library: Path) -> Spent:
        """Search for a text in a new process. Ends the race if nothing is found."""
        if program != RIVAL:
            spent = self.sightline(library, "search", QUERY)
        else:
            command = [str(self.python), "-m", "rclip", "--no-indexing", QUERY]
            spent = _run(command, {"RCLIP_DATADIR": str(library)}, folder)
        if ".jpg" not in spent.output:
            sys.exit(f"{program} found nothing:\n{spent.output}")
        return spent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race, and print a table."""
    options = _options(arguments)
    base = Path(tempfile.mkdtemp(prefix="sightline-race-"))
    try:
        course = Course(base, options.rclip or _install_rclip(base / "environment"))
        _write_models(course)
        sets = _write_pictures(base, options)
        conditions = _conditions(options, sets)
        figures, forward = _race(course, sets, options)
    finally:
        if options.keep:
            print(f"kept: {base}", file=sys.stderr)
        else:
            shutil.rmtree(base)
    _print(figures, forward, conditions)
    if options.json:
        rows = [{**vars(row), "median": row.median, "spread": row.spread} for row in figures]
        report = {"conditions": conditions, "forward_per_second": forward, "figures": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=int, default=120, metavar="N", help="JPEGs of 12 megapixels")
    parser.add_argument("--small", type=int, default=600, metavar="N", help="JPEGs of 640x480")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(SIGHTLINE, RIVAL), help="run one of the two programs")
    parser.add_argument("--int8", action="store_true", help="let Sightline take part with pictures in 8 bits, too")
    parser.add_argument("--rclip", type=Path, metavar="PYTHON", help="Python of an environment that has rclip 3")
    parser.add_argument("--keep", action="store_true", help="keep pictures, models and libraries")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    return parser.parse_args(arguments)


def _install_rclip(folder: Path) -> Path:
    """Install rclip in a new environment, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", RCLIP], check=True)
    return python


def _write_models(course: Course) -> None:
    """Write the same random weights for both: as a checkpoint of open_clip, and as the ONNX files of rclip."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(14)
    torch.backends.mha.set_fastpath_enabled(False)  # has no form in ONNX
    model = open_clip.create_model(ARCHITECTURE).eval()
    course.weights.parent.mkdir()
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, course.weights)
    folder, words = course.base / "rclip" / RCLIP_MODEL, course.base / "rclip" / "tokenizer"
    folder.mkdir(parents=True)
    words.mkdir()
    assert open_clip.__file__
    shutil.copy(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz", words)
    _export(model, "encode_image", torch.randn(2, 3, 256, 256), folder / "visual.onnx")
    _export(model, "encode_text", open_clip.get_tokenizer(ARCHITECTURE)(["a dog", "a cat"]), folder / "textual.onnx")


def _export(model: Any, method: str, example: Any, file: Path) -> None:
    import torch

    class Tower(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, values: Any) -> Any:
            return getattr(self.model, method)(values)

    names = {"input_names": ["input"], "output_names": ["output"]}
    axes = {"input": {0: "n"}, "output": {0: "n"}}
    torch.onnx.export(Tower().eval(), (example,), str(file), dynamo=False, opset_version=17, dynamic_axes=axes, **names)


def _write_pictures(base: Path, options: argparse.Namespace) -> dict[str, tuple[Path, int, int]]:
    """Return the folder, count and bytes of each set by name; sets without pictures are left out."""
    plans = {"12 megapixels": (options.photos, (4000, 3000), 8), "640x480": (options.small, (640, 480), 100)}
    return {
        name: (base / name, count, write_race_photos(base / name, count, size, masters))
        for name, (count, size, masters) in plans.items()
        if count
    }


def _race(
    course: Course, sets: Mapping[str, tuple[Path, int, int]], options: argparse.Namespace
) -> tuple[list[Figures], float]:
    """Return the figures, and the forward-only rate in pictures per second."""
    programs = [options.only] if options.only else [SIGHTLINE, RIVAL]
    if options.int8:
        programs.insert(1, INT8)
    write_race_photos(course.base / "warm-up", 8, (640, 480), 8)
    for program in programs:  # compiles and calibrates models, and fills the page cache
        folder, library = course.base / "warm-up", course.base / f"{program}-warm-up"
        course.index(program, folder, library)
        course.search(program, folder, library)
    rows: list[_Round] = []
    rates = []
    for turn in range(options.rounds):
        rates.append(_forward_rate(course))
        for name, (folder, count, _) in sets.items():
            for program in programs:
                library = course.base / f"{program}-{name}-{turn}"
                indexed = course.index(program, folder, library)
                if indexed.pictures != count:
                    sys.exit(f"{program} indexed {indexed.pictures} of {count} pictures")
                rows.append(_Round((f"index {name}", program, count), indexed.spent, indexed.stages))
                found = course.search(program, folder, library)
                rows.append(_Round((f"first search, {name}", program, 0), found, {}))
    return _figures(rows), statistics.median(rates)


class _Round(NamedTuple):
    key: tuple[str, str, int]
    """Measure, program and number of pictures."""
    spent: Spent
    stages: Mapping[str, float]


def _figures(rows: Sequence[_Round]) -> list[Figures]:
    """Gather the rounds of each measure and program, in the order of their first round."""
    result = []
    for key in dict.fromkeys(row.key for row in rows):
        rounds = [row for row in rows if row.key == key]
        stages = {name: statistics.median(row.stages.get(name, 0.0) for row in rounds) for name in rounds[0].stages}
        seconds = tuple(row.spent.seconds for row in rounds)
        result.append(Figures(*key, seconds, tuple(row.spent.processor for row in rounds), stages))
    return result


def _forward_rate(course: Course) -> float:
    """Return the pictures per second of Sightline's model alone, in a new process, with the pixels in memory."""
    script = "from benchmarks.race import print_forward_rate; print_forward_rate()"
    environment = {"SIGHTLINE_MODELS": str(course.base / "models"), "RACE_MODEL": f"{ARCHITECTURE}:{course.weights}"}
    return float(_run([sys.executable, "-c", script], environment, Path(__file__).parent.parent).output)


def print_forward_rate() -> None:
    """Embed pixels with the model in `RACE_MODEL`, and print pictures per second, after a first batch to load it."""
    from encoders import registry

    encoder = registry.load_for_indexing(os.environ["RACE_MODEL"], None)
    side = encoder.preprocess.size
    pixels = np.random.default_rng(14).integers(0, 256, (FORWARD_PICTURES, side, side, 3), np.uint8)
    encoder.encode_pixels(pixels[: encoder.batch_size])
    started = perf_counter()
    encoder.encode_pixels(pixels)
    print(FORWARD_PICTURES / (perf_counter() - started))


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


def _conditions(options: argparse.Namespace, sets: Mapping[str, tuple[Path, int, int]]) -> dict[str, Any]:
    return {
        "architecture": ARCHITECTURE,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "bytes_per_picture": {name: total // count for name, (_, count, total) in sets.items()},
    }


def _print(figures: Sequence[Figures], forward: float, conditions: Mapping[str, Any]) -> None:
    """Print the figures as a table if rich is installed, else as plain lines."""
    head = ("measure", "program", "median s", "spread s", "processor s", "pictures/s", "of forward only")
    cells = [
        (row.measure, row.program, f"{row.median:.2f}", f"{row.spread:.2f}", f"{statistics.median(row.processor):.2f}")
        + ((f"{row.rate:.1f}", f"{row.rate / forward:.0%}") if row.pictures else ("", ""))
        for row in figures
    ]
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    print(f"forward only: {forward:.1f} pictures/s")
    if importlib.util.find_spec("rich"):
        from rich.console import Console
        from rich.table import Table

        table = Table(*head)
        for line in cells:
            table.add_row(*line)
        Console().print(table)
    else:
        print("\n".join(" | ".join(line) for line in (head, *cells)))
    for row in figures:
        if row.stages:
            each = ", ".join(f"{name} {1000 * s / row.pictures:.2f}" for name, s in row.stages.items())
            print(f"{row.measure}, {row.program}, ms per picture: {each}")


if __name__ == "__main__":
    main()
