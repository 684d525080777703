"""`sightline import` and `export`, and other verbs in libraries with imported vectors."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Sightline = Callable[..., Any]

VECTORS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with vectors of two pictures of the album and of a document whose name is not UTF-8."""
    np.save(tmp_path / "v.npy", VECTORS)
    (tmp_path / "names").write_bytes(b"red.png\nblue.png\ncaf\xe9\n")
    return tmp_path


def test_import_reports_pictures_and_documents(sightline: Sightline, filled: Path, files: Path, album: Path) -> None:
    arguments = ("import", files / "v.npy", "--space", "clip", "--paths", files / "names", "--root", album)
    record = sightline(*arguments, "--json").record
    assert record.pop("seconds") > 0
    assert len(record.pop("fingerprint")) == 64
    assert record == {
        "space": "clip", "dim": 3, "dtype": "float32", "vectors": 3, "pictures": 2, "documents": 1,
        "unknown_paths": 1, "copies": 0, "unknown_frames": 0, "active": False,
    }  # fmt: skip
    again = sightline(*arguments)
    assert (again.code, again.out) == (2, b"")
    assert "--replace" in again.err
    answer = sightline(*arguments, "--replace", "--dtype", "float16")
    assert (answer.code, answer.err) == (0, "")
    assert "3 vectors of 3 × float16" in answer.text
    assert "2 for pictures of the library, 1 for documents" in answer.text
    assert "1 of the documents have paths that are not in the library" in answer.text
    assert "--activate" in answer.text
    assert sightline("verify").text == "No faults found.\n"


def test_import_reports_frames_that_the_library_does_not_know(
    sightline: Sightline, filled: Path, files: Path, album: Path
) -> None:
    """The second vector is of another page of a file that was indexed as a still picture."""
    (files / "names.jsonl").write_text(
        '{"path": "red.png"}\n{"path": "red.png", "frame": 1}\n{"path": "blue.png"}\n', encoding="utf-8"
    )
    answer = sightline("import", files / "v.npy", "--space", "clip", "--paths", files / "names.jsonl", "--root", album)
    assert (answer.code, answer.err) == (0, "")
    assert "2 for pictures of the library, 0 for documents" in answer.text
    assert "1 skipped: pages or moments that the library does not know" in answer.text


def test_import_succeeds_if_its_inverted_lists_cannot_be_written(
    sightline: Sightline, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", "auto:1")
    monkeypatch.setattr("store.spaces.inverted_lists.InvertedLists.write", full)
    answer = sightline("import", files / "v.npy", "--space", "clip", "--ids", files / "names")
    assert (answer.code, "3 vectors of 3" in answer.text) == (0, True)
    assert "No space left on device" in answer.err
    repaired = sightline("repair")
    assert (repaired.code, "No space left on device" in repaired.err) == (0, True)


def test_import_into_new_library(sightline: Sightline, files: Path, album: Path) -> None:
    answer = sightline("import", files / "v.npy", "--space", "clip", "--ids", files / "names")
    assert (answer.code, "--activate" in answer.text) == (0, False)
    assert sightline("search", "red").code == 2
    refused = sightline("search", "red")
    assert "Its vectors were imported" in refused.err
    assert "sightline similar" in refused.err
    status = sightline("status")
    assert "Documents 3" in status.text
    assert "0 present" in status.text
    indexed = sightline("index", album, "--model", "fake")
    assert (indexed.code, indexed.err) == (0, "")
    assert sightline("search", "red", "--json").records[0]["path"].endswith("red.png")  # the first model is active


def test_index_uses_library_model_while_imported_space_is_active(
    sightline: Sightline, filled: Path, files: Path, album: Path
) -> None:
    arguments = ("--space", "clip", "--ids", files / "names", "--activate")
    assert sightline("import", files / "v.npy", *arguments, "--json").record["active"]
    (album / "red.png").rename(album / "moved.png")
    again = sightline("index", album, "--json")  # with the model of the library
    assert (again.code, again.record["moved"]) == (0, 1)
    (line,) = [line for line in sightline("status").lines if line.startswith("Space     clip ")]
    assert line.endswith("): 3 vectors of 3 × float32, active, covers 0 of 4 pictures")


def test_similar_returns_documents(sightline: Sightline, filled: Path, files: Path, album: Path) -> None:
    sightline("import", files / "v.npy", "--space", "clip", "--paths", files / "names", "--root", album, "--activate")
    first, second = sightline("similar", album / "red.png", "--json").records
    assert first["path"] == str(album / "blue.png")
    assert second.pop("id") > 0
    assert second == {
        "rank": 2,
        "path": None,
        "document": "caf\\xe9",
        "document_b64": "Y2Fm6Q==",
        "score": 0.0,
        "text_match": None,
        "relevance": None,
        "is_relevant": None,
    }
    assert sightline("similar", album / "red.png").lines[1] == "  2  0.000  caf\\xe9  (document)"
    assert sightline("similar", album / "red.png", "-0").out == os.fsencode(album / "blue.png") + b"\0caf\xe9\0"
    assert sightline("similar", album / "red.png", "--sheet", files / "sheet.html").code == 0
    assert "caf" in (files / "sheet.html").read_text()


def test_export_and_import_again(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    record = sightline("export", "fake", tmp_path / "out", "--parquet", "--json").record
    assert len(record.pop("fingerprint")) == 64
    assert record == {"space": "fake", "dim": 13, "dtype": "float16", "vectors": 4, "path": str(tmp_path / "out")}
    assert np.load(tmp_path / "out" / "vectors.npy").shape == (4, 13)
    for source in ("out", "out/vectors.parquet"):
        answer = sightline("import", tmp_path / source, "--space", source)
        assert "4 for pictures of the library, 0 for documents" in answer.text
    again = sightline("export", "fake", tmp_path / "out")
    assert (again.code, "already exists" in again.err) == (2, True)
    assert "4 vectors of 13 × float16" in sightline("export", "out", tmp_path / "out2").text
    unknown = sightline("export", "nope", tmp_path / "out3")
    assert (unknown.code, "fake (" in unknown.err, "out (" in unknown.err) == (2, True, True)


def test_forget_space(sightline: Sightline, filled: Path, files: Path) -> None:
    sightline("import", files / "v.npy", "--space", "clip", "--activate")
    assert sightline("forget", "--space", "clip", "--dry-run", "--json").record == {"would_forget": 3}
    assert sightline("forget", "--space", "clip").text == "Forgot 3 vectors.\n"
    assert sightline("status", "--json").record["documents"] == 0
    assert sightline("search", "red", "-k", "1").code == 0
    assert sightline("forget", "--space", "clip").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("forget",),
        ("forget", ".", "--space", "clip"),
        ("forget", "--space", "fake", "--missing"),
        ("import", "v.npy", "--space", "mini"),
        ("import", "v.npy", "--space", "x", "--ids", "names", "--paths", "names"),
        ("import", "v.npy"),
        ("import", "nothing.npy", "--space", "x"),
    ],
)
def test_invalid_arguments_exit_with_2(
    sightline: Sightline, filled: Path, files: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(files)
    answer = sightline(*arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert "Usage:" in answer.err


def test_failed_import_creates_no_library(sightline: Sightline, tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(b"nothing")
    answer = sightline("--library", tmp_path / "new", "import", tmp_path / "v.npy", "--space", "x")
    assert (answer.code, "not a .npy file" in answer.err) == (2, True)
    assert not (tmp_path / "new").exists()


def test_stopped_import_is_shown_and_can_be_removed(
    sightline: Sightline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "v.npy", np.eye(7, dtype=np.float32))

    def stop(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("store.spaces.index_cache.publish", stop)
        sightline("import", tmp_path / "v.npy", "--space", "mine")
    (stopped,) = sightline("status", "--json").record["unfinished_imports"]
    assert (stopped["name"], stopped["vectors"], stopped["state"]) == ("mine", 7, "stopped")
    (line,) = [line for line in sightline("status").lines if line.startswith("Import ")]
    assert line.startswith("Import    of mine was stopped after 7 vectors; the same `sightline import` continues it")
    assert "Unknown space 'mine'" in sightline("export", "mine", tmp_path / "out").err
    assert sightline("forget", "--space", stopped["fingerprint"][:12]).text == "Forgot 7 vectors.\n"
    assert sightline("status", "--json").record["unfinished_imports"] == []
