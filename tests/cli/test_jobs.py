"""`sightline jobs`: the queue from the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import Library
from store.jobs import JobState, claim_next, find_job

Run = Callable[..., Any]


@pytest.fixture
def queue(indexed: Library, sightline: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `sightline jobs` on a library of four plain colours."""
    return lambda *arguments: sightline("--library", indexed.path, "jobs", *arguments)


def test_job_is_added_and_run(queue: Run, album: Path, paint: Callable[..., Path]) -> None:
    assert (queue("list").code, queue("list").text) == (1, "")
    paint(album / "new.png", "cyan")
    added = queue("add", "index", str(album), "--json")
    assert added.record["parameters"] == {"folders": [str(album)]}
    assert "no process runs these jobs now" in added.err
    listed = queue("list", "--json").record
    assert (listed["state"], listed["priority"]) == ("queued", "normal")
    done = queue("run", "--json")
    assert (done.code, done.record["state"], done.record["summary"]["new"]) == (0, "done", 1)
    assert queue("list").lines == [f"1  done  index {album}"]


def test_folders_are_relative_to_the_working_directory(
    queue: Run, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album.parent)
    assert queue("add", "index", album.name, "--json").record["parameters"] == {"folders": [str(album)]}


def test_job_for_a_folder_that_does_not_exist_is_refused_at_once(queue: Run, album: Path, tmp_path: Path) -> None:
    refused = queue("add", "index", str(album), str(tmp_path / "nowhere"))
    assert (refused.code, refused.err) == (2, f"sightline: There is no folder {tmp_path / 'nowhere'}.\n")
    assert "gs:// is not supported" in queue("add", "index", "gs://bucket/photos").err
    assert "not one of the folders" in queue("add", "forget", str(album.parent)).err
    assert queue("list").text == ""


def test_job_for_a_folder_that_is_away_is_queued(queue: Run, album: Path) -> None:
    album.rename(album.with_name("unmounted"))
    assert queue("add", "index", str(album)).lines == [f"1  queued  index {album}"]
    assert queue("add", "forget", str(album)).lines == [f"2  queued  forget {album}"]


def test_refused_job_creates_no_library(sightline: Run, tmp_path: Path) -> None:
    for kind in ("index", "forget"):
        refused = sightline("--library", tmp_path / "new", "jobs", "add", kind, str(tmp_path / "nowhere"))
        assert (refused.code, str(tmp_path / "nowhere") in refused.err) == (2, True)
    assert not (tmp_path / "new").exists()


def test_jobs_are_paused_resumed_cancelled_and_tried_again(queue: Run) -> None:
    queue("add", "duplicates")
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled"), ("retry", "queued")):
        assert queue(verb, "1").lines == [f"1  {state}  duplicates"]
    refused = queue("cancel", "7")
    assert (refused.code, refused.err) == (2, "sightline: There is no job 7.\n")
    assert queue("run").lines == ["1  done  duplicates"]
    assert queue("pause", "1").code == 2


def test_running_job_shows_what_it_has_been_asked(queue: Run, indexed: Library) -> None:
    queue("add", "duplicates")
    assert claim_next(indexed) is not None
    assert queue("list").lines == ["1  starting  duplicates"]
    assert queue("cancel", "1").lines == ["1  being cancelled  duplicates"]
    assert queue("run").lines == ["1  cancelled  duplicates"]  # the process that ran it has ended


def test_failed_job_says_what_can_be_done(queue: Run, album: Path) -> None:
    for picture in album.rglob("*.png"):
        picture.unlink()
    queue("add", "index")
    failed = queue("run")
    assert failed.code == 2
    assert failed.lines[0] == "1  failed  index"
    assert "--accept-missing" in failed.text


def test_queue_that_is_run_elsewhere_is_left_alone(queue: Run, indexed: Library) -> None:
    queue("add", "duplicates")
    with indexed.job_lock_if_free() as is_held:
        assert is_held
        assert queue("list").err == ""
        refused = queue("run")
    assert (refused.code, refused.text) == (2, "")
    assert "another process runs the jobs" in refused.err
    assert find_job(indexed, 1).state is JobState.QUEUED


@pytest.mark.parametrize(
    "arguments",
    [("sing",), ("space",), ("space", "--model", "nonsense"), ("duplicates", "/photos"), ("index", "--model", "mini")],
)
def test_wrong_jobs_are_refused(queue: Run, arguments: tuple[str, ...]) -> None:
    assert queue("add", *arguments).code == 2
    assert queue("list").text == ""
