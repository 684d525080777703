"""The installed console script, run as users run it: in processes of their own, on a library of their own."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from encoders.fake import FakeEncoder
from indexer.pipeline import IndexSettings, index
from search import Searcher, SearchOptions
from store import Library
from store.check import verify

__all__ = ["SCRIPT", "Cli", "finish", "write_photos"]

SCRIPT = Path(sys.executable).parent / "sightline"
TIMEOUT_SECONDS = 120
"""Time after which a process counts as hung."""

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
"""Runs the command line until it calls a function for the nth time. Then it is killed (SIGKILL: nothing is cleaned up),
or it waits until a file, the gate, exists."""


@dataclass(frozen=True)
class Cli:
    """`sightline` on one library."""

    library: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *args: str | bytes | Path) -> subprocess.Popen[bytes]:
        """Start the script in a new process group, without waiting for it."""
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
        """Run the script. It must exit with `code` and without a traceback."""
        return finish(self.start(*args), code)

    def lines(self, *args: str | bytes | Path, code: int = 0) -> list[dict[str, Any]]:
        """Return what the script prints as JSON Lines."""
        return [json.loads(line) for line in self(*args, "--json", code=code).stdout.splitlines()]

    def index(self, *args: str | bytes | Path) -> dict[str, Any]:
        """Return the summary of an index run with the model `fake`, without counts of zero."""
        (summary,) = self.lines("index", *args, *(() if b"--model" in map(_bytes, args) else ("--model", "fake")))
        assert summary.pop("seconds") >= 0
        assert set(summary.pop("timings")) >= {"scan", "publish"}
        return {name: value for name, value in summary.items() if value}

    def index_in_process(self, folder: Path, *, accept_missing: bool = False) -> dict[str, Any]:
        """Do what `index` does in this process, which is faster, to prepare a test."""
        with Library.open(self.library, create=True) as opened:
            summary = index(opened, [folder], FakeEncoder(), IndexSettings(accept_missing=accept_missing))
        kept = asdict(replace(summary, seconds=0, timings={}))
        return {name: value for name, value in kept.items() if value}

    def status(self) -> dict[str, Any]:
        (facts,) = self.lines("status")
        return facts

    def killed_at(self, function: str, nth: int, *args: str | Path) -> None:
        """Run the script and kill it when it calls `module:function` for the `nth` time."""
        process = self._start_until(function, nth, "", *args)
        _, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == -signal.SIGKILL, err.decode()

    def held_at(self, function: str, nth: int, gate: Path, *args: str | Path) -> subprocess.Popen[bytes]:
        """Start the script, which waits for the file `gate` when it calls `module:function` for the `nth` time."""
        return self._start_until(function, nth, gate, *args)

    def _start_until(self, function: str, nth: int, gate: str | Path, *args: str | Path) -> subprocess.Popen[bytes]:
        module, _, attribute = function.partition(":")
        return self._start(
            sys.executable, "-c", STOP_AT, module, attribute, str(nth), gate, "--library", self.library, *args
        )

    def query(self, sql: str) -> list[Any]:
        """Query the catalogue without any of Sightline's code."""
        with closing(sqlite3.connect(self.library / "catalog.sqlite", timeout=60)) as connection:
            return connection.execute(sql).fetchall()

    def vectors(self) -> dict[bytes, bytes]:
        """Return every vector in the catalogue by the digest of its picture."""
        return dict(self.query("SELECT digest, vector FROM embeddings JOIN contents ON contents.id = content_id"))

    def embedded(self) -> int:
        """Return the number of vectors in the catalogue, or 0 before it exists."""
        try:
            return int(self.query("SELECT count(*) FROM embeddings")[0][0])
        except sqlite3.OperationalError:
            return 0

    def is_intact(self) -> bool:
        """Return whether `sightline verify` would find nothing; in this process, which is faster."""
        with Library.open(self.library) as opened:
            return not verify(opened)

    def find(self, words: str) -> list[Path]:
        """Return what `sightline search --expand` finds; in this process, which is faster."""
        with Library.open(self.library) as opened:
            return [
                hit.path for hit in Searcher(opened).search(words, SearchOptions(k=1000, collapse_duplicates=False))
            ]

    def index_files(self) -> list[Path]:
        return sorted((self.library / "indexes").iterdir())


def finish(process: subprocess.Popen[bytes], code: int = 0) -> subprocess.CompletedProcess[bytes]:
    out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert b"Traceback" not in err, err.decode()
    assert process.returncode == code, (out + err).decode(errors="replace")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _bytes(value: str | bytes | Path) -> bytes:
    return os.fsencode(value)


def write_photos(folder: Path, count: int) -> Path:
    """Write `count` JPEG files with different bytes. Each takes some milliseconds to decode."""
    rng = np.random.default_rng(7)
    masters = []
    for _ in range(20):
        coarse = Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)).resize((640, 480))
        noise = rng.normal(0, 20, (480, 640, 1))
        buffer = io.BytesIO()
        Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=80)
        masters.append(buffer.getvalue())
    for number in range(count):
        # Bytes after the end of a JPEG change its digest but not its pixels.
        (folder / f"{number:04d}.jpg").write_bytes(masters[number % len(masters)] + b"%d" % number)
    return folder
