"""`sightline models use` and `drop`, `--space`, and other verbs in libraries with several spaces."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.space import Space
from encoders import fake, registry
from encoders.mini.encoder import MiniEncoder
from store import Library
from store.spaces import space_fill
from store.spaces.registry import register

Sightline = Callable[..., Any]

MINI, FAKE = MiniEncoder().space.fingerprint, fake.FakeEncoder().space.fingerprint
VERSION = MiniEncoder().space.version


@pytest.fixture
def indexed(sightline: Sightline, album: Path) -> Sightline:
    """Index four pictures with the fake model."""
    assert sightline("index", album, "--model", "fake").code == 0
    return sightline


def library() -> Library:
    from core.settings import default_library

    return Library.open(default_library())


def test_use_embeds_all_pictures_and_switches(indexed: Sightline) -> None:
    answer = indexed("models", "use", "mini", "--json")
    (facts,) = answer.records
    assert (answer.code, facts.pop("seconds") > 0) == (0, True)
    assert facts == {
        "model": "mini", "version": VERSION, "fingerprint": MINI, "answers": True, "pictures": 4, "covered": 4,
        "failed": 0, "lacking": 0, "missing": 0, "embedded": 4, "before": FAKE, "before_model": "fake",
        "before_version": None,
    }  # fmt: skip
    assert "fake" in answer.err
    assert "stays active until 4 pictures are embedded by mini" in answer.err
    (status,) = indexed("status", "--json").records
    shown = [(space["model"], space["active"], space["covered"], space["filling"]) for space in status["spaces"]]
    assert shown == [("fake", False, 4, None), ("mini", True, 4, None)]


def test_use_counts_copies_once(indexed: Sightline, album: Path) -> None:
    shutil.copytree(album, album.parent / "copies")
    assert indexed("index", album.parent / "copies").code == 0
    answer = indexed("models", "use", "mini")
    assert "stays active until 4 pictures are embedded by mini" in answer.err
    assert "4 of 4 pictures, 4 of them embedded" in answer.text


def test_switching_back_embeds_nothing(indexed: Sightline) -> None:
    there = indexed("models", "use", "mini")
    assert "`sightline models use fake` switches back" in there.text
    back = indexed("models", "use", "fake")
    assert "fake (" in back.text
    assert "4 of 4 pictures, 0 of them embedded" in back.text
    assert back.err == ""


def test_no_switch_keeps_active_model(indexed: Sightline) -> None:
    assert "is ready, but not active" in indexed("models", "use", "mini", "--no-switch").text
    (hit,) = indexed("search", "red", "-k", "1", "--json").records
    assert hit["score"] == pytest.approx(1, abs=1e-3)  # the score of the fake model


def test_space_selects_space(indexed: Sightline, album: Path) -> None:
    indexed("models", "use", "mini")
    by_colour = indexed("search", "red", "--space", "fake", "-k", "1", "--json")
    assert by_colour.records[0]["score"] == pytest.approx(1, abs=1e-3)
    assert by_colour.err == ""
    alike = indexed("similar", album / "red.png", "--space", FAKE[:8], "-k", "1", "--json")
    assert alike.records[0]["path"].endswith("yellow.png")
    unknown = indexed("search", "red", "--space", "nope")
    assert (unknown.code, unknown.out) == (2, b"")
    assert "fake (" in unknown.err


def test_incomplete_space_warns_of_coverage(indexed: Sightline, album: Path, paint: Callable[..., Path]) -> None:
    indexed("models", "use", "mini", "--no-switch")
    paint(album / "white.png", "white")
    indexed("index", album)
    half = indexed("search", "red", "--space", "mini", "--json")
    assert len(half.records) == 4
    assert "covers 4 of 5 pictures" in half.err


def test_index_warns_of_incomplete_switch(indexed: Sightline, album: Path) -> None:
    with library() as opened, opened.exclusive() as writer:
        space_fill.begin(writer, MiniEncoder().space)
    answer = indexed("index", album)
    assert "the change to mini" in answer.err
    assert f"is incomplete; `sightline models use mini@{VERSION}` continues it" in answer.err
    status = indexed("status").text
    assert f"partly filled (`sightline models use mini@{VERSION}` continues), covers 0 of 4 pictures" in status
    with library() as opened, opened.space_fill_lock(MINI):
        assert "is in progress" in indexed("index", album).err
        assert "being filled" in indexed("status").text
    assert indexed("models", "use", "mini").code == 0
    assert indexed("index", album).err == ""


def test_drop_removes_vectors_and_index(indexed: Sightline, album: Path) -> None:
    indexed("models", "use", "mini")
    assert indexed("models", "drop", "fake", "--dry-run").text == f"Would drop 4 vectors of fake ({FAKE[:12]}).\n"
    (dropped,) = indexed("models", "drop", "fake", "--vacuum", "--json").records
    assert dropped == {"dropped": 4, "space": f"fake ({FAKE[:12]})", "free_bytes": 0}
    (status,) = indexed("status", "--json").records
    assert [space["model"] for space in status["spaces"]] == ["mini"]
    assert indexed("verify").code == 0
    with library() as opened:
        assert len(list(opened.indexes.glob("*.faiss"))) == 1


def test_drop_of_active_model_requires_use(indexed: Sightline) -> None:
    refused = indexed("models", "drop", "fake")
    assert (refused.code, refused.out) == (2, b"")
    assert "--use OTHER" in refused.err
    assert indexed("models", "drop", "fake", "--use", "mini").text.startswith("Dropped 4 vectors of fake")
    (status,) = indexed("status", "--json").records
    assert [(space["model"], space["active"]) for space in status["spaces"]] == [("mini", True)]


def test_space_being_filled_is_not_dropped(indexed: Sightline) -> None:
    indexed("models", "use", "mini", "--no-switch")
    with library() as opened, opened.space_fill_lock(MINI):
        refused = indexed("models", "drop", "mini")
    assert refused.code == 2
    assert "another process is filling it" in refused.err


def test_changed_weights_keep_similar_working(indexed: Sightline, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update of a model, its old vectors can still be compared with each other."""

    class Newer(fake.FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = Space("fake", "newer", 13, self.space.preprocessing)

    monkeypatch.setitem(registry.ENCODERS._loaded, "fake", Newer)
    asked = indexed("search", "red")
    assert (asked.code, asked.out) == (2, b"")
    assert "`sightline models use fake` embeds the pictures again" in asked.err
    (alike,) = indexed("similar", album / "red.png", "-k", "1", "--json").records
    assert alike["path"].endswith("yellow.png")
    new = indexed("models", "use", "fake")
    assert f"`sightline models use {FAKE[:12]}` switches back" in new.text
    assert indexed("search", "red", "-k", "1").code == 0
    assert indexed("search", "red", "--space", "fake", "-k", "1").code == 0  # the active one
    several = indexed("models", "drop", "fake")
    assert "Several spaces are called 'fake'. Name one by its version or its fingerprint" in several.err
    back = indexed("models", "use", FAKE[:12])
    assert "new pictures cannot be embedded" in back.err
    assert indexed("similar", album / "red.png", "-k", "1").code == 0
    assert indexed("search", "red").code == 2


def test_use_of_unknown_model(indexed: Sightline) -> None:
    answer = indexed("models", "use", "nope")
    assert (answer.code, answer.out) == (2, b"")
    assert "Unknown model 'nope'" in answer.err


def test_unavailable_folder_stops_switch(indexed: Sightline, album: Path) -> None:
    shutil.rmtree(album)
    answer = indexed("models", "use", "mini")
    assert answer.code == 2
    assert "is it mounted?" in answer.err
    (hit, *_) = indexed("search", "red", "--json").records
    assert hit["score"] == pytest.approx(1, abs=1e-3)


def test_status_reports_vector_failures(indexed: Sightline) -> None:
    with library() as opened, opened.transaction() as connection:
        from store.spaces.embeddings import record_vector_failures

        record_vector_failures(connection, register(connection, MiniEncoder().space), {1: "not all values are finite"})
    status = indexed("status")
    assert "1 could not be embedded" in status.text
    assert "--failures" in status.text
    assert f"not all values are finite (bad-vector in mini {VERSION}, tried 1×)" in indexed("status", "--failures").text
    (facts,) = indexed("status", "--failures", "--json").records
    assert (facts["failures"][0]["space"], facts["failures"][0]["version"]) == ("mini", VERSION)
