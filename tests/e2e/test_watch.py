"""`sightline watch` and `sightline serve --watch` as processes, with notifications of the system."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Cli

Paint = Callable[..., list[Path]]
PATIENCE_SECONDS = 90


@pytest.fixture
def photos(cli: Cli, tmp_path: Path, paint: Paint) -> Path:
    """A folder with one picture, which is in the library, with the model `fake`."""
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    return tmp_path / "photos"


def next_run(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the counts of the next run that changed something."""
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return {name: found[name] for name in ("new", "missing", "moved", "changed") if found[name]}


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> bytes:
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err.decode()
    return err


def test_watcher_indexes_what_changes_and_ends_at_a_signal(cli: Cli, photos: Path, paint: Paint) -> None:
    process = cli.start("watch", "--settle", "0.2", "--json")
    assert process.stderr is not None
    assert process.stderr.readline() == b"sightline: watching %s\n" % os.fsencode(photos)
    paint(photos / "holiday", blue="blue", green="green")
    assert next_run(process) == {"new": 2}
    (photos / "holiday").rename(photos / "rome")
    assert next_run(process) == {"moved": 2}
    (photos / "rome" / "blue.png").unlink()
    assert next_run(process) == {"missing": 1}
    assert stop(process, signal.SIGTERM) == b""


def test_two_watchers_and_a_run_in_a_terminal_get_along(cli: Cli, photos: Path, paint: Paint) -> None:
    watchers = [cli.start("watch", photos, "--settle", "0.2", "--json") for _ in range(2)]
    for process in watchers:
        assert process.stderr is not None
        process.stderr.readline()
    paint(photos / "many", **{f"blue{level}": f"rgb({level},0,255)" for level in range(40)})
    cli("index", photos)
    paint(photos / "more", white="white")
    cli("index", photos)
    assert cli.query("SELECT count(*) FROM pictures WHERE state = 'present'") == [(42,)]
    for process in watchers:
        stop(process, signal.SIGINT)
    assert cli("verify").returncode == 0


def test_polled_folder_is_scanned_again(cli: Cli, photos: Path, paint: Paint) -> None:
    process = cli.start("watch", photos, "--poll", "1", "--settle", "0.1", "--json")
    assert process.stderr is not None
    assert process.stderr.readline() == b"sightline: scanning %s every 1 seconds\n" % os.fsencode(photos)
    paint(photos, blue="blue")
    assert next_run(process) == {"new": 1}
    stop(process, signal.SIGINT)


def test_missing_folder_is_an_error(cli: Cli, tmp_path: Path) -> None:
    assert b"There is no folder" in cli("watch", tmp_path / "nowhere", code=2).stderr
    assert not cli.library.exists()


def test_library_is_required_without_a_folder(cli: Cli) -> None:
    assert b"There is no library" in cli("watch", code=2).stderr
