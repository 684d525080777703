"""Killed (SIGKILL) at any moment: what was settled stays, and the next run goes on from there."""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from search.near_duplicates import find_duplicates

from store import Library

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli

NewCli = Callable[[str], "Cli"]
Paint = Callable[..., list[Path]]


def test_six_kills_at_random_moments(new_cli: NewCli, heap: Path) -> None:
    survives(new_cli, heap, kills=6)


@pytest.mark.slow
def test_twenty_kills_at_random_moments(new_cli: NewCli, big_heap: Path) -> None:
    survives(new_cli, big_heap, kills=20)


def survives(new_cli: NewCli, folder: Path, kills: int) -> None:
    calm = new_cli("undisturbed")
    calm.take(folder)
    count = calm.embedded()
    cli, chance = new_cli("library"), random.Random(2024)
    # Spread over the run by what was settled, not by the clock: machines differ in speed, and from hour to hour.
    midway = [index_and_kill(cli, folder, chance, count * number / (kills + 1)) for number in range(kills)]
    assert len({embedded for embedded in midway if 0 < embedded < count}) > kills / 3, f"badly timed: {midway}"
    assert midway == sorted(midway)

    before = cli.embedded()
    summary = cli.index(folder)
    # Nothing settled is read again: not a vector is computed twice but those of a batch that was never committed.
    assert summary == {
        name: n for name, n in {"new": count - before, "embedded": count - before, "unchanged": before}.items() if n
    }
    assert cli.ask("SELECT count(*), count(DISTINCT relpath), min(state), max(state) FROM pictures") == [
        (count, count, "present", "present")
    ]
    assert cli.vectors() == calm.vectors()
    assert [path.suffix for path in cli.index_files()] == [".faiss"]
    assert cli("verify").stdout == b"All well.\n"


def index_and_kill(cli: "Cli", folder: Path, chance: random.Random, settled: float) -> int:
    """Starts a run and kills its process group just after so many vectors are settled, or as it starts."""
    process = cli.start("index", folder, "--model", "fake")
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 0.5))
    else:
        while process.poll() is None and cli.embedded() <= settled:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return cli.embedded()


@pytest.mark.parametrize(
    ("function", "nth", "left"),
    [
        ("os:fsync", 1, {"000001.faiss", "000002.tmp"}),  # written, not yet flushed
        ("os:fsync", 2, {"000001.faiss", "000002.faiss"}),  # renamed, not yet announced
        (
            "store.spaces.index_cache:remove_strays",
            1,
            {"000001.faiss", "000002.faiss"},
        ),  # announced, the old one not yet removed
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
    cli.killed_at("store.ingest.reconcile:mark_changed", 1, "index", folder)
    assert cli.ask("SELECT relpath FROM pictures") == [(b"red.png",)]
    assert cli.embedded() == 1
    assert cli.take(folder) == {"new": 1, "embedded": 1, "unchanged": 1}


@pytest.mark.parametrize(
    "function", ["store.catalog.schema:upgrade", "store.library:insert", "indexer.pipeline:activate"]
)
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


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Six pictures, each with a smaller one of the same."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        large = Image.fromarray(noise).resize((128, 128), Image.Resampling.BICUBIC)
        large.save(folder / f"{number}.png")
        large.resize((96, 96)).save(folder / f"{number}-small.png")
    return folder


def groups(cli: "Cli") -> list[list[str]]:
    """The names of the files of each group of near-duplicates."""
    with Library.open(cli.library) as opened:
        return sorted(sorted(path.name for path, _ in group.files) for group in find_duplicates(opened))


@pytest.mark.parametrize("function", ["store.near_duplicates.groups:_write_anchors", "indexer.pipeline:update_near_duplicate_groups"])
def test_killed_while_near_duplicates_are_found(new_cli: NewCli, pairs: Path, function: str) -> None:
    cli = new_cli("library")
    cli.killed_at(function, 1, "index", pairs, "--model", "fake")
    assert groups(cli) == []
    cli.take(pairs)
    assert groups(cli) == [[f"{number}-small.png", f"{number}.png"] for number in range(6)]
    assert cli.is_whole()


@pytest.mark.parametrize(
    ("function", "left"), [("indexer.refresh_metadata:renew", 14), ("indexer.refresh_metadata:keep_sidecars", 2)]
)
def test_killed_while_headers_and_sidecars_are_read_again(
    new_cli: NewCli, pairs: Path, function: str, left: int
) -> None:
    cli = new_cli("library")
    cli.take(pairs)
    with closing(sqlite3.connect(cli.library / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE contents SET facts_version = 0")
    for name in ("0.png", "1.png"):
        (pairs / f"{name}.xmp").write_bytes(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    cli.killed_at(function, 1, "index", pairs, "--model", "fake")
    assert cli.take(pairs) == {"unchanged": 12, "metadata_updated": left}  # what was settled is not read again
    assert cli.take(pairs) == {"unchanged": 12}
