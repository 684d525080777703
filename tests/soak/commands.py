"""Commands as processes that are killed at a random instant.

Most of the time of a short command is spent on imports, where nothing can go wrong. So most processes are forked from
one that has imported everything; the others are the installed console script.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from time import monotonic

__all__ = ["Ended", "Processes"]

SCRIPT = Path(sys.executable).parent / "sightline"
SHARE_OF_SCRIPTS = 0.15
START_SECONDS = 0.5
"""What the installed script needs to import its modules; it is killed during that time too."""
PATIENCE_SECONDS = 300.0
FIRST_GUESS_SECONDS = 0.3
MODULES = [
    "cli.main",
    "cli.indexing",
    "cli.tagging",
    "cli.rating",
    "cli.albums_by_hand",
    "cli.albums",
    "cli.verdicts",
    "cli.backups",
    "cli.moving",
    "cli.exchange",
    "cli.maintenance",
    "cli.model_spaces",
    "cli.status",
    "cli.watching",
    "cli.snapshots",
    "indexer.filling",
    "faiss",
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
    "search.searcher",
    "store.check",
    "PIL.PngImagePlugin",
    "encoders.fake",
    "watchfiles",
]


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    killed: bool
    code: int
    err: str
    seconds: float


@dataclass
class Processes:
    """Starts commands on one library, and kills them at an instant that is uniform over the time they need."""

    chance: Random
    folder: Path
    """For the output of the processes."""
    usual: dict[str, float] = field(default_factory=dict)
    """Seconds that each verb needs, as far as is known."""
    guesses: dict[str, float] = field(default_factory=dict)
    """The same for verbs that were killed each time."""

    def __post_init__(self) -> None:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # a process with threads cannot be forked safely
            os.environ[name] = "1"
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, *MODULES])

    def killed(self, library: Path, *args: object, seconds: float | None = None) -> Ended:
        """Run a command, and kill it after `seconds`, or else at some instant, unless it ends before."""
        if seconds is not None:
            return self._run(library, args, seconds)
        name = str(args[0])
        is_known = name in self.usual
        usual = self.usual.get(name, self.guesses.get(name, FIRST_GUESS_SECONDS))
        ended = self._run(library, args, self.chance.uniform(0, 1.1 * usual))
        if not ended.killed:
            self.usual[name] = (usual + ended.seconds) / 2 if is_known else ended.seconds
        elif is_known:
            self.usual[name] = usual * 1.03  # or it would never end again on a machine that has become slower
        else:
            self.guesses[name] = usual * 1.5
        return ended

    def finished(self, library: Path, *args: object) -> Ended:
        """Run a command to its end."""
        return self._run(library, args, PATIENCE_SECONDS)

    def _run(self, library: Path, args: tuple[object, ...], seconds: float) -> Ended:
        words = ["--library", str(library), *map(str, args)]
        output = self.folder / "output"
        if self.chance.random() < SHARE_OF_SCRIPTS:
            return _run_script(words, output, seconds + self.chance.uniform(0, START_SECONDS))
        process = self._context.Process(target=run_command, args=(words, str(output)))
        began = monotonic()
        process.start()
        process.join(seconds)
        killed = process.exitcode is None
        if killed:
            process.kill()
        process.join()
        code = process.exitcode or 0
        process.close()
        return Ended(killed and code == -signal.SIGKILL, code, output.read_text(), monotonic() - began)


def _run_script(words: list[str], output: Path, seconds: float) -> Ended:
    began = monotonic()
    with output.open("wb") as file, subprocess.Popen([SCRIPT, *words], stdout=file, stderr=file) as process:
        try:
            process.wait(seconds)
            killed = False
        except subprocess.TimeoutExpired:
            process.kill()
            killed = process.wait() == -signal.SIGKILL
    taken = monotonic() - began
    return Ended(killed, process.returncode, output.read_text(), max(taken - START_SECONDS, 0.01))


def run_command(words: list[str], output: str) -> None:
    """Run the command line in this process, which was forked for it."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = ["sightline", *words]
    from cli.main import main

    main()
