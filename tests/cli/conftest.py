"""Fixtures that run the command line in this process."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from store import Library


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
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CommandResult]:
    """Return a function that runs a command: `sightline("search", "red", "--json")`."""

    def run(*arguments: str | Path) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["sightline", *map(str, arguments)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capfdbinary.readouterr()
        assert isinstance(stopped.value.code, int)
        return CommandResult(stopped.value.code, out, err.decode())

    return run


@pytest.fixture
def filled(indexed: Library, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a library of the four colours the default library, and return its folder."""
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(indexed.path))
    return indexed.path
