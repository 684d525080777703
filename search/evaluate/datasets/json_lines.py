"""JSON Lines: {"image", "caption", "lang", "split", "id"}; the last three may be missing.

One file, or a folder of `captions.jsonl` or `captions.LANG.jsonl`. Pictures are relative to the folder of the file.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.datasets.collect import Contents, Options
from search.evaluate.text_records import Record, Source, read_json_lines, text_of

__all__ = ["read", "recognises"]


def recognises(path: Path) -> bool:
    """Whether `path` is such a file or folder."""
    files = _files(path)
    return bool(files) and all("image" in next(read_json_lines(file))[1] for file in files)


def read(path: Path, options: Options) -> Contents:
    """All captions in the file or the folder."""
    files = _files(path)
    if not files:
        raise DatasetError(path, "there is no captions.jsonl or captions.LANG.jsonl")
    contents = Contents(path, options.root or files[0].parent)
    for file in files:
        lang = _language_of(file)
        for source, record in read_json_lines(file):
            image = contents.add_picture(text_of(source, record, "image"), _optional(source, record, "split"), source)
            spoken = _optional(source, record, "lang") or lang
            named = _optional(source, record, "id") or None
            contents.add_caption(image, text_of(source, record, "caption"), spoken, source, named)
    return contents


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted([*path.glob("captions.jsonl"), *path.glob("captions.*.jsonl")])
    return [path] if path.suffix in (".jsonl", ".ndjson") else []


def _language_of(file: Path) -> str:
    """`de` for captions.de.jsonl."""
    parts = file.name.split(".")
    return parts[-2] if len(parts) > 2 else UNKNOWN_LANGUAGE


def _optional(source: Source, record: Record, key: str) -> str:
    return text_of(source, record, key) if record.get(key) is not None else ""
