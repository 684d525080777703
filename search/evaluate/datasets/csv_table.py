"""CSV tables with a header: a column of images and one of captions, such as Kaggle's Flickr8k and Flickr30k.

    image,caption                                   captions.txt of Flickr8k on Kaggle
    image_name| comment_number| comment             results.csv of Flickr30k on Kaggle

The delimiter is a comma, a semicolon, a tab or `|`, whichever the header has. Columns `lang`, `split` and `id` are
optional. Images are in the folder of the file, or in one of the usual folders next to it or above.
Flickr30k is English.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE, DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.datasets.columns import column_names
from search.evaluate.datasets.flickr_tokens import IMAGE_FOLDERS
from search.evaluate.datasets.json_lines import language_of
from search.evaluate.text_files import FilePosition, read_lines

__all__ = ["FORMAT"]

_SUFFIXES = (".csv", ".tsv", ".txt")
_FOLDER_FILES = ("captions.txt", "captions.csv", "captions.tsv", "metadata.csv", "results.csv")
"""Files that are looked for in a folder."""

_DELIMITERS = (",", ";", "\t", "|")
_EXCEL_DELIMITER = re.compile(r"sep=(.)", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*(\d+)\s+(\S.*)")
"""A number and a caption without the delimiter between them: one row of Flickr30k on Kaggle has none."""


@dataclass(frozen=True)
class _Header:
    delimiter: str
    columns: Mapping[str, int]
    """Role -> position of its column."""
    width: int


def _recognises(path: Path) -> bool:
    return _table_file(path, ReadOptions()) is not None


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    file = path if path.is_file() else _table_file(path, options)
    header = None if file is None else _header(file, options)
    if file is None or header is None:
        image, caption = options.image_column or "image", options.caption_column or "caption"
        raise DatasetError(path, f"no table with a header that names a column {image!r} and a column {caption!r}")
    rows = list(_rows(file, header))
    if not rows:
        raise DatasetError(file, "no rows below the header")
    folders = [parent / name for parent in (file.parent, file.parent.parent) for name in IMAGE_FOLDERS]
    builder = DatasetBuilder(path, image_root(options, [file.parent, *folders], rows[0][1]["image"]))
    for position, row in rows:
        image = builder.add_image(row["image"], row.get("split", ""), position)
        lang = row.get("lang") or ("en" if "number" in header.columns else language_of(file))
        caption_id = row.get("id") or (f"{image}#{row['number']}" if row.get("number") else None)
        builder.add_caption(image, row["caption"], lang or UNKNOWN_LANGUAGE, position, caption_id)
    return builder


def _table_file(path: Path, options: ReadOptions) -> Path | None:
    candidates = [path / name for name in _FOLDER_FILES] if path.is_dir() else [path]
    for file in candidates:
        with suppress(DatasetError):  # not a text, so no table
            if file.suffix in _SUFFIXES and file.is_file() and _header(file, options) is not None:
                return file
    return None


def _header(file: Path, options: ReadOptions) -> _Header | None:
    """Return the header of a table, or None if it names no image or no caption."""
    lines = (line for _, line in read_lines(file))
    first = next(lines)
    named = _EXCEL_DELIMITER.fullmatch(first.rstrip(" "))
    if named is not None:  # a line that Excel reads
        first = next(lines, "")
    for delimiter in (named[1],) if named else _DELIMITERS:
        names = [name.strip().strip('"') for name in first.split(delimiter)]
        columns = {role: names.index(name) for role, name in column_names(names, options).items()}
        if "image" in columns and "caption" in columns:
            return _Header(delimiter, columns, len(names))
    return None


def _rows(file: Path, header: _Header) -> Iterator[tuple[FilePosition, dict[str, str]]]:
    """Yield the rows below the header, each with the line that it ends in. Raises `DatasetError`."""
    numbers: list[int] = [0]
    lines = _table_lines(file, numbers)
    if header.delimiter == "|":
        table = csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE)
    else:
        table = csv.reader(lines, delimiter=header.delimiter, strict=True)
    try:
        for number, cells in enumerate(table):
            if not number:
                continue
            position = FilePosition(file, numbers[-1])
            cells = _with_number(cells, header)
            if len(cells) != header.width:
                raise position.error(
                    f"expected {header.width} cells, found {len(cells)}; a cell that contains "
                    f"{header.delimiter!r} needs quotation marks"
                )
            row = {role: cells[column].strip() for role, column in header.columns.items()}
            if not row["caption"]:
                raise position.error(f"the caption of {row['image']!r} is empty; write a text, or remove the row")
            yield position, row
    except csv.Error as exc:
        raise FilePosition(file, numbers[-1]).error(f"not CSV ({_complaint(exc)})") from exc


def _table_lines(file: Path, numbers: list[int]) -> Iterable[str]:
    """Yield the lines from the header on, with a line end, and keep the number of the last one in `numbers`."""
    lines = iter(read_lines(file))
    first = next(lines)
    for position, line in lines if _EXCEL_DELIMITER.fullmatch(first[1].rstrip(" ")) else chain([first], lines):
        numbers[-1] = position.line or 0
        yield f"{line}\n"


def _with_number(cells: list[str], header: _Header) -> list[str]:
    """Split a number from the caption where the delimiter between them is missing."""
    number, caption = header.columns.get("number"), header.columns["caption"]
    if number is None or caption != number + 1 or len(cells) != header.width - 1:
        return cells
    match = _NUMBERED.fullmatch(cells[number])
    return cells if match is None else [*cells[:number], match[1], match[2], *cells[caption:]]


def _complaint(exc: csv.Error) -> str:
    if "unexpected end of data" in str(exc):
        return "a quotation mark is not closed"
    return "quotation marks in a cell must be doubled, and the cell must be in quotation marks"


FORMAT = DatasetFormat(_recognises, _read)
