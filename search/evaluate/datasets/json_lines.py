"""JSON Lines: {"image", "caption", "lang", "split", "id"}; the last three are optional.

One file, or a folder with `captions.jsonl` or `captions.LANG.jsonl`. Paths are relative to the folder of the file.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE, DatasetBuilder, DatasetFormat, ReadOptions
from search.evaluate.text_files import FilePosition, Record, read_json_lines, text_of

__all__ = ["FORMAT"]


def _recognises(path: Path) -> bool:
    files = _caption_files(path)
    return bool(files) and all("image" in next(read_json_lines(file))[1] for file in files)


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    files = _caption_files(path)
    if not files:
        raise DatasetError(path, "no captions.jsonl or captions.LANG.jsonl")
    builder = DatasetBuilder(path, options.root or files[0].parent)
    for file in files:
        file_lang = _language_of(file)
        for position, record in read_json_lines(file):
            split = _optional(position, record, "split")
            image = builder.add_image(text_of(position, record, "image"), split, position)
            lang = _optional(position, record, "lang") or file_lang
            caption_id = _optional(position, record, "id") or None
            builder.add_caption(image, text_of(position, record, "caption"), lang, position, caption_id)
    return builder


def _caption_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted([*path.glob("captions.jsonl"), *path.glob("captions.*.jsonl")])
    return [path] if path.suffix in (".jsonl", ".ndjson") else []


def _language_of(file: Path) -> str:
    """Return `de` for captions.de.jsonl."""
    parts = file.name.split(".")
    return parts[-2] if len(parts) > 2 else UNKNOWN_LANGUAGE


def _optional(position: FilePosition, record: Record, key: str) -> str:
    return text_of(position, record, key) if record.get(key) is not None else ""


FORMAT = DatasetFormat(_recognises, _read)
