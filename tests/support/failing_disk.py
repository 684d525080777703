"""Commands on a disk that fails at a chosen call, through a shim that is compiled and loaded with LD_PRELOAD.

The commands are forked from one process that has imported everything, so that a test can let each call fail in turn.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self

import pytest

from tests.support.tools import NOT_RUN

__all__ = ["FailingDisk", "Failure", "Kind", "Outcome"]

SOURCE = Path(__file__).with_name("failing_disk.c")

FORKER = """
import ctypes, json, os, sys
import alembic.command, faiss, watchfiles
import cli.main, cli.albums_by_hand, cli.backups, cli.indexing, cli.rating, cli.snapshots, cli.tagging
import encoders.fake, search.searcher, sqlalchemy.dialects.sqlite, store.check
from PIL import PngImagePlugin
shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
while line := sys.stdin.readline():
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        answer = os.dup(1)
        output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1), os.dup2(output, 2)
        sys.argv = ["sightline", *job["words"]]
        failure = job["failure"]
        shim.fail_at(os.fsencode(job["below"]), failure["kind"], failure["nth"], failure["error"], failure["rest"])
        code = 0
        try:
            cli.main.main()
        except SystemExit as exc:
            code = exc.code or 0
        calls = shim.fail_count()
        shim.fail_at(b"", 0, 0, 0, 0)
        sys.stdout and sys.stdout.flush()
        sys.stderr and sys.stderr.flush()
        os.write(answer, b"%d %d\\n" % (code, calls))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        print("-1 0", flush=True)
"""


class Kind(IntEnum):
    """A kind of call, as the shim numbers them."""

    NONE = 0
    OPEN = 1
    WRITE = 2
    SYNC = 3
    RENAME = 4


@dataclass(frozen=True)
class Failure:
    """The `nth` call of a kind fails; with `rest`, so do all later ones."""

    kind: Kind = Kind.NONE
    nth: int = 0
    error: int = errno.EIO
    rest: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    calls: int
    """Number of calls of the kind that there were."""
    output: str


class FailingDisk:
    """Runs commands; calls for files below a folder fail as they are told to."""

    def __init__(self, place: Path) -> None:
        self._output = place / "output"
        environment = {**os.environ, "LD_PRELOAD": str(_compiled(place)), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment | {"OPENBLAS_NUM_THREADS": "1"},  # a process with threads cannot be forked safely
        )

    @classmethod
    @contextmanager
    def started(cls, place: Path) -> Iterator[Self]:
        """Yield a disk whose process ends with the block. Files are written to `place`."""
        disk = cls(place)
        with disk._process:
            yield disk
            assert disk._process.stdin is not None
            disk._process.stdin.close()

    def run(self, folder: Path, failure: Failure, *words: object) -> Outcome:
        """Run `sightline` with these words to its end; calls for files below `folder` fail."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"words": [str(word) for word in words], "below": str(folder), "output": str(self._output)}
        self._process.stdin.write(json.dumps(job | {"failure": asdict(failure)}) + "\n")
        self._process.stdin.flush()
        code, calls = map(int, self._process.stdout.readline().split())
        return Outcome(code, calls, self._output.read_text(encoding="utf-8", errors="replace"))


def _compiled(place: Path) -> Path:
    """Compile the shim; skip the test where that is not possible."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip(f"{NOT_RUN} a C compiler, `cc`, on Linux")
    library = place / "failing_disk.so"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-U_FORTIFY_SOURCE"]
    subprocess.run([compiler, *options, "-o", library, SOURCE, "-ldl"], check=True)
    return library
