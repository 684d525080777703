"""The command line, run in this process: what it prints, byte by byte, and its exit code."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from encoders.fake import FakeEncoder
from indexer import index
from store import Library


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

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
def sightline(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Runs a command line: `sightline("search", "red", "--json")`."""

    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sightline", *map(str, arguments)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capfdbinary.readouterr()
        assert isinstance(stopped.value.code, int)
        return Answer(stopped.value.code, out, err.decode())

    return run


@pytest.fixture
def filled(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of the four colours, which is the default one; returns its folder."""
    index(library, [album], FakeEncoder())
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    return library.path
