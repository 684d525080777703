"""Run the race, and print a table."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import benchmarks.race
from benchmarks.race.models import ARCHITECTURE, write_models
from benchmarks.race.photos import write_race_photos
from benchmarks.race.programs import INT8, RIVAL, SIGHTLINE, Course
from benchmarks.race.rounds import PictureSet, run_rounds
from benchmarks.race.tables import print_figures

__all__ = ["main"]

RCLIP = "rclip==3.3.0"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the race, and print a table."""
    options = _options(arguments)
    base = Path(tempfile.mkdtemp(prefix="sightline-race-"))
    try:
        course = Course(base, _rclip_python(options, base))
        write_models(course.weights, course.rclip)
        sets = _write_pictures(base, options)
        conditions = _conditions(options, sets)
        figures, forward = run_rounds(course, _programs(options), sets, options.rounds)
    finally:
        if options.keep:
            print(f"kept: {base}", file=sys.stderr)
        else:
            shutil.rmtree(base)
    print_figures(figures, forward, conditions)
    if options.json:
        rows = [{**vars(row), "median": row.median, "spread": row.spread} for row in figures]
        report = {"conditions": conditions, "forward_per_second": forward, "figures": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    title = (benchmarks.race.__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=title)
    parser.add_argument("--photos", type=int, default=120, metavar="N", help="JPEGs of 12 megapixels")
    parser.add_argument("--small", type=int, default=600, metavar="N", help="JPEGs of 640x480")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(SIGHTLINE, RIVAL), help="run one of the two programs")
    parser.add_argument("--int8", action="store_true", help="let Sightline take part with pictures in 8 bits, too")
    parser.add_argument("--rclip", type=Path, metavar="PYTHON", help="Python of an environment that has rclip 3")
    parser.add_argument("--keep", action="store_true", help="keep pictures, models and libraries")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    options = parser.parse_args(arguments)
    if options.int8 and options.only == RIVAL:
        parser.error(f"--int8 adds Sightline in 8 bits, which --only {RIVAL} leaves out")
    return options


def _programs(options: argparse.Namespace) -> list[str]:
    programs = [options.only] if options.only else [SIGHTLINE, RIVAL]
    if options.int8:
        programs.insert(1, INT8)
    return programs


def _rclip_python(options: argparse.Namespace, base: Path) -> Path:
    """Return the Python of rclip, after installing it if it takes part and none was named."""
    if options.only == SIGHTLINE:
        return Path(sys.executable)  # it is not started
    return options.rclip.absolute() if options.rclip else _install_rclip(base / "environment")


def _install_rclip(folder: Path) -> Path:
    """Install rclip in a new environment, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", RCLIP], check=True)
    return python


def _write_pictures(base: Path, options: argparse.Namespace) -> dict[str, PictureSet]:
    """Return each set by name; sets without pictures are left out."""
    plans = {"12 megapixels": (options.photos, (4000, 3000), 8), "640x480": (options.small, (640, 480), 100)}
    return {
        name: PictureSet(base / name, count, write_race_photos(base / name, count, size, masters))
        for name, (count, size, masters) in plans.items()
        if count
    }


def _conditions(options: argparse.Namespace, sets: Mapping[str, PictureSet]) -> dict[str, Any]:
    return {
        "architecture": ARCHITECTURE,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "bytes_per_picture": {name: pictures.bytes // pictures.count for name, pictures in sets.items()},
    }


if __name__ == "__main__":
    main()
