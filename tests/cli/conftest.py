"""Fixtures that run the command line in this process."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.suggestions import forget_library
from core.settings import LIBRARY_VARIABLE
from store import Library
from tests.support.catalogues import FolderCatalogues


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a command."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def record(self) -> dict[str, Any]:
        (only,) = self.records
        return only


@pytest.fixture
def sightline(
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    folder_catalogues: FolderCatalogues | None,
) -> Callable[..., CommandResult]:
    """Return a function that runs a command: `sightline("search", "red", "--json")`.

    With `--catalogue postgresql`, the library is named by a URL.
    """

    def run(*arguments: str | Path) -> CommandResult:
        words = list(map(str, arguments))
        capfdbinary.readouterr()
        with monkeypatch.context() as context, pytest.raises(SystemExit) as stopped:
            if folder_catalogues is not None:
                words = folder_catalogues.arguments(words)
                if default := os.environ.get(LIBRARY_VARIABLE):
                    context.setenv(LIBRARY_VARIABLE, folder_catalogues.url(default))
            monkeypatch.setattr(sys, "argv", ["sightline", *words])
            main()
        out, err = capfdbinary.readouterr()
        assert isinstance(stopped.value.code, int)
        return CommandResult(stopped.value.code, out, err.decode())

    return run


@pytest.fixture(autouse=True)
def no_library_is_remembered() -> None:
    """Suggested commands do not name the library of an earlier test."""
    forget_library()


@pytest.fixture
def filled(indexed: Library, monkeypatch: pytest.MonkeyPatch, folder_catalogues: FolderCatalogues | None) -> Path:
    """Make a library of the four colours the default library, and return its folder."""
    place = str(indexed.path)
    monkeypatch.setenv(LIBRARY_VARIABLE, place if folder_catalogues is None else folder_catalogues.url(place))
    return indexed.path
