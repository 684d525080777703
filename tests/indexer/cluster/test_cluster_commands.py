"""`sightline index --ray auto` as a process: when it is killed, when it is stopped, and what it leaves behind."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.processes import Cli, write_photos
from tests.support.tools import miss

pytestmark = [pytest.mark.servers, pytest.mark.processes]

DEADLINE_SECONDS = 120
PHOTOS = 160


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and no interruption of the run by a process that is slow to start."""
    if find_spec("ray") is None:
        miss("ray", "the package is not installed")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return write_photos(tmp_path / "photos", PHOTOS)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "library")


def processes_of_ray(library: Path) -> list[int]:
    """Return the processes that Ray has started for a run on this library. They inherit a variable that names it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(f"SIGHTLINE_LIBRARY={library}") in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def wait_until_gone(library: Path) -> None:
    limit = time.monotonic() + DEADLINE_SECONDS
    while left := processes_of_ray(library):
        assert time.monotonic() < limit, f"processes are left: {left}"
        time.sleep(0.05)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for what Ray writes. Its path is short, because those of the sockets in it may not be long."""
    with TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def test_killed_run_continues_and_leaves_no_process(
    cli: Cli, home: Path, temporary: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(cli.library))
    cli.killed_at("indexer.cluster.runner:seconds_of", 3, "index", photos, "--model", "fake", "--ray", "auto")
    wait_until_gone(cli.library)
    assert len(list(temporary.iterdir())) == 1  # a killed process cannot delete its folder
    embedded = cli.embedded()
    assert embedded == 2 * 32
    done = cli("index", photos, "--ray", "auto")
    assert f"{PHOTOS} pictures in ".encode() in done.stdout
    assert f": {PHOTOS - embedded} new, {embedded} unchanged".encode() in done.stdout
    assert done.stderr == b""
    assert (cli.query("SELECT count(*), count(DISTINCT relpath) FROM pictures")) == [(PHOTOS, PHOTOS)]
    assert cli.is_intact()
    with Library.open(tmp_path / "expected", create=True) as expected:
        index(expected, [photos], FakeEncoder())
    assert cli.vectors() == Cli(tmp_path / "expected").vectors()
    wait_until_gone(cli.library)
    assert list(temporary.iterdir()) == []  # the second run has deleted that of the first
    assert list(home.rglob("*ray*")) == []


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_ends_at_once_and_leaves_nothing(
    cli: Cli,
    home: Path,
    temporary: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: signal.Signals,
    code: int,
) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(cli.library))
    arguments = ("index", photos, "--model", "fake", "--ray", "auto")
    process = cli.held_at("indexer.cluster.runner:seconds_of", 3, tmp_path / "never", *arguments)
    limit = time.monotonic() + DEADLINE_SECONDS
    while cli.embedded() < 2 * 32:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(process.pid, kind)  # as a terminal does
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert b"received" not in err  # Ray prints where a signal has arrived
    wait_until_gone(cli.library)
    assert list(temporary.iterdir()) == []
    assert cli.is_intact()
