"""A list of hits as a table, or as a folder of links or copies. Nothing that exists is ever written over."""

import base64
import csv
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from cli.output import in_utf8, is_utf8, shown
from search.hits import Hit, Listed
from search.spreadsheet import no_formula

__all__ = ["write_csv", "write_folder"]

COLUMNS = (
    "rank", "path", "path_b64", "document", "score", "relevance", "id", "width", "height", "format", "size",
    "taken_at", "camera", "lens", "latitude", "longitude",
)  # fmt: skip

LONGEST_NAME = 255
"""Bytes of a file name, on nearly every file system."""


def write_csv(file: Path, hits: Sequence[Listed]) -> None:
    """Writes a table in UTF-8, a row a hit. Text that a spreadsheet would run gets an apostrophe before it.

    Raises `click.FileError`, also where `file` exists.
    """
    try:
        with file.open("x", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            writer.writerows(_row(hit) for hit in hits)
    except OSError as exc:
        advice = ", and nothing is ever written over" if isinstance(exc, FileExistsError) else ""
        raise click.FileError(shown(file), _reason(exc) + advice) from exc


def write_folder(folder: Path, hits: Sequence[Listed], *, copy: bool) -> None:
    """Fills a new or empty folder with links to the files, or copies of them, named so that they sort as ranked.

    Documents, which have no file, are passed over. Raises `click.FileError` where the folder holds anything, or where
    links or copies cannot be made; what was begun is taken away again.
    """
    files = [hit.path for hit in hits if hit.record.document is None]
    digits = max(3, len(str(len(files))))
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise click.FileError(shown(folder), "it is not empty, and nothing is ever written over")
        for number, file in enumerate(files, start=1):
            target = folder / _name(number, digits, file)
            made.append(target)
            if copy:
                shutil.copy2(file, target)
            else:
                target.symlink_to(file.absolute())
    except OSError as exc:
        for target in made:
            with suppress(OSError):
                target.unlink()
        advice = "" if copy else "; --copy makes copies, where a file system has no links"
        raise click.FileError(shown(folder), _reason(exc) + advice) from exc


def _name(number: int, digits: int, file: Path) -> str:
    """`001_name.jpg`: the place, which no two share, and as much of the name as fits."""
    place, stem, suffix = f"{number:0{digits}}_".encode(), os.fsencode(file.stem), os.fsencode(file.suffix)
    if len(place) + len(suffix) >= LONGEST_NAME:
        suffix = b""
    return os.fsdecode(place + stem[: LONGEST_NAME - len(place) - len(suffix)] + suffix)


def _row(hit: Listed) -> list[object]:
    record = hit.record
    path = hit.path if record.document is None else ""
    return [
        hit.rank,
        no_formula(in_utf8(path)),
        "" if is_utf8(path) else base64.b64encode(os.fsencode(path)).decode(),
        no_formula(in_utf8(record.document or "")),
        *_judged(hit),
        hit.id,
        record.width,
        record.height,
        record.format,
        record.size,
        "" if record.taken_at is None else record.taken_at.isoformat(),
        no_formula(record.camera or ""),
        no_formula(record.lens or ""),
        record.latitude,
        record.longitude,
    ]


def _judged(hit: Listed) -> tuple[float | str, float | str]:
    """Score and relevance, as far as there are any."""
    numbers = (hit.score, hit.relevance) if isinstance(hit, Hit) else (None, None)
    one, other = ("" if number is None else round(number, 6) for number in numbers)
    return one, other


def _reason(exc: OSError) -> str:
    return exc.strerror or str(exc)
