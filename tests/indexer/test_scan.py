# ruff: noqa: PTH102, PTH106
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.scan import Scan, ScanSettings, scan
from store.ingest.scanned_files import companion_paths, unpack_sidecars


def touch(root: Path, *names: str | bytes) -> None:
    for name in names:
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def paths(found: Scan) -> list[bytes]:
    return [file.relpath for file in found]


def test_scan_finds_pictures_by_suffix_with_size_and_time(tmp_path: Path) -> None:
    touch(tmp_path, "a.JPG", "b/c.png", "notes.txt", "jpg", "drawing.SVG", "noext")
    (tmp_path / "a.JPG").write_bytes(b"12345")
    os.utime(tmp_path / "a.JPG", ns=(1, 1_700_000_000_123_456_789))
    first, second = scan(tmp_path)
    assert (first.relpath, first.size, first.mtime_ns) == (b"a.JPG", 5, 1_700_000_000_123_456_789)
    assert second.relpath == b"b/c.png"


def test_files_that_are_not_taken_are_counted_by_folder_and_type(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a.jpg",
        "b.PSD",
        "c.psd",
        "notes",
        "Mr. Smith's list",
        "more/d.svg",
        "more/deep/e.tar.gz",
        "empty/f.jpg",
    )
    touch(tmp_path, ".hidden", ".album/g.psd", "out/h.psd", "i.psd~", "._j.psd", "Thumbs.db")
    (tmp_path / ".sightlineignore").write_text("out\n*~\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to(tmp_path / "gone")
    counted: dict[bytes, dict[str, int]] = {}
    found = scan(tmp_path, passed_over=lambda folder, files: counted.update({folder: dict(files)}))
    assert paths(found) == [b"a.jpg", b"empty/f.jpg"]
    assert counted == {b"": {"psd": 2, "": 2}, b"more": {"svg": 1}, b"more/deep": {"gz": 1}}


def test_sidecars_and_companions_are_not_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.nef", "a.xmp", "a.jpg.json", "a.AAE", "a.jpg.pp3", "b.xmp", "b.json", "b.aae")
    counted: dict[bytes, dict[str, int]] = {}
    found = scan(tmp_path, passed_over=lambda folder, files: counted.update({folder: dict(files)}))
    assert paths(found) == [b"a.jpg"]
    assert counted == {b"": {"xmp": 1, "json": 1, "aae": 1}}


def test_a_file_without_a_suffix_is_a_picture_by_its_first_bytes(tmp_path: Path) -> None:
    for name, kind in {"IMG_9": "JPEG", "b": "PNG", "c": "BMP", "d.": "GIF", "e.unknown": "PNG"}.items():
        Image.new("RGB", (8, 8)).save(tmp_path / name, kind)
    touch(tmp_path, "text")
    (tmp_path / "empty").touch()
    assert paths(scan(tmp_path)) == [b"IMG_9", b"b", b"d."]


def test_companions_come_with_their_picture(tmp_path: Path) -> None:
    touch(
        tmp_path, "sub/a.jpg", "sub/A.NEF", "sub/a.mov", "sub/a.xmp", "sub/A.nef.xmp", "sub/b.nef", "out.jpg", "out.nef"
    )
    (tmp_path / ".sightlineignore").write_text("out.jpg\n")
    found = {file.relpath: file for file in scan(tmp_path)}
    assert sorted(found) == [b"out.nef", b"sub/a.jpg", b"sub/b.nef"]
    assert companion_paths(found[b"sub/a.jpg"]) == [b"sub/A.NEF", b"sub/a.mov"]
    sidecars = unpack_sidecars(found[b"sub/a.jpg"].sidecars or b"")
    assert [each.relpath for each in sidecars] == [b"sub/a.xmp", b"sub/A.nef.xmp"]
    alone = paths(scan(tmp_path, ScanSettings(pairs=False)))
    assert alone == [b"out.nef", b"sub/A.NEF", b"sub/a.jpg", b"sub/a.mov", b"sub/b.nef"]


def test_files_are_in_byte_order_of_paths(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a/z.jpg", "a-b.jpg", "a0.jpg", "B.jpg", "ä/1.jpg", "a b/1.jpg", "a/b/c.jpg")
    found = paths(scan(tmp_path))
    assert len(found) == 8
    assert found == sorted(found)


def test_names_that_are_not_utf8_are_preserved(tmp_path: Path) -> None:
    names = [b"caf\xe9.jpg", b"\xff\xfe/x.png", b"new\nline.jpg", b"back\\slash.jpg"]
    touch(tmp_path, *names)
    assert paths(scan(tmp_path)) == sorted(names)


def test_ignore_patterns_match_names_that_are_not_utf8(tmp_path: Path) -> None:
    touch(tmp_path, b"caf\xe9.jpg", b"tea.jpg")
    (tmp_path / ".sightlineignore").write_bytes(b"caf\xe9.*\n")
    assert paths(scan(tmp_path)) == [b"tea.jpg"]


def test_trash_caches_and_companion_files_are_ignored(tmp_path: Path) -> None:
    clutter = ["._a.jpg", "@eaDir/a.jpg", "x/node_modules/a.png", "$RECYCLE.BIN/a.jpg", "__MACOSX/._a.jpg"]
    touch(tmp_path, *clutter, ".thumbnails/a.png", ".git/a.png", ".Trash-1000/a.jpg", "#recycle/a.jpg", "a.jpg")
    assert paths(scan(tmp_path)) == [b"a.jpg"]
    assert paths(scan(tmp_path, ScanSettings(include_hidden=True))) == [b"a.jpg"]


def test_only_the_originals_of_photo_libraries_are_taken(tmp_path: Path) -> None:
    library = "My.photoslibrary"
    touch(tmp_path, f"{library}/originals/0/a.jpg", f"{library}/resources/derivatives/a.jpg", f"{library}/cover.jpg")
    touch(tmp_path, "Old.photolibrary/Masters/b.jpg", "Old.photolibrary/Thumbnails/b.jpg")
    touch(tmp_path, "Catalog Previews.lrdata/c.jpg", "originals/d.jpg", "resources/e.jpg")
    found = paths(scan(tmp_path))
    kept = [b"My.photoslibrary/originals/0/a.jpg", b"Old.photolibrary/Masters/b.jpg"]
    assert found == [*kept, b"originals/d.jpg", b"resources/e.jpg"]
    assert paths(scan(tmp_path / library)) == [b"originals/0/a.jpg"]


def test_hidden_files_are_included_on_request(tmp_path: Path) -> None:
    touch(tmp_path, ".a.jpg", ".album/b.jpg", "c.jpg")
    assert paths(scan(tmp_path)) == [b"c.jpg"]
    assert paths(scan(tmp_path, ScanSettings(include_hidden=True))) == [b".a.jpg", b".album/b.jpg", b"c.jpg"]


def test_only_returns_named_files_even_if_ignored(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", ".hidden/c.bin")
    (tmp_path / ".sightlineignore").write_bytes(b"*.jpg\n")
    only = frozenset([b"b.jpg", b".hidden/c.bin", b".hidden", b"gone.jpg"])
    assert paths(scan(tmp_path, ScanSettings(only=only))) == [b".hidden/c.bin", b"b.jpg"]


def test_nested_ignore_files_apply_to_their_folders(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a.gif",
        "keep.gif",
        "out/a.jpg",
        "sub/a.gif",
        "sub/deep/a.gif",
        "sub/deep/b.gif",
        "sub/top.jpg",
    )
    touch(tmp_path, "sub/deep/top.jpg")
    (tmp_path / ".sightlineignore").write_text("# drawings\n*.gif\n!keep.gif\nout/\n!out/a.jpg\n")
    (tmp_path / "sub/.sightlineignore").write_text("!/deep/a.gif\r\n/top.jpg\r\n")
    assert paths(scan(tmp_path)) == [b"keep.gif", b"sub/deep/a.gif", b"sub/deep/top.jpg"]


def test_ignore_everything_except_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.png", "sub/a.jpg", "sub/a.png", "node_modules/a.jpg")
    (tmp_path / ".sightlineignore").write_text("*\n!*/\n!*.jpg\n")
    assert paths(scan(tmp_path)) == [b"a.jpg", b"sub/a.jpg"]


def test_exclude_takes_precedence_over_ignore_files(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", "sub/a.jpg", "sub/c.jpg")
    (tmp_path / "sub/.sightlineignore").write_text("!a.jpg\nc.jpg\n")
    assert paths(scan(tmp_path, ScanSettings(exclude=("a.jpg", "!c.jpg")))) == [b"b.jpg", b"sub/c.jpg"]


def test_invalid_exclude_pattern_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="!"):
        scan(tmp_path, ScanSettings(exclude=("!",)))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the reference here")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    top=st.lists(
        st.sampled_from(
            ["*", "!*/", "!*.jpg", "a/", "!a/", "/a", "a/b", "!a/b/", "**/b", "a/**", "!a/**/x.jpg", "**", "[ab]"]
        )
    ),
    inner=st.lists(st.sampled_from(["*", "!*", "b/", "!b", "/x.jpg", "!/b/x.jpg", "**/x.jpg", "a/b", "[!a]", "?"])),
)
def test_ignore_rules_agree_with_git(tmp_path: Path, top: list[str], inner: list[str]) -> None:
    folders = ["", "a/", "b/", "a/a/", "a/b/", "a/b/a/", "b/b/"]
    touch(tmp_path, *(folder + name for folder in folders for name in ("x.jpg", "y.png")))
    (tmp_path / ".sightlineignore").write_text("\n".join(top))
    (tmp_path / "a/.sightlineignore").write_text("\n".join(inner))
    git = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-o",
        "-z",
        "--exclude-per-directory=.sightlineignore",
    ]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    listed = subprocess.run(git, cwd=tmp_path, check=True, capture_output=True).stdout.split(b"\0")
    assert paths(scan(tmp_path)) == sorted(name for name in listed if name.endswith((b".jpg", b".png")))


def test_partial_scan_equals_that_part_of_a_full_scan(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a/x.jpg",
        "a/b/x.jpg",
        "a/b/y.png",
        "a/bb/x.jpg",
        "c/x.jpg",
        ".h/x.jpg",
        "out/x.jpg",
        "out/in/x.jpg",
    )
    (tmp_path / ".sightlineignore").write_text("*.png\nout\n")
    full = paths(scan(tmp_path))
    assert full == [b"a/b/x.jpg", b"a/bb/x.jpg", b"a/x.jpg", b"c/x.jpg"]
    for beneath in (b"a", b"a/b", b"a/b/", b"c", b".h", b"out", b"out/in", b"gone", b"a/x.jpg", b"a/.."):
        found = scan(tmp_path, beneath=beneath)
        assert paths(found) == [path for path in full if path.startswith(beneath.rstrip(b"/") + b"/")]
        assert found.unreadable == []


def test_symbolic_links_are_followed_only_on_request(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    touch(root, "real/a.jpg")
    touch(outside, "b.jpg", "deep/c.jpg")
    (root / "file.jpg").symlink_to(outside / "b.jpg")
    (root / "broken.jpg").symlink_to(outside / "gone.jpg")
    (root / "self.jpg").symlink_to(root / "self.jpg")
    (root / "self").symlink_to(root / "self")
    (root / "again").symlink_to(root / "real")
    (root / "real/up").symlink_to(root)
    (root / "out1").symlink_to(outside)
    (root / "out2").symlink_to(outside / "deep")
    (outside / "loop").symlink_to(outside)
    (outside / "back").symlink_to(root)
    plain = scan(root)
    assert paths(plain) == [b"file.jpg", b"real/a.jpg"]
    followed = scan(root, ScanSettings(follow_links=True))
    assert paths(followed) == [b"file.jpg", b"out1/b.jpg", b"out1/deep/c.jpg", b"real/a.jpg"]


def test_special_files_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert paths(scan(tmp_path)) == [b"a.jpg"]


@pytest.mark.parametrize("root", ["gone", "a.jpg"])
def test_scan_rejects_a_root_that_is_not_a_folder(tmp_path: Path, root: str) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        scan(tmp_path / root)


def forbid(monkeypatch: pytest.MonkeyPatch, call: str, path: Path, error: OSError) -> None:
    """Make `os.<call>` fail for one path; permissions do not apply to root."""
    genuine = getattr(os, call)

    def guarded(target: bytes) -> object:
        if target == os.fsencode(path):
            raise error
        return genuine(target)

    monkeypatch.setattr(os, call, guarded)


def test_unreadable_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/x.jpg", "b/x.jpg", "c/x.jpg")
    forbid(monkeypatch, "scandir", tmp_path / "b", PermissionError(13, "no"))
    found = scan(tmp_path)
    assert paths(found) == [b"a/x.jpg", b"c/x.jpg"]
    assert found.unreadable == [b"b"]


def test_unreadable_file_is_reported_and_vanished_file_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    forbid(monkeypatch, "stat", tmp_path / "a.jpg", OSError(5, "input/output error"))
    forbid(monkeypatch, "stat", tmp_path / "b.jpg", FileNotFoundError(2, "gone"))
    found = scan(tmp_path)
    assert paths(found) == [b"c.jpg"]
    assert found.unreadable == [b"a.jpg"]


def test_unreadable_ignore_file_makes_its_folder_unreadable(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.jpg", "b/x.jpg")
    (tmp_path / "a/.sightlineignore").symlink_to(tmp_path / "a/.sightlineignore")  # opening it fails: a loop
    found = scan(tmp_path)
    assert paths(found) == [b"b/x.jpg"]
    assert found.unreadable == [b"a"]


def test_longer_paths_than_the_catalogue_stores_are_reported_and_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.jpg", "a/long-name.jpg", "long-folder/x.jpg", "z.jpg", "pair.cr2", "pair.jpg")
    found = scan(tmp_path, ScanSettings(longest_path=9))
    assert paths(found) == [b"a/x.jpg", b"z.jpg"]
    assert found.too_long == [b"a/long-name.jpg", b"long-folder", b"pair.jpg"]  # a pair counts twice


def test_root_vanishing_during_the_scan_is_reported(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(root, "a/x.jpg", "b/x.jpg")
    found = scan(root)
    walk = iter(found)
    assert next(walk).relpath == b"a/x.jpg"
    root.rename(tmp_path / "unplugged")
    root.mkdir()  # an empty mount point remains
    assert list(walk) == []
    assert found.unreadable == [b""]


def test_scan_is_not_limited_by_recursion_depth(tmp_path: Path) -> None:
    folders = [f"{tmp_path}{'/d' * depth}" for depth in range(1, sys.getrecursionlimit() + 50)]
    for folder in folders:
        os.mkdir(folder)
    picture = Path(folders[-1]) / "x.jpg"
    picture.touch()
    try:
        assert paths(scan(tmp_path)) == [b"d/" * len(folders) + b"x.jpg"]
    finally:  # pytest's cleanup is recursive
        picture.unlink()
        for folder in reversed(folders):
            os.rmdir(folder)
