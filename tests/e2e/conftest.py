"""The installed console script, run as people run it: as a process of its own, on a library of its own."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer.pipeline import IndexSettings, index
from search import Searcher
from store import Library
from store.check import verify

SCRIPT = Path(sys.executable).parent / "sightline"
PATIENCE = 120
"""Seconds after which a process counts as hung."""

STOP_AT = """
import os, signal, sys, time
from importlib import import_module
name, attribute, nth, gate = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
sys.argv = ["sightline", *sys.argv[5:]]
module = import_module(name)
original = getattr(module, attribute)
calls = 0
def stopping(*args, **kwargs):
    global calls
    calls += 1
    if calls == nth and not gate:
        os.kill(os.getpid(), signal.SIGKILL)
    while calls == nth and not os.path.exists(gate):
        time.sleep(0.01)
    return original(*args, **kwargs)
setattr(module, attribute, stopping)
from cli.main import main
main()
"""
"""Runs the command line up to where it calls a function for the nth time. There it is killed (SIGKILL: nothing is
tidied up), or it waits for a file, the gate, to be there."""


@dataclass(frozen=True)
class Cli:
    """`sightline` on one library."""

    library: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *args: str | bytes | Path) -> subprocess.Popen[bytes]:
        """Starts the script in a process group of its own, without waiting for it."""
        return self._start(SCRIPT, "--library", self.library, *args)

    def _start(self, *command: str | bytes | Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def __call__(self, *args: str | bytes | Path, code: int = 0) -> subprocess.CompletedProcess[bytes]:
        """Runs the script to its end, which must be the exit code `code`, without a traceback."""
        return finish(self.start(*args), code)

    def lines(self, *args: str | bytes | Path, code: int = 0) -> list[dict[str, Any]]:
        """What the script prints as JSON Lines."""
        return [json.loads(line) for line in self(*args, "--json", code=code).stdout.splitlines()]

    def index(self, *args: str | bytes | Path) -> dict[str, Any]:
        """The summary of an index run with the model `fake`, counts that are zero left out."""
        (summary,) = self.lines("index", *args, *(() if b"--model" in map(_bytes, args) else ("--model", "fake")))
        assert summary.pop("seconds") >= 0
        assert set(summary.pop("timings")) >= {"scan", "publish"}
        return {name: value for name, value in summary.items() if value}

    def take(self, folder: Path, *, accept_missing: bool = False) -> dict[str, Any]:
        """What `index` does, done here, where it only sets the scene."""
        with Library.open(self.library, create=True) as opened:
            summary = index(opened, [folder], FakeEncoder(), IndexSettings(accept_missing=accept_missing))
        kept = asdict(replace(summary, seconds=0, timings={}))
        return {name: value for name, value in kept.items() if value}

    def status(self) -> dict[str, Any]:
        (facts,) = self.lines("status")
        return facts

    def killed_at(self, function: str, nth: int, *args: str | Path) -> None:
        """Runs the script and kills it as it calls `module:function` for the `nth` time."""
        process = self._start_until(function, nth, "", *args)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL, err.decode()

    def held_at(self, function: str, nth: int, gate: Path, *args: str | Path) -> subprocess.Popen[bytes]:
        """Starts the script, which waits for `gate` to be there as it calls `module:function` for the `nth` time."""
        return self._start_until(function, nth, gate, *args)

    def _start_until(self, function: str, nth: int, gate: str | Path, *args: str | Path) -> subprocess.Popen[bytes]:
        module, _, attribute = function.partition(":")
        return self._start(
            sys.executable, "-c", STOP_AT, module, attribute, str(nth), gate, "--library", self.library, *args
        )

    def ask(self, sql: str) -> list[Any]:
        """Asks the catalogue, past all of Sightline's own code."""
        with closing(sqlite3.connect(self.library / "catalog.sqlite", timeout=60)) as connection:
            return connection.execute(sql).fetchall()

    def vectors(self) -> dict[bytes, bytes]:
        """Every vector in the catalogue, by the digest of its picture."""
        return dict(self.ask("SELECT digest, vector FROM embeddings JOIN contents ON contents.id = content_id"))

    def embedded(self) -> int:
        """How many vectors the catalogue holds; 0 before there is one."""
        try:
            return int(self.ask("SELECT count(*) FROM embeddings")[0][0])
        except sqlite3.OperationalError:
            return 0

    def is_whole(self) -> bool:
        """What `sightline verify` says, asked here: starting a process takes longer than the check."""
        with Library.open(self.library) as opened:
            return not verify(opened)

    def find(self, words: str) -> list[Path]:
        """What `sightline search --expand` finds, asked here."""
        with Library.open(self.library) as opened:
            return [hit.path for hit in Searcher(opened).search(words, k=1000, fold=False)]

    def index_files(self) -> list[Path]:
        return sorted((self.library / "indexes").iterdir())


def finish(process: subprocess.Popen[bytes], code: int = 0) -> subprocess.CompletedProcess[bytes]:
    out, err = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err, err.decode()
    assert process.returncode == code, (out + err).decode(errors="replace")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _bytes(value: str | bytes | Path) -> bytes:
    return os.fsencode(value)


@pytest.fixture
def new_cli(tmp_path: Path) -> Iterator[Callable[[str], Cli]]:
    """The script on a library of the given name; what still runs at the end of the test is killed."""
    made: list[Cli] = []

    def new(name: str) -> Cli:
        made.append(Cli(tmp_path / name))
        return made[-1]

    yield new
    for process in (process for cli in made for process in cli.started):
        with process:  # closes its pipes, whatever became of the test
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def cli(new_cli: Callable[[str], Cli]) -> Cli:
    return new_cli("library")


@pytest.fixture
def done() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Waits for a started script, which must end with the given exit code."""
    return finish


@pytest.fixture
def paint() -> Callable[..., list[Path]]:
    """Writes pictures of plain colours: `paint(folder, red="red", sea="blue")` makes red.png and sea.png."""

    def painter(folder: Path, **colours: str) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.png" for name in colours]
        for path, colour in zip(paths, colours.values(), strict=True):
            Image.new("RGB", (60, 40), colour).save(path)
        return paths

    return painter


@pytest.fixture(scope="session")
def heap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 files, no two of the same bytes, that take some milliseconds each to decode. Not to be changed."""
    return make_heap(tmp_path_factory.mktemp("heap"), 400)


@pytest.fixture(scope="session")
def big_heap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,600 such files."""
    return make_heap(tmp_path_factory.mktemp("big-heap"), 1600)


def make_heap(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(7)
    masters = []
    for _ in range(20):
        coarse = Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)).resize((960, 720))
        noise = rng.normal(0, 20, (720, 960, 1))
        buffer = io.BytesIO()
        Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=80)
        masters.append(buffer.getvalue())
    for number in range(count):
        # Bytes after the end of a JPEG change its digest and not its pixels.
        (folder / f"{number:04d}.jpg").write_bytes(masters[number % len(masters)] + b"%d" % number)
    return folder
