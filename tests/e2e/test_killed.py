"""Index runs killed (SIGKILL) at any time: written batches are kept, and the next run continues from there."""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.near_duplicates import find_duplicates
from store import Library
from tests.support.processes import Cli

NewCli = Callable[[str], Cli]
Paint = Callable[..., list[Path]]


def test_index_killed_three_times_at_random(new_cli: NewCli, photo_folder: Path) -> None:
    survives(new_cli, photo_folder, kills=3)


@pytest.mark.slow
def test_index_killed_twenty_times_at_random(new_cli: NewCli, large_photo_folder: Path) -> None:
    survives(new_cli, large_photo_folder, kills=20)


def survives(new_cli: NewCli, folder: Path, kills: int) -> None:
    calm = new_cli("undisturbed")
    calm.index_in_process(folder)
    count = calm.embedded()
    cli, chance = new_cli("library"), random.Random(2024)
    # Spread over the run by the number of vectors written, not by time, because machines differ in speed.
    midway = [index_and_kill(cli, folder, chance, count * number / (kills + 1)) for number in range(kills)]
    assert len({embedded for embedded in midway if 0 < embedded < count}) >= max(1, kills // 4), (
        f"badly timed: {midway}"
    )
    assert midway == sorted(midway)

    before = cli.embedded()
    summary = cli.index(folder)
    # No vector is computed twice except those of batches that were not committed.
    assert summary == {
        name: n for name, n in {"new": count - before, "embedded": count - before, "unchanged": before}.items() if n
    }
    assert cli.query("SELECT count(*), count(DISTINCT relpath), min(state), max(state) FROM pictures") == [
        (count, count, "present", "present")
    ]
    assert cli.vectors() == calm.vectors()
    assert [path.suffix for path in cli.index_files()] == [".faiss"]
    assert cli("verify").stdout == b"No faults found.\n"


def index_and_kill(cli: Cli, folder: Path, chance: random.Random, settled: float) -> int:
    """Start a run and kill its process group after a number of vectors has been written, or at the start."""
    process = cli.start("index", folder, "--model", "fake")
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 0.5))
    else:
        while process.poll() is None and cli.embedded() <= settled:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.02))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return cli.embedded()


@pytest.mark.parametrize(
    ("function", "nth", "left"),
    [
        ("os:fsync", 1, {"000001.faiss", "000002.tmp"}),  # written, not flushed
        ("os:fsync", 2, {"000001.faiss", "000002.faiss"}),  # renamed, not recorded
        (
            "store.spaces.index_cache:remove_strays",
            1,
            {"000001.faiss", "000002.faiss"},
        ),  # recorded, the old file is not removed
    ],
)
def test_index_killed_while_publishing(
    cli: Cli, tmp_path: Path, paint: Paint, function: str, nth: int, left: set[str]
) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red", green="lime")
    cli.index_in_process(folder)
    (blue,) = paint(folder, blue="blue")
    cli.killed_at(function, nth, "index", folder)
    assert {path.name.rpartition("-")[2] for path in cli.index_files()} == left

    searched = cli("search", "blue", "--paths", "-k", "1")
    assert (searched.stdout, searched.stderr) == (bytes(blue) + b"\n", b"")
    assert cli.index_in_process(folder) == {"unchanged": 3}
    (path,) = cli.index_files()
    assert path.suffix == ".faiss"
    assert cli.is_intact()


def test_index_killed_within_a_batch(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red")
    cli.index_in_process(folder)
    paint(folder, green="lime")
    # All but the last statement of the batch are executed: none may have an effect.
    cli.killed_at("store.ingest.reconcile:mark_changed", 1, "index", folder)
    assert cli.query("SELECT relpath FROM pictures") == [(b"red.png",)]
    assert cli.embedded() == 1
    assert cli.index_in_process(folder) == {"new": 1, "embedded": 1, "unchanged": 1}


@pytest.mark.parametrize(
    "function", ["store.catalog.schema:prepare", "store.catalog.schema:add_state", "store.spaces.registry:activate"]
)
def test_index_killed_while_creating_the_library(cli: Cli, tmp_path: Path, paint: Paint, function: str) -> None:
    folder = tmp_path / "photos"
    (red,) = paint(folder, red="red")
    cli.killed_at(function, 1, "index", folder, "--model", "fake")
    assert cli.index_in_process(folder) == {"new": 1, "embedded": 1}
    assert cli.find("red") == [red]


def test_leftover_files_are_removed_even_without_changes(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    folder = tmp_path / "photos"
    paint(folder, red="red")
    cli.index_in_process(folder)
    (published,) = cli.index_files()
    shutil.copy(published, published.with_suffix(".tmp"))
    shutil.copy(published, published.with_name("0123456789ab-000009.faiss"))
    assert cli.index_in_process(folder) == {"unchanged": 1}
    assert cli.index_files() == [published]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Six pictures, each with a smaller copy."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        large = Image.fromarray(noise).resize((128, 128), Image.Resampling.BICUBIC)
        large.save(folder / f"{number}.png")
        large.resize((96, 96)).save(folder / f"{number}-small.png")
    return folder


def groups(cli: Cli) -> list[list[str]]:
    """Return the file names of each group of near-duplicates."""
    with Library.open(cli.library) as opened:
        return sorted(sorted(path.name for path, _ in group.files) for group in find_duplicates(opened))


@pytest.mark.parametrize(
    "function", ["store.near_duplicates.groups:_write_anchors", "indexer.publishing:update_near_duplicate_groups"]
)
def test_index_killed_while_grouping_near_duplicates(new_cli: NewCli, pairs: Path, function: str) -> None:
    cli = new_cli("library")
    cli.killed_at(function, 1, "index", pairs, "--model", "fake")
    assert groups(cli) == []
    cli.index_in_process(pairs)
    assert groups(cli) == [[f"{number}-small.png", f"{number}.png"] for number in range(6)]
    assert cli.is_intact()


@pytest.mark.parametrize(
    ("function", "sidecars"),
    [("store.ingest.metadata:set_picture_tags", 0), ("store.ingest.metadata:write_keywords_and_people", 2)],
)
def test_index_killed_while_refreshing_metadata(new_cli: NewCli, pairs: Path, function: str, sidecars: int) -> None:
    """Sidecars are written before headers. A picture with both is counted once."""
    cli = new_cli("library")
    cli.index_in_process(pairs)
    with closing(sqlite3.connect(cli.library / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE contents SET facts_version = 0")
    for name in ("0.png", "1.png"):
        (pairs / f"{name}.xmp").write_bytes(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    cli.killed_at(function, 1, "index", pairs, "--model", "fake")
    assert cli.query("SELECT count(*) FROM sidecars") == [(sidecars,)]
    assert cli.query("SELECT count(*) FROM contents WHERE facts_version = 0") == [(12,)]
    assert cli.index_in_process(pairs) == {"unchanged": 12, "metadata_updated": 12}
    assert cli.query("SELECT count(*) FROM sidecars") == [(2,)]
    assert cli.index_in_process(pairs) == {"unchanged": 12}
