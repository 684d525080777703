"""Captions in Parquet files, such as those of data sets of Hugging Face. The extra `parquet` installs pyarrow.

A file, or a folder of them or with a folder `data`. Columns are named as in CSV tables. The image is a text, or a
structure with a `path`, as Hugging Face writes it; where that has no path, a column with the name of the file. The
caption is a text or a list of texts. Without a column for the split, it is the beginning of the name of the file
(`test-00000-of-00001.parquet`).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.errors import DatasetError, ExtraMissing
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE, DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.datasets.columns import column_names
from search.evaluate.datasets.flickr_tokens import IMAGE_FOLDERS
from search.evaluate.text_files import FilePosition, Record

__all__ = ["FORMAT"]

_SUFFIXES = (".parquet", ".pq")
_SHARD = re.compile(r"([\w.]+)-\d{5}-of-\d{5}$")


def _recognises(path: Path) -> bool:
    files = _files(path)
    if not path.is_dir() or not files:
        return bool(files)
    try:  # a folder may have vectors in this format
        return next(_rows(files[0], ReadOptions()), None) is not None
    except DatasetError:
        return False


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.suffix in _SUFFIXES else []
    folders = (path, path / "data")
    return sorted(
        file for folder in folders if folder.is_dir() for file in folder.iterdir() if file.suffix in _SUFFIXES
    )


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    files = _files(path)
    if not files:
        raise DatasetError(path, "no Parquet files")
    builder: DatasetBuilder | None = None
    for file in files:
        shard = _SHARD.search(file.stem)
        for position, row in _rows(file, options):
            name = _image(position, row)
            if builder is None:
                folders = [file.parent, path if path.is_dir() else file.parent]
                candidates = [*folders, *(folder / images for folder in folders for images in IMAGE_FOLDERS)]
                builder = DatasetBuilder(path, image_root(options, candidates, name))
            split = row.get("split") or (shard[1] if shard else "")
            image = builder.add_image(name, str(split), position)
            lang = str(row.get("lang") or UNKNOWN_LANGUAGE)
            texts = _captions(position, row)
            for number, text in enumerate(texts):
                own = None if row.get("id") is None else f"{row['id']}#{number}" if len(texts) > 1 else str(row["id"])
                builder.add_caption(image, text, lang, position, own)
    if builder is None:
        raise DatasetError(path, "no rows")
    return builder


def _rows(file: Path, options: ReadOptions) -> Iterator[tuple[FilePosition, Record]]:
    """Yield the rows of a file by the roles of their columns. Raises `DatasetError`, and `ExtraMissing`."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as exc:
        raise ExtraMissing("Parquet", "parquet") from exc
    try:
        with parquet.ParquetFile(file) as table:
            columns = _columns(file, table.schema_arrow.names, options)
            picture = table.schema_arrow.field(columns["image"]).type
            # Pictures in the file are not read, only their names.
            wanted = {**columns, **({"image": f"{columns['image']}.path"} if pyarrow.types.is_struct(picture) else {})}
            row = 0
            for batch in table.iter_batches(columns=[*wanted.values()]):
                for record in batch.to_pylist():
                    yield FilePosition(file, place=f"row {row}"), {role: record[name] for role, name in columns.items()}
                    row += 1
    except (pyarrow.ArrowException, OSError) as exc:
        raise DatasetError(file, f"not a Parquet file that can be read ({exc})") from exc


def _columns(file: Path, present: list[str], options: ReadOptions) -> Mapping[str, str]:
    columns = column_names(present, options)
    for role in ("image", "caption"):
        if role not in columns:
            raise DatasetError(file, f"no column for the {role}; it has {', '.join(present)}")
    return columns


def _image(position: FilePosition, row: Record) -> str:
    value = row["image"]
    name = value.get("path") if isinstance(value, dict) else value
    name = name or row.get("file")
    if not isinstance(name, str) or not name:
        raise position.error("the image has no name; a column `image` with paths, or `file_name`, was expected")
    return name


def _captions(position: FilePosition, row: Record) -> list[str]:
    value = row["caption"]
    texts = value if isinstance(value, list) else [value]
    said = [text for text in texts if isinstance(text, str)]
    if not said or len(said) < len(texts):
        raise position.error("the caption is not a text or a list of texts")
    return said


FORMAT = DatasetFormat(_recognises, _read)
