"""A library of an earlier version of `mini`: it keeps working, reports the newer version, and changes to it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.settings import default_library
from core.space import Space
from encoders.mini.encoder import VERSIONS, MiniEncoder
from indexer import index
from search.evaluate.systems import library_system
from store import Library
from store.exchange import import_vectors, open_vectors
from store.spaces.registry import list_spaces
from tests.support.indexing import copied_library
from tests.support.versions import NEWER, install_newer_mini

Sightline = Callable[..., Any]

OLD = MiniEncoder(VERSIONS[0]).space
NOTICE = (
    f"mini {NEWER} is installed, and this library uses {OLD.title}: `sightline models use mini` changes to mini {NEWER}"
)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The folder of the newer version."""
    return tmp_path / "mini"


@pytest.fixture(scope="session")
def old_once(tmp_path_factory: pytest.TempPathFactory, indexed_once: Path, empty_library: Path) -> Path:
    """A library of four pictures, indexed with one version, to be copied."""
    path = tmp_path_factory.mktemp("old") / "library"
    shutil.copytree(empty_library, path)
    with Library.open(path) as opened:
        index(opened, [indexed_once.parent / "album"], MiniEncoder(VERSIONS[0]))
    return path


@pytest.fixture
def old(sightline: Sightline, album: Path, old_once: Path, newer: Path, monkeypatch: pytest.MonkeyPatch) -> Sightline:
    """The default library has four pictures of one version; a newer one that knows Hungarian is installed."""
    with copied_library(old_once, default_library(), album):
        pass
    install_newer_mini(newer, monkeypatch, languages=["en", "hu"])
    return sightline


def vectors() -> dict[str, int]:
    """Return the number of vectors of each version in the library."""
    with Library.open(default_library()) as opened:
        return {summary.stored.space.name: summary.vectors for summary in list_spaces(opened)}


def best(answer: Any) -> tuple[str, float]:
    return answer.records[0]["path"], answer.records[0]["score"]


def test_status_and_index_report_the_newer_version(old: Sightline, album: Path) -> None:
    status, indexed = old("status"), old("index", album)
    assert f"Space     {OLD}: 4 vectors" in status.text
    assert f"\nNewer     {NOTICE}\n" in status.text
    assert indexed.lines[1:] == [f"  {NOTICE}"]
    assert status.err == indexed.err == ""
    facts = old("status", "--json").record
    assert facts["newer_version"] == old("index", album, "--json").record["newer_version"] == NEWER
    (space,) = facts["spaces"]
    assert (space["model"], space["version"], space["name"]) == ("mini", OLD.version, OLD.name)


def test_searches_do_not_report_the_newer_version(old: Sightline, album: Path) -> None:
    for command in (
        ["search", "red"],
        ["similar", album / "red.png"],
        ["verify"],
        ["highlight", album / "red.png", "red"],
    ):
        answer = old(*command)
        assert f"mini {NEWER}" not in answer.text + answer.err


@pytest.mark.parametrize("model", [(), ("--model", "mini"), ("--model", OLD.name)])
def test_new_pictures_are_embedded_with_the_version_of_the_library(
    old: Sightline, album: Path, paint: Callable[..., Path], model: tuple[str, ...]
) -> None:
    paint(album / "white.png", "white")
    assert old("index", album, *model, "--json").record["embedded"] == 1
    assert vectors() == {OLD.name: 5}


def test_index_with_another_version_is_refused(old: Sightline, album: Path) -> None:
    refused = old("index", album, "--model", f"mini@{NEWER}")
    assert (refused.code, refused.out) == (2, b"")
    assert f"embedded by {OLD}, not by mini {NEWER}" in refused.err
    assert "`sightline models use MODEL`" in refused.err
    assert vectors() == {OLD.name: 4}


def test_new_library_gets_the_newest_version(sightline: Sightline, album: Path, newer: Path, monkeypatch: Any) -> None:
    install_newer_mini(newer, monkeypatch)
    assert sightline("index", album).err == ""
    assert vectors() == {f"mini@{NEWER}": 4}
    assert "Newer" not in sightline("status").text


def test_results_and_highlights_stay_those_of_the_library_version(
    sightline: Sightline, album: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sightline("index", album, "--model", "mini")
    commands = [
        ("search", "a red square", "--json"),
        ("highlight", album / "red.png", "a red square", "--json"),
        ("classify", "--labels", "red,green", "--json"),
    ]
    before = [sightline(*command).records for command in commands]
    install_newer_mini(newer, monkeypatch)
    assert [sightline(*command).records for command in commands] == before
    sightline("models", "use", "mini")
    after = [sightline(*command).records for command in commands]
    assert all(new != old for new, old in zip(after, before, strict=True))


def test_use_changes_to_the_newest_version_and_back(old: Sightline, album: Path) -> None:
    there = old("models", "use", "mini")
    assert f"{OLD} stays active until 4 pictures are embedded by mini {NEWER}" in there.err
    assert f"mini {NEWER} (" in there.lines[0]
    assert there.lines[1] == f"  {OLD.title} keeps its vectors; `sightline models use {OLD.name}` switches back"
    assert vectors() == {OLD.name: 4, f"mini@{NEWER}": 4}
    again = old("models", "use", "mini", "--json").record
    assert (again["version"], again["embedded"], again["before"]) == (NEWER, 0, None)
    assert old("index", album).lines[1:] == []
    assert old("status", "--json").record["newer_version"] is None
    back = old("models", "use", OLD.name, "--json").record
    assert (back["version"], back["embedded"], back["before_version"]) == (OLD.version, 0, NEWER)
    assert old("index", album).lines[1:] == []  # the user knows the newer version
    assert NOTICE in old("status").text


def test_a_stopped_change_is_continued_by_name(old: Sightline, album: Path) -> None:
    from store.spaces import space_fill

    with Library.open(default_library()) as opened, opened.exclusive() as writer:
        space_fill.begin(writer, MiniEncoder().space)
    assert f"incomplete; `sightline models use mini@{NEWER}` continues it" in old("index", album).err
    assert old("models", "use", f"mini@{NEWER}").code == 0
    assert vectors() == {OLD.name: 4, f"mini@{NEWER}": 4}


def test_space_names_choose_a_version(old: Sightline) -> None:
    of_old = best(old("search", "red", "--space", "mini", "--json"))
    old("models", "use", "mini")
    of_new = best(old("search", "red", "--json"))
    assert of_new != of_old
    for name in (OLD.name, OLD.title, OLD.fingerprint[:12]):
        assert best(old("search", "red", "--space", name, "--json")) == of_old
    for name in ("mini", f"mini@{NEWER}"):  # "mini" is the active one of the two
        assert best(old("search", "red", "--space", name, "--json")) == of_new


def test_commands_that_delete_ask_for_the_version(old: Sightline) -> None:
    old("models", "use", "mini")
    for command in (("models", "drop", "mini"), ("forget", "--space", "mini")):
        refused = old(*command)
        assert (refused.code, refused.out) == (2, b"")
        assert f"{OLD.name} ({OLD.fingerprint[:12]}), mini@{NEWER} (" in refused.err
    assert old("models", "drop", OLD.name).text.startswith(f"Dropped 4 vectors of {OLD}.")
    assert vectors() == {f"mini@{NEWER}": 4}
    assert old("verify").code == 0


def test_drop_can_change_to_the_newest_version_first(old: Sightline) -> None:
    assert old("models", "drop", "mini", "--use", "mini").text.startswith(f"Dropped 4 vectors of {OLD}.")
    assert vectors() == {f"mini@{NEWER}": 4}


def test_a_version_that_is_not_installed_leaves_similar_working(
    sightline: Sightline, album: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as upgraded:
        install_newer_mini(newer, upgraded)
        sightline("index", album)
    asked = sightline("search", "red")
    assert (asked.code, asked.out) == (2, b"")
    assert f"{OLD} is installed, and the pictures are embedded by mini {NEWER} (" in asked.err
    assert "`sightline models use mini`" in asked.err
    assert len(sightline("similar", album / "red.png", "--json").records) == 3
    assert "Newer" not in sightline("status").text
    assert sightline("models", "use", "mini").code == 0
    assert sightline("search", "red").code == 0


def test_an_imported_active_space_has_no_newer_version(old: Sightline, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.eye(4, 8, dtype=np.float32))
    (tmp_path / "ids.txt").write_text("a\nb\nc\nd\n")
    with Library.open(default_library()) as opened:
        import_vectors(opened, open_vectors(tmp_path / "vectors.npy", tmp_path / "ids.txt"), "elsewhere")
    assert NOTICE in old("status").text
    assert old("models", "use", "elsewhere", "--accept-missing").code == 0
    assert "Newer" not in old("status").text


def test_imported_vectors_cannot_have_the_name_of_a_version(old: Sightline, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.eye(4, 8, dtype=np.float32))
    for name in ("mini@3", "mini 3"):
        refused = old("import", tmp_path / "vectors.npy", "--space", name)
        assert refused.code == 2
        assert "is a model; choose another name" in refused.err


def test_evaluation_uses_the_version_of_the_space(old: Sightline) -> None:
    old("models", "use", "mini")
    with Library.open(default_library()) as opened:
        systems = [library_system(opened, name) for name in (OLD.name, "mini", None)]
    spaces: list[Space] = [system.captions.space for system in systems if isinstance(system.captions, MiniEncoder)]
    assert [space.version for space in spaces] == [OLD.version, NEWER, NEWER]
    assert systems[0].name == str(OLD)


def test_language_advice_recommends_the_newer_version(old: Sightline) -> None:
    hungarian = ["egy", "kutya", "labdával", "játszik", "a", "hóban"]
    told = old("search", *hungarian).err
    assert f"in Hungarian, in which the model {OLD.title} is known to be weak" in told
    assert f"mini {NEWER} is better and installed. To change to it: `sightline models use mini`." in told
    assert "Hungarian" not in old("search", *hungarian).err
    old("models", "use", "mini")
    assert "Hungarian" not in old("search", *hungarian).err
