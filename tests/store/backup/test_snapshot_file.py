"""Snapshot files: what is written is read again, and nothing of a file that is damaged in any way is used."""

import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotASnapshot, SnapshotDamaged, SnapshotError, SnapshotTooNew, SnapshotUnwritable
from store.backup.records import (
    AlbumPicture,
    FilePlace,
    Judgement,
    PictureName,
    PictureRecord,
    Record,
    SavedAlbum,
    TellApart,
    kind_of,
)
from store.backup.snapshot_file import (
    SnapshotHeader,
    SnapshotRoot,
    has_header,
    open_snapshot,
    said_at,
    write_snapshot,
)

NOON = datetime.fromisoformat("2026-11-29T12:00:05")
ONE = PictureName(b"\1" * 32, (FilePlace(0, b"a b.jpg"), FilePlace(1, b"\xff\xfe.jpg")))
TWO = PictureName(b"\2" * 32)
NOISY = '{"ranked": false, "where": ["test", "iso", "gt", false, [["plain", 3200.0]]]}'
RECORDS: tuple[Record, ...] = (
    PictureRecord(ONE, ("people/Anna", "Zürich x"), -1),
    PictureRecord(TWO, ("a",)),
    SavedAlbum("Rome", by_hand=True, created_at=NOON, cover=ONE),
    AlbumPicture("Rome", TWO),
    AlbumPicture("Rome", ONE),
    SavedAlbum(
        "Noisy",
        False,
        NOON,
        "iso:>3200",
        '{"ranked": false, "where": ["test", "iso", "gt", false, [["plain", 3200.0]]]}',
        7,
    ),
    TellApart(ONE, TWO),
    Judgement("a dog", "a dog", b"home/\xff.jpg", 1, b"\3" * 32),
    Judgement("a cat", "a cat", b"home/cat.jpg", 0),
)
ROOTS = (SnapshotRoot(b"/home/anna/Pictures", "folder"), SnapshotRoot(b"/mnt/\xff", "folder"))


def header(records: tuple[Record, ...] = RECORDS) -> SnapshotHeader:
    return SnapshotHeader("0123456789abcdef", NOON, ROOTS, "mini", dict(Counter(map(kind_of, records))))


@pytest.fixture(params=["said.jsonl", "said.jsonl.gz"])
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / str(request.param)
    write_snapshot(path, header(), RECORDS)
    return path


def test_snapshot_is_read_as_it_was_written(file: Path) -> None:
    snapshot = open_snapshot(file)
    assert tuple(snapshot.records()) == RECORDS
    assert snapshot.header == header()
    assert said_at(file) == snapshot.said
    assert has_header(file)


def test_lines_are_documented_json(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "said.jsonl", header(), RECORDS)
    lines = [json.loads(line) for line in (tmp_path / "said.jsonl").read_bytes().splitlines()]
    assert lines[0]["format"] == "sightline-snapshot"
    assert lines[0]["created"] == "2026-11-29T12:00:05Z"
    assert lines[0]["roots"][1] == {"kind": "folder", "path_b64": "L21udC//"}
    assert lines[2] == {"type": "picture", "sha256": "02" * 32, "files": [], "tags": ["a"]}
    assert lines[-1]["records"] == len(RECORDS)


def test_every_cut_is_recognised(tmp_path: Path) -> None:
    whole = tmp_path / "said.jsonl"
    write_snapshot(whole, header(), RECORDS)
    data, cut = whole.read_bytes(), tmp_path / "cut.jsonl"
    for end in range(0, len(data) - 1, 3):  # without its last line ending, the file is complete
        cut.write_bytes(data[:end])
        with pytest.raises(SnapshotError):
            open_snapshot(cut)
        assert said_at(cut) is None


def test_every_changed_byte_is_recognised(file: Path) -> None:
    data, said = bytearray(file.read_bytes()), open_snapshot(file).said
    start = 10 if file.suffix == ".gz" else 0  # the header of gzip has flags and a time that mean nothing here
    for position in range(start, len(data) - (9 if file.suffix == ".gz" else 1), 5):
        for change in (1, 128):
            changed = bytearray(data)
            changed[position] ^= change
            file.write_bytes(changed)
            try:
                assert open_snapshot(file).said == said  # bytes of gzip that do not matter
                assert file.suffix == ".gz"
            except SnapshotError:
                pass


def test_repeated_and_removed_lines_are_recognised(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    write_snapshot(file, header(), RECORDS)
    lines = file.read_bytes().splitlines(keepends=True)
    for number in range(1, len(lines) - 1):
        for changed in ([*lines[:number], *lines[number + 1 :]], [*lines[: number + 1], *lines[number:]]):
            file.write_bytes(b"".join(changed))
            with pytest.raises(SnapshotDamaged):
                open_snapshot(file)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"\x00" * 4096, "its first line is not JSON"),
        (b'{"format": "other"}\n', "does not have the format sightline-snapshot"),
        (b"[1, 2]\n", "does not have the format sightline-snapshot"),
        (b"\xff\xd8\xff\xe0 JFIF", "its first line is not JSON"),
        (b"[" * 100_000, "its first line is not JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    with pytest.raises(NotASnapshot, match=message):
        open_snapshot(file)
    assert not has_header(file)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotASnapshot):
            open_snapshot(path)


def test_compressed_file_that_never_ends_a_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "zeros.gz"
    file.write_bytes(gzip.compress(b" " * 20_000_000))
    with pytest.raises(NotASnapshot, match="too long"):
        open_snapshot(file)


def test_newer_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "said.jsonl"
    write_snapshot(file, header(), RECORDS)
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2', 1))
    with pytest.raises(SnapshotTooNew, match=r"newer version of Sightline \(format 2\)"):
        open_snapshot(file)
    assert has_header(file)


INVALID = (
    {"type": "song"},
    {"type": "picture", "sha256": "00"},
    {"type": "picture", "sha256": "zz" * 32},
    {"type": "picture", "sha256": "00" * 32, "rating": 6},
    {"type": "picture", "sha256": "00" * 32, "rating": True},
    {"type": "picture", "sha256": "00" * 32, "tags": "a"},
    {"type": "picture", "sha256": "00" * 32, "tags": [""]},
    {"type": "picture", "sha256": "00" * 32, "tags": [3]},
    {"type": "picture", "sha256": "00" * 32, "files": [{"root": "0", "path": "a"}]},
    {"type": "picture", "sha256": "00" * 32, "files": [{"root": 0, "path_b64": "?"}]},
    {"type": "album", "name": "a", "by_hand": True},
    {"type": "album", "name": "a", "by_hand": True, "created": "yesterday"},
    {"type": "album", "name": "a", "by_hand": False, "created": "2026-01-01", "query": "", "condition": "[", "top": 1},
    {"type": "album", "name": "a", "by_hand": False, "created": "2026-01-01", "query": "", "condition": "{}"},
    {"type": "distinct", "pictures": [{"sha256": "00" * 32}]},
    {"type": "judgement", "query": "a\nb", "text": "a", "path": "a", "grade": 1},
    {"type": "judgement", "query": "a", "text": "a", "path": "a", "grade": "1"},
)


@pytest.mark.parametrize("line", INVALID)
def test_records_without_meaning_are_refused(tmp_path: Path, line: dict[str, object]) -> None:
    file = tmp_path / "said.jsonl"
    write_snapshot(file, header(()), ())
    first, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + json.dumps(line).encode() + b"\n" + last)
    with pytest.raises(SnapshotDamaged, match="line 2: "):
        open_snapshot(file)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "file"
    file.write_bytes(data)
    with pytest.raises(SnapshotError):
        open_snapshot(file)


def test_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnwritable, match="No such file"):
        write_snapshot(tmp_path / "none" / "said.jsonl", header(), RECORDS)
