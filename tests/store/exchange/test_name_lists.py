"""Lists that name the rows of a file of vectors: plain, tables, JSON Lines, in any encoding."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadVectorFile
from store.exchange import ItemName, open_vectors
from store.exchange.vector_file import name_to_json, read_names
from tests.support.vectors import everything, unit_vectors

WriteVectors = Callable[..., tuple[Path, Path | None]]


@pytest.mark.parametrize(
    ("count", "fault"),
    [(4, "4 names for 5 vectors"), (6, "6 names for 5"), (0, "0 names for 5"), (9, "9 names for 5")],
)
def test_number_of_names_must_equal_number_of_vectors(write_vectors: WriteVectors, count: int, fault: str) -> None:
    source = open_vectors(*write_vectors(unit_vectors(5), [b"n%d" % number for number in range(count)]))
    with pytest.raises(BadVectorFile, match=fault):
        everything(source)


def test_plain_names_keep_their_bytes(write_vectors: WriteVectors) -> None:
    names = [b"caf\xe9", b" blank ", b"a//b", b"/x/../y", "雪".encode(), b"no newline at the end"]
    file, listed = write_vectors(unit_vectors(6), names)
    assert listed is not None
    listed.write_bytes(b"\n".join(names))
    assert [name.value for name in everything(open_vectors(file, listed))[0]] == names
    assert [name.is_path for name in everything(open_vectors(file, listed, as_paths=True))[0]] == [True] * 6


@pytest.mark.parametrize("lines", [b"a\n\nb\n", b"a\nb\0c\nd\n"])
def test_line_without_a_name_is_reported_by_number(write_vectors: WriteVectors, lines: bytes) -> None:
    file, listed = write_vectors(unit_vectors(3), [b"a"])
    assert listed is not None
    listed.write_bytes(lines)
    with pytest.raises(BadVectorFile, match="no name in line 2"):
        everything(open_vectors(file, listed))


@pytest.mark.parametrize(
    "name", [ItemName(b"plain"), ItemName(b"caf\xe9\n", True), ItemName("雪/x".encode(), True), ItemName(b"\\x41")]
)
def test_json_round_trip_keeps_every_name(tmp_path: Path, name: ItemName) -> None:
    (tmp_path / "names.jsonl").write_text(name_to_json(name) + "\n", encoding="utf-8")
    assert list(read_names(tmp_path / "names.jsonl")) == [name]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (
            ['{"image": "b.jpg", "caption": "x", "id": "7"}', '{"image": "a/b.jpg", "caption": "y"}'],
            [b"b.jpg", b"a/b.jpg"],
        ),
        (
            ['{"file_name": "b", "text": "x"}', '{"file_name": "a", "text": "y"}', '{"file_name": "b", "text": "z"}'],
            [b"b", b"a"],
        ),
        (['{"image": "b.jpg", "captions": ["x", "y"]}'] * 3, [b"b.jpg"]),
        (['{"image": "b.jpg", "id": "7"}', '{"id": "7"}'], [b"7", b"7"]),  # no captions: IDs, as they stand there
    ],
)
def test_captions_name_each_picture_once(tmp_path: Path, lines: list[str], names: list[bytes]) -> None:
    listed = tmp_path / "captions.jsonl"
    listed.write_text("\n".join(lines))
    assert list(read_names(listed)) == [ItemName(name) for name in names]
    assert [name.is_path for name in read_names(listed, as_paths=True)] == [b"7" not in names] * len(names)


@pytest.mark.parametrize(
    ("name", "table", "names"),
    [
        ("photo_ids.csv", "photo_id\nXMyPniM9LF0\nrDLBArZUl1c\n", [b"XMyPniM9LF0", b"rDLBArZUl1c"]),
        ("t.tsv", "title\tId\tpath\nx, y\t7\ta.jpg\n", [b"7"]),
        ("t.csv", 'path,n\r\n"a, ""b"".jpg",1\r\n', [b'a, "b".jpg']),
    ],
)
def test_tables_have_a_column_of_names(tmp_path: Path, name: str, table: str, names: list[bytes]) -> None:
    (tmp_path / name).write_text(table)
    assert list(read_names(tmp_path / name)) == [ItemName(each) for each in names]
    if name == "t.tsv":
        assert list(read_names(tmp_path / name, as_paths=True)) == [ItemName(b"a.jpg", True)]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("a.jpg\nb.jpg\n", "no column of the header contains names: a.jpg"),
        ("", "no column of the header contains names: it is empty"),
        ("n,id\n1,a\n2\n", "no name in line 3"),
        ("id\na\n\n", "no name in line 3"),
    ],
)
def test_faults_of_tables_name_the_line(tmp_path: Path, table: str, fault: str) -> None:
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(BadVectorFile, match=fault):
        list(read_names(tmp_path / "t.csv"))


def test_json_lines_of_other_programs(tmp_path: Path) -> None:
    records = [{"id": 17, "score": 1}, {"path": None, "id": "x"}, {"path": "a.jpg", "id": "x"}]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert list(read_names(tmp_path / "n.jsonl")) == [ItemName(b"17"), ItemName(b"x"), ItemName(b"a.jpg", True)]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"17", b'{"name": "x"}', b'{"id": ""}', b'{"id_b64": "%%%"}', b'{"path_b64": 3}', b"\xff"]
)
def test_json_line_without_a_name_is_rejected(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "n.jsonl").write_bytes(b'{"id": "x"}\n' + line + b"\n")
    with pytest.raises(BadVectorFile, match="line 2"):
        list(read_names(tmp_path / "n.jsonl"))


def test_empty_name_in_json_is_rejected(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file, _ = write_vectors(unit_vectors(1))
    (tmp_path / "n.jsonl").write_text('{"id_b64": ""}\n')
    with pytest.raises(BadVectorFile, match="empty"):
        everything(open_vectors(file, tmp_path / "n.jsonl"))


def test_unreadable_list_is_rejected(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file, _ = write_vectors(unit_vectors(1))
    with pytest.raises(BadVectorFile, match="Is a directory"):
        everything(open_vectors(file, tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_lists_of_names_may_be_in_any_unicode_encoding(tmp_path: Path, encoding: str, suffix: str) -> None:
    lines = ["käfer.jpg", "雪.jpg"] if suffix == ".txt" else ['{"id": "käfer.jpg"}', '{"id": "雪.jpg"}']
    names = tmp_path / f"names{suffix}"
    names.write_text("".join(f"{line}\r\n" for line in lines), encoding=encoding, newline="")
    assert [str(name) for name in read_names(names)] == ["käfer.jpg", "雪.jpg"]
