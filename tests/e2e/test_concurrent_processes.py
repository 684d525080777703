"""Several processes on one library, and Ctrl-C."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import Cli

Paint = Callable[..., list[Path]]
Done = Callable[..., subprocess.CompletedProcess[bytes]]

COUNT = "SELECT count(*), count(DISTINCT relpath), count(DISTINCT content_id) FROM pictures WHERE state = 'present'"


def test_two_index_runs_of_one_folder_create_one_library(cli: Cli, photo_folder: Path, done: Done) -> None:
    both = [cli.start("index", photo_folder, "--model", "fake") for _ in range(2)]
    errors = b"".join(done(process).stderr for process in both)
    assert set(errors.splitlines()) <= {
        b"Another sightline process is changing this library; waiting for it to finish.",
        b"sightline: another run is indexing %b; this one begins when that has finished" % bytes(photo_folder),
    }
    assert cli.query(COUNT) == [(400, 400, 400)]
    assert cli.is_intact()


def test_second_index_run_of_a_folder_says_what_it_waits_for(
    cli: Cli, tmp_path: Path, photo_folder: Path, done: Done
) -> None:
    gate = tmp_path / "go on"
    first = cli.held_at("indexer.batching:embed", 3, gate, "index", photo_folder, "--model", "fake")
    while first.poll() is None and not cli.embedded():
        time.sleep(0.005)
    second = cli.start("index", photo_folder, "--json")
    assert second.stderr is not None
    assert b"another run is indexing %b; this one begins" % bytes(photo_folder) in second.stderr.readline()
    gate.touch()
    done(first)
    assert json.loads(done(second).stdout)["unchanged"] == 400


def test_two_index_runs_of_two_folders(cli: Cli, tmp_path: Path, paint: Paint, done: Done) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, shade in zip(folders, (0, 128), strict=True):
        paint(folder, **{f"{folder.name}{level}": f"rgb({level},{shade},255)" for level in range(40)})
    both = [cli.start("index", folder, "--model", "fake") for folder in folders]
    for process in both:
        done(process)
    assert cli.query(COUNT) == [(80, 80, 80)]
    assert cli.is_intact()


def test_search_during_an_index_run(cli: Cli, tmp_path: Path, photo_folder: Path, paint: Paint, done: Done) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    gate = tmp_path / "go on"
    writer = cli.held_at("indexer.batching:embed", 3, gate, "index", photo_folder)
    while writer.poll() is None and cli.embedded() == 1:
        time.sleep(0.005)
    counts = [1, len(cli.find("red"))]
    assert 1 < counts[-1] < 401, "no read happened during the run"
    gate.touch()
    while writer.poll() is None:
        reader = cli.start("status", "--json")
        found = cli.lines("search", "red", "-k", "1000")
        assert all(Path(hit["path"]).is_file() for hit in found)
        assert found[0]["path"] == str(tmp_path / "photos" / "red.png")
        done(reader)
        counts += [len(cli.find("red")) for _ in range(5)]
    done(writer)
    counts.append(len(cli.find("red")))
    assert counts == sorted(counts)
    assert counts[-1] == 401


def test_ctrl_c_stops_within_a_batch_without_data_loss(
    cli: Cli, tmp_path: Path, photo_folder: Path, done: Done
) -> None:
    process = cli.held_at("indexer.batching:embed", 3, tmp_path / "never", "index", photo_folder, "--model", "fake")
    while process.poll() is None and cli.embedded() == 0:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGINT)
    stopped = done(process, 130)
    assert stopped.stderr.strip() == b"Stopped. Finished work is saved; run the same command again to continue."
    settled = cli.embedded()
    assert 0 < settled < 400
    assert len(cli.find("red")) == settled
    assert cli.index_in_process(photo_folder) == {"new": 400 - settled, "embedded": 400 - settled, "unchanged": settled}
