"""Killed (SIGKILL) at any moment: what was settled stays, and the next run goes on from there."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli

NewCli = Callable[[str], "Cli"]
Paint = Callable[..., list[Path]]


@pytest.fixture(scope="module")
def undisturbed() -> dict[bytes, bytes]:
    """The vectors of a run that nothing disturbed; filled by the first test that needs them."""
    return {}


@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_at_random_moments(new_cli: NewCli, heap: Path, kills: int, undisturbed: dict[bytes, bytes]) -> None:
    if not undisturbed:
        calm = new_cli("undisturbed")
        calm.take(heap)
        undisturbed.update(calm.vectors())
    cli, chance = new_cli("library"), random.Random(2024)
    midway = [_index_and_kill(cli, heap, chance) for _ in range(kills)]
    assert any(0 < embedded < 400 for embedded in midway), f"every kill came too early or too late: {midway}"
    assert midway == sorted(midway)

    before = cli.embedded()
    summary = cli.index(heap)
    # Nothing settled is read again: not a vector is computed twice but those of a batch that was never committed.
    assert summary == {
        name: n for name, n in {"new": 400 - before, "embedded": 400 - before, "unchanged": before}.items() if n
    }
    assert cli.ask("SELECT count(*), count(DISTINCT relpath), min(state), max(state) FROM pictures") == [
        (400, 400, "present", "present")
    ]
    assert cli.vectors() == undisturbed
    assert [path.suffix for path in cli.index_files()] == [".faiss"]
    assert cli("verify").stdout == b"All well.\n"


def _index_and_kill(cli: "Cli", folder: Path, chance: random.Random) -> int:
    """Starts a run and kills its process group: while it starts, or some time after its first new commit."""
    before = cli.embedded()
    process = cli.start("index", folder, "--model", "fake")
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, 1.2))
    else:
        while process.poll() is None and cli.embedded() == before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.25))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return cli.embedded()


@pytest.mark.parametrize(
    ("function", "nth", "left"),
    [
        ("os:fsync", 1, {"000001.faiss", "000002.tmp"}),  # written, not yet flushed
        ("os:fsync", 2, {"000001.faiss", "000002.faiss"}),  # renamed, not yet announced
        ("store.cache:remove_strays", 1, {"000001.faiss", "000002.faiss"}),  # announced, the old one not yet removed
    ],
)
def test_killed_while_publishing(
    cli: "Cli", tmp_path: Path, paint: Paint, function: str, nth: int, left: set[str]
) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red", green="lime")
    cli.take(folder)
    (blue,) = paint(folder, blue="blue")
    cli.killed_at(function, nth, "index", folder)
    assert {path.name.rpartition("-")[2] for path in cli.index_files()} == left

    searched = cli("search", "blue", "--paths", "-k", "1")
    assert (searched.stdout, searched.stderr) == (bytes(blue) + b"\n", b"")
    assert cli.take(folder) == {"unchanged": 3}
    (path,) = cli.index_files()
    assert path.suffix == ".faiss"
    assert cli.is_whole()


def test_killed_between_two_steps_of_a_batch(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red")
    cli.take(folder)
    paint(folder, green="lime")
    # The batch is written but for its last statement: none of it may stay.
    cli.killed_at("store.census:bump", 1, "index", folder)
    assert cli.ask("SELECT relpath FROM pictures") == [(b"red.png",)]
    assert cli.embedded() == 1
    assert cli.take(folder) == {"new": 1, "embedded": 1, "unchanged": 1}


@pytest.mark.parametrize("function", ["store.schema:upgrade", "store.library:insert", "indexer.pipeline:activate"])
def test_killed_while_the_library_is_made(cli: "Cli", tmp_path: Path, paint: Paint, function: str) -> None:
    folder = tmp_path / "photos"
    (red,) = paint(folder, red="red")
    cli.killed_at(function, 1, "index", folder, "--model", "fake")
    assert cli.take(folder) == {"new": 1, "embedded": 1}
    assert cli.find("red") == [red]


def test_leftovers_go_even_when_nothing_changed(cli: "Cli", tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red")
    cli.take(folder)
    (published,) = cli.index_files()
    shutil.copy(published, published.with_suffix(".tmp"))
    shutil.copy(published, published.with_name("0123456789ab-000009.faiss"))
    assert cli.take(folder) == {"unchanged": 1}
    assert cli.index_files() == [published]
