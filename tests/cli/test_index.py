"""`sightline index`, `status` and `forget`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.error_hints import installation_of

Sightline = Callable[..., Any]
Paint = Callable[..., Path]


def test_index_prints_summary(sightline: Sightline, album: Path) -> None:
    (album / "broken.png").write_bytes(b"no picture")
    answer = sightline("index", album, "--model", "fake")
    assert (answer.code, answer.err) == (0, "")
    first, second = answer.lines
    assert first.startswith("5 pictures in ")
    assert first.endswith(" s: 4 new, 1 failed")
    assert second == "  1 could not be read; `sightline status --failures` lists the reasons"
    (album / "red.png").unlink()
    answer = sightline("index", album)  # with the model of the library
    assert answer.lines[0].endswith(": 3 unchanged, 1 failed")
    assert answer.lines[1] == "  1 indexed picture was not found; its record is kept"


def test_index_prints_json(sightline: Sightline, album: Path) -> None:
    record = sightline("index", album, "--model", "fake", "--json").record
    assert set(record) == {
        "new", "unchanged", "changed", "moved", "restored", "missing", "failed", "duplicates", "companions", "embedded",
        "seconds", "metadata_updated", "unreadable", "too_long", "absent", "passed_over", "timings", "newer_version",
    }  # fmt: skip
    assert (record["new"], record["embedded"], record["unchanged"], record["unreadable"]) == (4, 4, 0, [])
    assert record["seconds"] > 0


def test_index_applies_options(sightline: Sightline, album: Path, paint: Paint) -> None:
    paint(album / ".hidden.png", "white")
    paint(album.with_name("linked") / "cyan.png", "cyan")
    (album / "link").symlink_to(album.with_name("linked"))
    options = ["--model", "fake", "--json", "--exclude", "more/", "--exclude", "*ue.png", "--workers", "1"]
    assert sightline("index", album, *options).record["new"] == 2
    record = sightline("index", album, "--json", "--include-hidden", "--follow-links").record
    assert (record["new"], record["unchanged"]) == (4, 2)
    record = sightline("index", album, "--json", "--include-hidden", "--follow-links", "--full").record
    assert (record["unchanged"], record["embedded"]) == (6, 0)
    assert "read" in record["timings"]


def test_files_that_are_passed_over_are_counted(sightline: Sightline, album: Path) -> None:
    for name in ("a.psd", "b.PSD", "more/c.svg", "more/notes"):
        (album / name).write_bytes(b"x")
    answer = sightline("index", album, "--model", "fake")
    assert answer.code == 0
    assert answer.lines[1:] == ["  4 files were passed over: 2 psd, 1 without a suffix, 1 svg"]
    assert sightline("index", album, "--json").record["passed_over"] == {"psd": 2, "": 1, "svg": 1}
    assert "Other     4 files were passed over: 2 psd, 1 without a suffix, 1 svg\n" in sightline("status").text
    listed = sightline("status", "--passed-over").lines
    assert f"Other     {album}: 2 psd" in listed
    assert f"Other     {album / 'more'}: 1 without a suffix, 1 svg" in listed
    record = sightline("status", "--passed-over", "--json").record
    assert record["passed_over"] == {"psd": 2, "": 1, "svg": 1}
    assert record["passed_over_folders"][0] == {"folder": str(album), "type": "psd", "files": 2}


def test_a_folder_without_a_supported_picture_exits_with_1(sightline: Sightline, tmp_path: Path) -> None:
    folder = tmp_path / "drawings"
    folder.mkdir()
    answer = sightline("index", folder, "--model", "fake")
    assert (answer.code, answer.lines[0].endswith(": nothing found")) == (0, True)
    for number in range(10):
        (folder / f"a.x{number}").touch()
    answer = sightline("index", folder)
    assert answer.code == 1
    assert answer.lines[0].endswith(": no supported pictures")
    types = ", ".join(f"1 x{number}" for number in range(8))
    assert answer.lines[1] == f"  10 files were passed over: {types}, 2 of other types"
    assert sightline("index", folder, "--json").code == 1


def test_index_names_the_extra_that_files_need(
    sightline: Sightline, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (album / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    answer = sightline("index", album, "--model", "fake")
    assert answer.lines[-1] == f"  1 file of the library needs an extra: {installation_of('heic')}"


def test_companions_are_counted_unless_pairs_are_turned_off(sightline: Sightline, album: Path) -> None:
    (album / "red.png").rename(album / "red.jpg")
    (album / "red.nef").write_bytes((album / "green.png").read_bytes())
    answer = sightline("index", album, "--model", "fake")
    assert answer.lines[0].endswith(": 4 new")
    assert answer.lines[1] == "  1 RAW file or moving part belongs to pictures beside them"
    assert sightline("index", album, "--no-pairs").lines[0].endswith(": 1 new, 4 unchanged")


def test_only_failed_files_are_tried_again(sightline: Sightline, album: Path, paint: Callable[..., Path]) -> None:
    (album / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert sightline("index", album, "--model", "fake", "--json").record["failed"] == 1
    paint(album / "new.png", "cyan")
    record = sightline("index", album, "--retry-failed", "--json").record
    assert (record["failed"], record["new"], record["unchanged"], record["missing"]) == (1, 0, 4, 0)
    paint(album / "broken.png", "magenta")
    assert sightline("index", album, "--retry-failed", "--json").record["failed"] == 0
    assert sightline("index", album, "--json").record["new"] == 1


def test_emptied_folder_requires_accept_missing(sightline: Sightline, album: Path) -> None:
    sightline("index", album, "--model", "fake")
    album.rename(album.with_name("away"))
    album.mkdir()
    answer = sightline("index", album)
    assert (answer.code, answer.out) == (2, b"")
    assert "Is it mounted?" in answer.err
    assert "--accept-missing" in answer.err
    assert sightline("index", album, "--accept-missing", "--json").record["missing"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "--model", "fake"], "There is no folder"),
        (["album/red.png", "--model", "fake"], "/album` indexes its folder."),
        (["album", "--model", "clop"], "Unknown model 'clop'. Choose from: mini.\nHint: `sightline models list`"),
    ],
)
def test_failed_index_creates_no_library(
    sightline: Sightline, album: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album.parent)
    answer = sightline("index", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert message in answer.err
    assert answer.err.startswith("sightline: ")
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("options", [[], ["x", "--workers", "0"], ["x", "--exclude", "!"]])
def test_invalid_options_exit_with_2(sightline: Sightline, options: list[str]) -> None:
    answer = sightline("index", *options)
    assert answer.code == 2
    assert "Usage:" in answer.err
    assert "Traceback" not in answer.err


def test_changed_weights_are_refused(sightline: Sightline, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from encoders import fake, registry

    sightline("index", album, "--model", "fake")

    class Other(fake.FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = type(self.space)("fake", "other weights", 13, self.space.preprocessing)

    monkeypatch.setitem(registry.ENCODERS._loaded, "fake", Other)
    for command in (["index", album, "--model", "fake"], ["index", album], ["search", "red"]):
        answer = sightline(*command)
        assert (answer.code, answer.out) == (2, b"")
        assert "cannot be compared" in answer.err
        assert "`sightline models use fake` embeds the pictures again" in answer.err


def test_working_directory_keeps_links_of_pwd(
    sightline: Sightline, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `cd link/more`, `os.getcwd` returns the target of the link, while `$PWD` keeps the link."""
    (tmp_path / "link").symlink_to(album)
    sightline("index", tmp_path / "link", "--model", "fake")
    monkeypatch.chdir(tmp_path / "link" / "more")
    monkeypatch.setenv("PWD", str(tmp_path / "link" / "more"))
    assert sightline("index", ".").lines[0].endswith(": 1 unchanged")
    assert [root["path"] for root in sightline("status", "--json").record["roots"]] == [str(tmp_path / "link")]
    assert sightline("forget", ".").lines == ["Forgot 1 pictures."]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sightline("index", "~/link").lines[0].endswith(": 1 new, 3 unchanged")
    assert sightline("forget", "~/link/more").lines == ["Forgot 1 pictures."]
    monkeypatch.setenv("PWD", str(tmp_path))  # inherited, and wrong
    assert sightline("index", ".").lines[0].endswith(": 1 new")
    roots = sightline("status", "--json").record["roots"]
    assert [root["path"] for root in roots] == [str(tmp_path / "link")]  # the same folder under another name
    answer = sightline("index", "~no-such-user/pictures")
    assert (answer.code, "There is no folder" in answer.err) == (2, True)


def test_status_prints_text(sightline: Sightline, filled: Path, album: Path) -> None:
    answer = sightline("status")
    assert (answer.code, answer.err) == (0, "")
    assert "4: 4 present, 0 missing, 0 failed" in answer.text
    assert "fake (dd247693784f): 4 vectors of 13 × float16, active\n" in answer.text
    assert str(album) in answer.text


def test_status_prints_json(sightline: Sightline, filled: Path, album: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (album / name).write_bytes(b"no picture")
    (album / "red.png").unlink()
    sightline("index", album)
    record = sightline("status", "--json").record
    assert set(record) == {
        "library",
        "pictures",
        "present",
        "missing",
        "failed",
        "documents",
        "bytes",
        "spaces",
        "faiss",
        "roots",
        "passed_over",
        "texts",
        "unfinished_imports",
        "newer_version",
    }
    assert (record["pictures"], record["present"], record["missing"], record["failed"]) == (5, 3, 1, 1)
    (space,) = record["spaces"]
    assert set(space) == {
        "model",
        "version",
        "name",
        "fingerprint",
        "dim",
        "dtype",
        "vectors",
        "active",
        "pictures",
        "covered",
        "failed",
        "filling",
        "calibrating",
        "calibration_failure",
        "calibration_file",
        "index",
    }
    assert (space["pictures"], space["covered"], space["filling"]) == (3, 3, None)
    assert (space["model"], space["vectors"], space["active"]) == ("fake", 4, True)
    assert space["index"] == {"engine": "flat"}
    assert record["roots"] == [{"path": str(album), "present": 3, "missing": 1, "failed": 1, "away": 0}]
    assert record["bytes"] >= max(file.stat().st_size for file in filled.rglob("*") if file.is_file())
    (failure,) = sightline("status", "--failures", "--json").record["failures"]
    assert failure["path"].endswith("caf\\xe9.png")
    assert (failure["reason"], failure["tries"]) == ("undecodable", 1)
    assert "caf\\xe9.png" in sightline("status", "--failures").text


@pytest.mark.parametrize("verb", ["status", "verify", "repair", "search red", "similar x.png", "forget ."])
def test_missing_library_names_index_command(sightline: Sightline, verb: str) -> None:
    answer = sightline(*verb.split())
    assert (answer.code, answer.out) == (2, b"")
    assert "`sightline index FOLDER` creates one." in answer.err
    assert answer.err.count("\n") == 2


def test_forget_removes_pictures_but_no_files(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("forget", album / "more", "--dry-run").lines == ["Would forget 1 pictures."]
    assert sightline("forget", album / "more", "--dry-run", "--json").record == {"would_forget": 1}
    assert sightline("forget", album / "more").lines == ["Forgot 1 pictures."]
    (album / "red.png").unlink()
    sightline("index", album, "--exclude", "more/")
    assert sightline("forget", album, "--missing", "--json").record == {"forgotten": 1}
    assert len(sightline("search", "red").lines) == 2
    answer = sightline("forget", album / "none")
    assert (answer.code, answer.out) == (2, b"")
    assert (album / "blue.png").exists()


def test_repair_fixes_what_verify_finds(sightline: Sightline, filled: Path) -> None:
    answer = sightline("verify")
    assert (answer.code, answer.lines) == (0, ["No faults found."])
    assert sightline("verify", "--json").out == b""
    assert sightline("search", "red").code == 0  # the index file of a copied library may be that of another database
    assert sightline("repair").lines == ["Nothing to repair."]
    (file,) = (filled / "indexes").glob("*.faiss")
    file.unlink()
    answer = sightline("verify")
    assert answer.code == 1
    assert answer.lines[0].startswith("index: ")
    answer = sightline("verify", "--json")
    assert answer.code == 1
    assert answer.record["kind"] == "index"
    assert len(sightline("repair", "--json").record["done"]) == 1
    assert sightline("verify").code == 0
