"""Hits as a CSV table and as a folder of links or copies."""

import base64
import csv
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest

from cli.results import MAX_NAME_BYTES, write_csv, write_folder
from search.results import Hit
from store.queries import ContentRecord

Sightline = Callable[..., Any]


def hit(rank: int, path: Path, **facts: object) -> Hit:
    record = ContentRecord(
        id=rank,
        paths=(path,),
        width=8,
        height=8,
        format="PNG",
        size=1,
        taken_at=datetime(2023, 6, 1, 12),  # noqa: DTZ001
        camera=None,
        lens=None,
        latitude=None,
        longitude=None,
    )
    return Hit(rank, replace(record, **facts), 0.5)  # type: ignore[arg-type]


def files(folder: Path, *names: bytes) -> list[Path]:
    created = []
    for number, name in enumerate(names):
        file = folder / f"{number}" / os.fsdecode(name)
        file.parent.mkdir(parents=True)
        file.write_bytes(name)
        created.append(file)
    return created


@pytest.mark.parametrize("copy", [False, True])
def test_export_numbers_files_by_rank(tmp_path: Path, copy: bool) -> None:
    sources = files(tmp_path, b"b.jpg", b"b.jpg", b"a\xff.jpg", b"x" * 251 + b".jpg")
    out = tmp_path / "new" / "out"
    write_folder(out, [hit(rank, path) for rank, path in enumerate(sources, 1)], copy=copy)
    found = sorted(out.iterdir(), key=os.fsencode)
    assert [os.fsencode(path.name) for path in found] == [
        b"001_b.jpg", b"002_b.jpg", b"003_a\xff.jpg", b"004_" + b"x" * (MAX_NAME_BYTES - 8) + b".jpg"
    ]  # fmt: skip
    assert [path.read_bytes() for path in found] == [path.read_bytes() for path in sources]
    assert [path.is_symlink() for path in found] == [not copy] * 4


def test_export_refuses_non_empty_folder(tmp_path: Path) -> None:
    (source,) = files(tmp_path, b"a.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(click.FileError, match="not empty"):
        write_folder(tmp_path / "out", [hit(1, source)], copy=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_export_without_links_suggests_copy_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # the error of Linux for a link on FAT

    (source,) = files(tmp_path, b"a.jpg")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(click.FileError, match="use --copy"):
        write_folder(tmp_path / "out", [hit(1, source)], copy=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_failed_copy_cleans_up(tmp_path: Path) -> None:
    (source,) = files(tmp_path, b"a.jpg")
    with pytest.raises(click.FileError):
        write_folder(tmp_path / "out", [hit(1, source), hit(2, tmp_path / "gone.jpg")], copy=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_csv_escapes_formulas_and_encodes_names(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"/p/a\xff,\n.jpg"))
    document = "=HYPERLINK(1)"
    table = tmp_path / "hits.csv"
    write_csv(table, [hit(1, odd, camera="@cmd"), hit(2, Path(document), document=document)])
    with table.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert base64.b64decode(first["path_b64"]) == os.fsencode(odd)
    assert (first["path"], first["camera"], first["taken_at"]) == ("/p/a\\xff,\n.jpg", "'@cmd", "2023-06-01T12:00:00")
    assert (second["path"], second["document"]) == ("", "'=HYPERLINK(1)")
    with pytest.raises(click.FileError):
        write_csv(table, [])


@pytest.mark.parametrize("start", [*"=+-@\t\r\n", "＝", "＋", "－", "＠"])
def test_formulas_of_every_kind_are_escaped(tmp_path: Path, start: str) -> None:
    write_csv(tmp_path / "hits.csv", [hit(1, Path("a.jpg"), document=f"{start}cmd|' /C calc'!A0")])
    with (tmp_path / "hits.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["document"] == f"'{start}cmd|' /C calc'!A0"


def test_byte_order_mark_is_written_on_request(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    assert sightline("search", "red", "--csv", tmp_path / "a.csv").code == 0
    assert sightline("search", "red", "--csv", tmp_path / "b.csv", "--csv-bom").code == 0
    plain, marked = ((tmp_path / name).read_bytes() for name in ("a.csv", "b.csv"))
    assert marked == b"\xef\xbb\xbf" + plain
    answer = sightline("search", "red", "--csv-bom")
    assert (answer.code, "--csv-bom requires --csv FILE" in answer.err) == (2, True)


def test_search_writes_csv_and_folder(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    table, out = tmp_path / "red.csv", tmp_path / "red"
    answer = sightline("search", "red", "-k", "2", "--csv", table, "--export", out, "--paths")
    assert (answer.code, len(answer.lines)) == (0, 2)
    assert [path.name for path in sorted(out.iterdir())] == ["001_red.png", "002_yellow.png"]
    assert len(table.read_text().splitlines()) == 3
    assert sightline("search", "red", "--csv", table).code == 2
    assert sightline("similar", album / "red.png", "--export", out).code == 2
    assert sightline("similar", album / "red.png", "-k", "1", "--export", tmp_path / "like", "--copy").code == 0
    assert not next((tmp_path / "like").iterdir()).is_symlink()
