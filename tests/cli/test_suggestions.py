"""Commands in messages: they are about the library that the running command is about."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.suggestions import command, remember_library
from store import Library

Sightline = Callable[..., Any]


def test_a_library_that_an_option_names_is_in_the_command() -> None:
    assert command("repair") == "`sightline repair`"
    remember_library(Path("default"), None)
    assert command("repair") == "`sightline repair`"
    remember_library(Path("my photos"), "my photos")
    assert command("models use mini") == "`sightline --library 'my photos' models use mini`"


def test_another_library_is_in_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("repair", "/other") == "`sightline --library /other repair`"
    remember_library(Path("/default"), None)
    assert command("repair", Path("/default")) == "`sightline repair`"
    assert command("repair", Path("/other")) == "`sightline --library /other repair`"
    monkeypatch.chdir(tmp_path)
    remember_library(Path("lib"), "lib")
    assert command("repair", tmp_path / "lib") == "`sightline --library lib repair`"


def test_a_password_is_not_in_the_command() -> None:
    remember_library(Path("postgresql:/anna:secret@db/photos"), "postgresql://anna:secret@db/photos")
    assert command("status") == "`sightline --library postgresql://anna@db/photos status`"


def test_a_name_that_is_not_utf8_can_be_shown() -> None:
    remember_library(Path("a\udcff"), "a\udcff")
    assert command("status") == r"`sightline --library 'a\xff' status`"


@pytest.mark.sqlite("the libraries are named by their folders")
def test_hints_name_the_library_that_was_meant(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for words in (["--library", missing, "search", "red"], ["search", "red", "--library", missing], ["merge", missing]):
        assert sightline(*words).err.endswith(f"Hint: `sightline --library {missing} index FOLDER` creates one.\n")


@pytest.mark.sqlite("the library is named by its folder")
def test_messages_of_commands_name_the_library_of_the_option(
    sightline: Sightline, indexed: Library, album: Path
) -> None:
    (album / "broken.png").write_bytes(b"no picture")
    place = str(indexed.path)
    shown = sightline("index", album, "--library", place).text
    assert f"could not be read; `sightline --library {place} status --failures` lists the reasons" in shown
    assert (
        f"`sightline --library {place} status --failures` lists what failed"
        in sightline("--library", place, "status").text
    )
    assert "`sightline status --failures` lists" in sightline("index", album).text  # the default library
