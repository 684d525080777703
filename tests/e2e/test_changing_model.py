"""A library changes its model while it is searched, indexed and killed: no gap, nothing mixed, nothing lost."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from encoders.mini.encoder import MiniEncoder
from indexer import fill
from search import Searcher
from store import Library

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli

Done = Callable[..., subprocess.CompletedProcess[bytes]]
NewCli = Callable[[str], "Cli"]
Paint = Callable[..., list[Path]]
Answer = tuple[tuple[Path, float], ...]

IN_MINI = "SELECT count(*) FROM embeddings JOIN spaces ON spaces.id = space_id WHERE model = 'mini'"
ACTIVE = "SELECT model FROM spaces JOIN library ON active_space_id = spaces.id"


@pytest.fixture
def pictures(heap: Path, tmp_path: Path) -> Path:
    """160 of the heap, in five batches of the model."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for picture in sorted(heap.iterdir())[:160]:
        os.link(picture, folder / picture.name)
    return folder


def answer_of(searcher: Searcher) -> Answer:
    return tuple((hit.path, round(hit.score, 5)) for hit in searcher.search("red", k=20))


@contextmanager
def asking(opened: Library, threads: int) -> Iterator[list[Future[list[Answer]]]]:
    """Searches in so many threads with one searcher, all the time; their answers are there in the end."""
    enough = Event()
    searcher = Searcher(opened)

    def ask() -> list[Answer]:
        answers = []
        while not enough.is_set():
            answers.append(answer_of(searcher))
        return answers

    with ThreadPoolExecutor(threads) as pool:
        asked = [pool.submit(ask) for _ in range(threads)]
        try:
            yield asked
        finally:
            enough.set()


def test_every_answer_is_of_one_space_and_there_is_no_gap(cli: "Cli", pictures: Path, done: Done) -> None:
    cli.take(pictures)
    with Library.open(cli.library) as opened:
        in_fake = answer_of(Searcher(opened, space="fake"))
        by_process: list[str] = []
        with asking(opened, 3) as asked:
            there = cli.start("models", "use", "mini")
            while there.poll() is None:
                by_process += {str(hit["path"]) for hit in cli.lines("search", "red", "-k", "1")}
            done(there)
            time.sleep(0.3)
            done(cli.start("models", "use", "fake"))
            time.sleep(0.3)
        in_mini = answer_of(Searcher(opened, space="mini"))
    names = {in_fake: "fake", in_mini: "mini"}
    for future in asked:
        seen = [names.get(answer, "mixed") for answer in future.result()]
        assert [name for name, _ in groupby(seen)] == ["fake", "mini", "fake"]
        assert len(seen) > 20
    assert len(by_process) > 0
    assert set(by_process) <= {str(in_fake[0][0]), str(in_mini[0][0])}
    assert cli("verify").stdout == b"All well.\n"


@pytest.mark.slow  # some 25 processes; that no step leaves a half is held by `test_killed_at_each_step`
def test_killed_at_many_moments_and_taken_up_again(new_cli: NewCli, pictures: Path) -> None:
    calm, cli, chance = new_cli("undisturbed"), new_cli("library"), random.Random(7)
    for library in (calm, cli):
        library.take(pictures)
    with Library.open(calm.library) as opened:
        fill(opened, MiniEncoder())
    midway, found = [], cli.find("red")
    for number in range(4):
        process = cli.start("models", "use", "mini")
        while process.poll() is None and cli.ask(IN_MINI)[0][0] <= 160 * number / 5:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        midway.append(cli.ask(IN_MINI)[0][0])
        assert cli.ask(ACTIVE) == [("fake",)]
        assert cli.is_whole()
        assert cli.find("red") == found
    assert midway == sorted(midway)
    assert len(set(midway)) > 1, f"badly timed: {midway}"
    (facts,) = cli.lines("models", "use", "mini")
    assert (facts["embedded"], facts["covered"], facts["answers"]) == (160 - midway[-1], 160, True)
    vectors = "SELECT model, digest, vector FROM embeddings JOIN contents ON contents.id = content_id \
               JOIN spaces ON spaces.id = space_id ORDER BY model, digest"
    assert cli.ask(vectors) == calm.ask(vectors)
    assert cli("verify").stdout == b"All well.\n"


@pytest.mark.parametrize(
    ("function", "nth"),
    [
        ("store.spaces.space_fill:register", 1),  # nothing is there yet
        ("store.spaces.space_fill:add_vectors", 1),  # in the middle of a batch
        ("store.spaces.index_cache:_write", 1),  # all is embedded, the index is not written
        ("store.spaces.index_cache:_announce", 1),  # written, not yet announced
        ("store.spaces.space_fill:activate", 1),  # announced, in the middle of the switch
    ],
)
def test_killed_at_each_step(cli: "Cli", tmp_path: Path, paint: Paint, function: str, nth: int) -> None:
    (red, *_) = paint(tmp_path / "photos", red="red", green="lime", blue="blue")
    cli.take(tmp_path / "photos")
    cli.killed_at(function, nth, "models", "use", "mini")
    assert cli.ask(ACTIVE) == [("fake",)]
    assert cli.is_whole()
    assert cli.find("red")[0] == red
    (facts,) = cli.lines("models", "use", "mini")
    assert (facts["covered"], facts["answers"]) == (3, True)
    assert cli.is_whole()
    assert len(cli.index_files()) == 2


def test_two_at_once(cli: "Cli", pictures: Path, done: Done) -> None:
    cli.take(pictures)
    both = [cli.start("models", "use", "mini", "--json") for _ in range(2)]
    outcomes = [done(process) for process in both]
    embedded = sorted(int(outcome.stdout.split(b'"embedded": ')[1].split(b",")[0]) for outcome in outcomes)
    assert embedded == [0, 160]
    assert cli.ask(ACTIVE) == [("mini",)]
    assert cli.is_whole()


def test_others_write_meanwhile(cli: "Cli", tmp_path: Path, pictures: Path, paint: Paint, done: Done) -> None:
    """What comes is embedded in both spaces, what is forgotten stays forgotten, and nobody waits for the end."""
    photos = tmp_path / "photos"
    shutil.copytree(pictures, photos / "heap")
    paint(photos / "private", black="black", white="white")
    cli.take(photos)
    gate = tmp_path / "go on"
    build = cli.held_at("indexer.fill:embed", 2, gate, "models", "use", "mini")
    while build.poll() is None and cli.ask(IN_MINI)[0][0] == 0:
        time.sleep(0.005)
    (red,) = paint(photos / "later", red="red")
    taken = cli("index", photos, "--json")
    assert b"the change to mini" in taken.stderr
    cli("forget", photos / "private")
    gate.touch()
    done(build)
    assert cli.ask(ACTIVE) == [("mini",)]
    (status,) = cli.lines("status")
    assert [(space["model"], space["covered"], space["pictures"]) for space in status["spaces"]] == [
        ("fake", 161, 161),
        ("mini", 161, 161),
    ]
    assert red in cli.find("red")
    assert cli("verify").stdout == b"All well.\n"


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="Ctrl-C is ignored where this runs")
def test_ctrl_c_keeps_what_was_done(cli: "Cli", tmp_path: Path, pictures: Path, done: Done) -> None:
    cli.take(pictures)
    process = cli.held_at("indexer.fill:embed", 2, tmp_path / "never", "models", "use", "mini")
    while process.poll() is None and cli.ask(IN_MINI)[0][0] == 0:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGINT)
    stopped = done(process, 130)
    assert b"run the same command again to go on" in stopped.stderr
    embedded = cli.ask(IN_MINI)[0][0]
    assert 0 < embedded < 160
    (facts,) = cli.lines("models", "use", "mini")
    assert facts["embedded"] == 160 - embedded


def test_a_disk_that_is_full(cli: "Cli", pictures: Path) -> None:
    """What cannot be written is an error of one line; the old space answers, and there is no fault."""
    cli.take(pictures)
    found = cli.find("red")
    limit = ["bash", "-c", 'ulimit -f "$0"; exec "$@"', "200"]
    command = [*limit, str(Path(cli_script())), "--library", str(cli.library), "models", "use", "mini"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert cli.find("red") == found
    assert cli.is_whole()
    assert cli.lines("models", "use", "mini")[0]["covered"] == 160


def cli_script() -> Path:
    from tests.e2e.conftest import SCRIPT

    return SCRIPT
