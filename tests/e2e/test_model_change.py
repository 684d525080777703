"""Changing the model of a library during searches, index runs and kills: results never mix spaces, nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import Event

import pytest

from encoders.mini.encoder import MiniEncoder
from indexer import fill
from search import Searcher
from store import Library
from tests.support.processes import SCRIPT, Cli

Done = Callable[..., subprocess.CompletedProcess[bytes]]
NewCli = Callable[[str], Cli]
Paint = Callable[..., list[Path]]
Answer = tuple[tuple[Path, float], ...]

IN_MINI = "SELECT count(*) FROM embeddings JOIN spaces ON spaces.id = space_id WHERE model = 'mini'"
ACTIVE = "SELECT model FROM spaces JOIN library ON active_space_id = spaces.id"


@pytest.fixture
def pictures(photo_folder: Path, tmp_path: Path) -> Path:
    """160 photos, which are five batches of the model."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for picture in sorted(photo_folder.iterdir())[:160]:
        os.link(picture, folder / picture.name)
    return folder


def answer_of(searcher: Searcher) -> Answer:
    return tuple((hit.path, round(hit.score, 5)) for hit in searcher.search("red", k=20))


@contextmanager
def asking(opened: Library, threads: int) -> Iterator[list[list[Answer]]]:
    """Search again and again in several threads with one searcher; yield the growing list of answers of each thread."""
    enough = Event()
    searcher = Searcher(opened)
    answers: list[list[Answer]] = [[] for _ in range(threads)]

    def ask(mine: list[Answer]) -> None:
        while not enough.is_set():
            mine.append(answer_of(searcher))
            enough.wait(0.02)  # leaves the processor to the model change

    with ThreadPoolExecutor(threads) as pool:
        asked = [pool.submit(ask, mine) for mine in answers]
        try:
            yield answers
        finally:
            enough.set()
        for thread in asked:
            thread.result()


def wait_for_new_answers(answers: list[list[Answer]]) -> None:
    """Return when each thread has given two more answers: the second one was certainly asked after this call."""
    wanted = [len(mine) + 2 for mine in answers]
    deadline = time.monotonic() + 60
    while any(len(mine) < count for mine, count in zip(answers, wanted, strict=True)):
        assert time.monotonic() < deadline, "searches stopped answering"
        time.sleep(0.005)


def test_searches_during_the_change_use_exactly_one_space(cli: Cli, pictures: Path, done: Done) -> None:
    cli.index_in_process(pictures)
    with Library.open(cli.library) as opened:
        in_fake = answer_of(Searcher(opened, space="fake"))
        by_process: list[str] = []
        with asking(opened, 3) as answers:
            wait_for_new_answers(answers)
            there = cli.start("models", "use", "mini")
            while there.poll() is None:
                by_process += {str(hit["path"]) for hit in cli.lines("search", "red", "-k", "1")}
            done(there)
            wait_for_new_answers(answers)
            done(cli.start("models", "use", "fake"))
            wait_for_new_answers(answers)
        in_mini = answer_of(Searcher(opened, space="mini"))
    names = {in_fake: "fake", in_mini: "mini"}
    for mine in answers:
        seen = [names.get(answer, "mixed") for answer in mine]
        assert [name for name, _ in groupby(seen)] == ["fake", "mini", "fake"]
        assert len(seen) >= 6
    assert len(by_process) > 0
    assert set(by_process) <= {str(in_fake[0][0]), str(in_mini[0][0])}
    assert cli("verify").stdout == b"No faults found.\n"


@pytest.mark.slow  # some 25 processes; `test_fill_killed_at_each_step_can_be_continued` is faster
def test_fill_killed_repeatedly_can_be_continued(new_cli: NewCli, pictures: Path) -> None:
    calm, cli, chance = new_cli("undisturbed"), new_cli("library"), random.Random(7)
    for library in (calm, cli):
        library.index_in_process(pictures)
    with Library.open(calm.library) as opened:
        fill(opened, MiniEncoder())
    midway, found = [], cli.find("red")
    for number in range(4):
        process = cli.start("models", "use", "mini")
        while process.poll() is None and cli.query(IN_MINI)[0][0] <= 160 * number / 5:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        midway.append(cli.query(IN_MINI)[0][0])
        assert cli.query(ACTIVE) == [("fake",)]
        assert cli.is_intact()
        assert cli.find("red") == found
    assert midway == sorted(midway)
    assert len(set(midway)) > 1, f"badly timed: {midway}"
    (facts,) = cli.lines("models", "use", "mini")
    assert (facts["embedded"], facts["covered"], facts["answers"]) == (160 - midway[-1], 160, True)
    vectors = "SELECT model, digest, vector FROM embeddings JOIN contents ON contents.id = content_id \
               JOIN spaces ON spaces.id = space_id ORDER BY model, digest"
    assert cli.query(vectors) == calm.query(vectors)
    assert cli("verify").stdout == b"No faults found.\n"


@pytest.mark.parametrize(
    ("function", "nth"),
    [
        ("store.spaces.space_fill:register", 1),  # at the start
        ("store.spaces.space_fill:add_frames", 1),  # within a batch
        ("store.spaces.generation_files:_write", 1),  # embedded, the index file is not written
        ("store.spaces.index_cache:announce", 1),  # written, not recorded
        ("store.spaces.space_fill:activate", 1),  # recorded, within the switch
    ],
)
def test_fill_killed_at_each_step_can_be_continued(
    cli: Cli, tmp_path: Path, paint: Paint, function: str, nth: int
) -> None:
    (red, *_) = paint(tmp_path / "photos", red="red", green="lime", blue="blue")
    cli.index_in_process(tmp_path / "photos")
    cli.killed_at(function, nth, "models", "use", "mini")
    assert cli.query(ACTIVE) == [("fake",)]
    assert cli.is_intact()
    assert cli.find("red")[0] == red
    (facts,) = cli.lines("models", "use", "mini")
    assert (facts["covered"], facts["answers"]) == (3, True)
    assert cli.is_intact()
    assert len(cli.index_files()) == 2


def test_two_concurrent_model_changes(cli: Cli, pictures: Path, done: Done) -> None:
    cli.index_in_process(pictures)
    both = [cli.start("models", "use", "mini", "--json") for _ in range(2)]
    outcomes = [done(process) for process in both]
    embedded = sorted(int(outcome.stdout.split(b'"embedded": ')[1].split(b",")[0]) for outcome in outcomes)
    assert embedded == [0, 160]
    assert cli.query(ACTIVE) == [("mini",)]
    assert cli.is_intact()


def test_index_and_tags_work_during_a_model_change(
    cli: Cli, tmp_path: Path, pictures: Path, paint: Paint, done: Done
) -> None:
    """New pictures are embedded in both spaces, forgotten ones stay forgotten, and no process waits for the end."""
    photos = tmp_path / "photos"
    shutil.copytree(pictures, photos / "photos")
    paint(photos / "private", black="black", white="white")
    cli.index_in_process(photos)
    gate = tmp_path / "go on"
    build = cli.held_at("indexer.batching:embed", 2, gate, "models", "use", "mini")
    while build.poll() is None and cli.query(IN_MINI)[0][0] == 0:
        time.sleep(0.005)
    (red,) = paint(photos / "later", red="red")
    taken = cli("index", photos, "--json")
    assert b"the change to mini" in taken.stderr
    cli("forget", photos / "private")
    gate.touch()
    done(build)
    assert cli.query(ACTIVE) == [("mini",)]
    (status,) = cli.lines("status")
    assert [(space["model"], space["covered"], space["pictures"]) for space in status["spaces"]] == [
        ("fake", 161, 161),
        ("mini", 161, 161),
    ]
    assert red in cli.find("red")
    assert cli("verify").stdout == b"No faults found.\n"


def test_ctrl_c_keeps_vectors(cli: Cli, tmp_path: Path, pictures: Path, done: Done) -> None:
    cli.index_in_process(pictures)
    process = cli.held_at("indexer.batching:embed", 2, tmp_path / "never", "models", "use", "mini")
    while process.poll() is None and cli.query(IN_MINI)[0][0] == 0:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGINT)
    stopped = done(process, 130)
    assert b"run the same command again to continue" in stopped.stderr
    embedded = cli.query(IN_MINI)[0][0]
    assert 0 < embedded < 160
    (facts,) = cli.lines("models", "use", "mini")
    assert facts["embedded"] == 160 - embedded


def test_full_disk_during_a_model_change(cli: Cli, pictures: Path) -> None:
    """The error is one line, searches use the old space, and the library stays intact."""
    cli.index_in_process(pictures)
    found = cli.find("red")
    limit = ["bash", "-c", 'ulimit -f "$0"; exec "$@"', "200"]
    command = [*limit, str(SCRIPT), "--library", str(cli.library), "models", "use", "mini"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert cli.find("red") == found
    assert cli.is_intact()
    assert cli.lines("models", "use", "mini")[0]["covered"] == 160
