"""Commands in messages: they are about the library that the running command is about."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.suggestions import command, remember_library, without_library
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
    url, without = "postgresql://anna:secret@db/photos", "postgresql://anna@db/photos"
    remember_library(Path(url), url)
    assert command("status") == f"`sightline --library {without} status`"
    remember_library(Path(url), None)  # named by the environment, which has the password
    assert command("status", without) == "`sightline status`"


def test_a_url_that_cannot_be_read_is_not_in_the_command() -> None:
    url = "postgresql://a:se/cret@b/e"
    remember_library(Path(url), url)
    assert command("status") == "`sightline status`"


def test_control_characters_are_not_printed() -> None:
    remember_library(Path("a\n\x1b[31m\udcff"), "a\n\x1b[31m\udcff")
    assert command("status") == r"`sightline --library 'a\x0a\x1b[31m\xff' status`"


def test_messages_for_other_places_name_no_library() -> None:
    remember_library(Path("lib"), "lib")
    with without_library():
        assert command("status") == "`sightline status`"
    assert command("status") == "`sightline --library lib status`"


def test_eval_remembers_its_library(sightline: Sightline, tmp_path: Path) -> None:
    (tmp_path / "captions.jsonl").write_text('{"image": "a.png", "caption": "red"}\n')
    assert sightline("eval", tmp_path / "captions.jsonl", "--library", tmp_path / "none").code == 2
    assert command("status").startswith("`sightline --library ")


def test_stored_errors_of_jobs_name_no_library(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    place = ("--library", os.environ["SIGHTLINE_LIBRARY"])
    assert sightline("jobs", "add", "index", folder, *place).code == 0
    folder.rmdir()
    folder.write_bytes(b"a file")
    assert sightline("jobs", "run", *place).code == 2
    assert f"`sightline index {tmp_path}` indexes its folder." in sightline("jobs", "list", *place).text


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
