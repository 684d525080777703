"""Fixtures of the end-to-end tests: the console script on a new library, and folders of pictures."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.processes import Cli, finish, write_photos

SMOKE_TEST = "test_command_line.py"
"""The module that `make test` runs too."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.name != SMOKE_TEST:
        item.add_marker(pytest.mark.processes)


@pytest.fixture
def new_cli(tmp_path: Path) -> Iterator[Callable[[str], Cli]]:
    """Create the script for a library of the given name. Processes still running after the test are killed."""
    created: list[Cli] = []

    def new(name: str) -> Cli:
        created.append(Cli(tmp_path / name))
        return created[-1]

    yield new
    for process in (process for cli in created for process in cli.started):
        with process:  # closes its pipes
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def cli(new_cli: Callable[[str], Cli]) -> Cli:
    return new_cli("library")


@pytest.fixture
def done() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Wait for a started script, which must exit with the given code."""
    return finish


@pytest.fixture
def paint() -> Callable[..., list[Path]]:
    """Write pictures of plain colours: `paint(folder, red="red", sea="blue")` writes red.png and sea.png."""

    def painter(folder: Path, **colours: str) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.png" for name in colours]
        for path, colour in zip(paths, colours.values(), strict=True):
            Image.new("RGB", (60, 40), colour).save(path)
        return paths

    return painter


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 400 photos. Tests must not change it."""
    return write_photos(tmp_path_factory.mktemp("photos"), 400)


@pytest.fixture(scope="session")
def large_photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 1,600 photos. Tests must not change it."""
    return write_photos(tmp_path_factory.mktemp("many-photos"), 1600)
