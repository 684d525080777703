"""A package is upgraded to a newer version of its model: libraries of the older one answer, and change when told to."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.registry import ENCODERS
from search import Searcher
from store import Library
from tests.support.distributions import install_plugin
from tests.support.processes import Cli

SOURCE = """
import os

from core.space import Space, weights_of_version
from encoders.fake import FakeEncoder


class Paint(FakeEncoder):
    '''Version 2 exchanges red and blue, so that vectors of the two versions cannot be taken for each other.'''

    def __init__(self, version=os.environ["NEWEST_PAINT"]):
        super().__init__(batch_size=8)
        self.swaps = version == "2"
        self.space = Space("paint", weights_of_version(version, "abc"), 13, self.space.preprocessing)

    @classmethod
    def versions(cls):
        return [cls(version) for version in "21" if version <= os.environ["NEWEST_PAINT"]]

    def forward_images(self, pixels):
        return super().forward_images(pixels[:, ::-1] if self.swaps else pixels)

    def forward_texts(self, texts):
        vectors = super().forward_texts(texts)
        order = [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 12]
        return vectors[:, order] if self.swaps else vectors
"""

ACTIVE = "SELECT weights FROM spaces JOIN library ON active_space_id = spaces.id"
VECTORS = "SELECT weights, count(*) FROM embeddings JOIN spaces ON spaces.id = space_id GROUP BY weights"

Done = Callable[..., Any]


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Install version 1 of the model; return a function that upgrades it to version 2, which keeps version 1."""
    site = tmp_path / "site"
    monkeypatch.setenv("NEWEST_PAINT", "1")
    install_plugin(site, monkeypatch, group=ENCODERS.group, name="paint", target="paint_model:Paint", source=SOURCE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])))
    monkeypatch.setattr(ENCODERS, "_loaded", {})

    def upgraded() -> None:
        monkeypatch.setenv("NEWEST_PAINT", "2")
        ENCODERS._loaded.clear()

    return upgraded


@pytest.fixture
def photos(tmp_path: Path, paint: Callable[..., list[Path]]) -> Path:
    """Thirty pictures, which are four batches of the model."""
    colours = {f"grey{number:02}": f"rgb({number}, {number}, {number})" for number in range(27)}
    paint(tmp_path / "photos", red="red", green="lime", blue="blue", **colours)
    return tmp_path / "photos"


def answer(cli: Cli) -> list[tuple[str, float]]:
    """Return the answer of a new process."""
    return [(hit["path"], hit["score"]) for hit in cli.lines("search", "red", "-k", "3")]


def test_change_to_a_newer_version_is_killed_and_continued(
    cli: Cli, photos: Path, upgrade: Callable[[], None], paint: Callable[..., list[Path]]
) -> None:
    cli("index", photos, "--model", "paint")
    of_one = answer(cli)
    upgrade()
    assert answer(cli) == of_one
    use = f"`sightline --library {cli.library} models use paint"
    notice = f"paint 2 is installed, and this library uses paint 1: {use}` changes to paint 2"
    assert notice in cli("status").stdout.decode()
    cli.killed_at("indexer.batching:embed", 2, "models", "use", "paint")
    assert cli.query(VECTORS) == [("1:abc", 30), ("2:abc", 8)]
    assert answer(cli) == of_one
    assert f"partly filled ({use}@2` continues)" in cli("status").stdout.decode()
    paint(photos, cyan="cyan")
    assert cli("index", photos).stderr.decode().count(f"{use}@2` continues it") == 1
    assert cli.query(VECTORS) == [("1:abc", 31), ("2:abc", 8)]
    (facts,) = cli.lines("models", "use", "paint")
    assert (facts["version"], facts["before_version"], facts["embedded"]) == ("2", "1", 23)
    assert answer(cli)[0] == (str(photos / "red.png"), of_one[0][1])  # no vector of the other version
    assert cli.query(ACTIVE) == [("2:abc",)]
    assert cli("verify").stdout == b"No faults found.\n"
    by_name = cli.lines("search", "red", "-k", "3", "--space", "paint@1")
    assert [(hit["path"], hit["score"]) for hit in by_name] == of_one


def test_searches_use_the_old_version_until_the_newer_one_is_complete(
    cli: Cli, photos: Path, upgrade: Callable[[], None], tmp_path: Path, done: Done
) -> None:
    cli("index", photos, "--model", "paint")
    of_one = answer(cli)
    upgrade()
    with Library.open(cli.library) as opened:  # a process that stays open, such as `serve`
        searcher = Searcher(opened)

        def now() -> tuple[str, list[str]]:
            hits = searcher.search("red", k=3)
            return searcher.space.space.title, [str(hit.path) for hit in hits]

        before = now()
        change = cli.held_at("indexer.batching:embed", 3, tmp_path / "go on", "models", "use", "paint")
        while change.poll() is None and len(cli.query(VECTORS)) < 2:
            time.sleep(0.005)
        assert answer(cli) == of_one
        assert now() == before
        assert before[0] == "paint 1"
        (tmp_path / "go on").touch()
        done(change)
        assert now()[0] == "paint 2"
    assert cli.query(VECTORS) == [("1:abc", 30), ("2:abc", 30)]


def test_index_run_that_waits_for_the_change_uses_the_newer_version(
    cli: Cli, photos: Path, upgrade: Callable[[], None], paint: Callable[..., list[Path]], tmp_path: Path, done: Done
) -> None:
    cli("index", photos, "--model", "paint")
    upgrade()
    paint(photos, cyan="cyan")
    change = cli.held_at("store.spaces.space_fill:activate", 1, tmp_path / "go on", "models", "use", "paint")
    while change.poll() is None and len(cli.query(VECTORS)) < 2:
        time.sleep(0.005)
    paint(photos, white="white")
    run = cli.start("index", photos, "--json")
    assert run.stderr is not None
    assert b"waiting for it to finish" in run.stderr.readline()
    (tmp_path / "go on").touch()
    done(change)
    done(run)
    assert cli.query(ACTIVE) == [("2:abc",)]
    assert cli.query(VECTORS) == [("1:abc", 30), ("2:abc", 32)]
