"""JSON Lines: {"image", "caption", "lang", "split", "id"}; the last three are optional.

One file, or a folder with `captions.jsonl` or `captions.LANG.jsonl`. The same objects can be in a JSON array (`.json`).
Paths are relative to the folder of the file. `caption` is a text or a list of texts, also as `captions` or `text`;
`image` can be called `file_name` or `filename`, as in `metadata.jsonl` of an image folder of Hugging Face.
"""

from collections.abc import Sequence
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE, DatasetBuilder, DatasetFormat, ReadOptions
from search.evaluate.text_files import FilePosition, Record, name_of, read_records, text_of

__all__ = ["FORMAT", "language_of"]

_IMAGE_KEYS = ("image", "file_name", "filename")
_CAPTION_KEYS = ("caption", "captions", "text")
_LINE_SUFFIXES = (".jsonl", ".ndjson")


def _recognises(path: Path) -> bool:
    files = _caption_files(path)
    return bool(files) and all(_has_captions(file) for file in files)


def _has_captions(file: Path) -> bool:
    """Return whether the first record has an image and a caption, or an image alone in a file of JSON Lines."""
    is_lines = file.suffix in _LINE_SUFFIXES
    try:
        record = next(read_records(file), (None, {}))[1]
    except DatasetError:
        if is_lines:
            raise
        return False  # another format in JSON
    return _has_any(record, _IMAGE_KEYS) and (is_lines or _has_any(record, _CAPTION_KEYS))


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    files = _caption_files(path)
    if not files:
        raise DatasetError(path, "no captions.jsonl or captions.LANG.jsonl")
    builder = DatasetBuilder(path, options.root or files[0].parent)
    for file in files:
        file_lang = language_of(file)
        for position, record in read_records(file):
            split = _optional(position, record, "split")
            image = builder.add_image(text_of(position, record, _key(record, _IMAGE_KEYS)), split, position)
            lang = _optional(position, record, "lang") or file_lang
            caption_id = name_of(position, record, "id") if record.get("id") is not None else ""
            texts = _captions(position, record)
            for number, text in enumerate(texts):
                own_id = f"{caption_id}#{number}" if caption_id and len(texts) > 1 else caption_id
                builder.add_caption(image, text, lang, position, own_id or None)
    return builder


def language_of(file: Path) -> str:
    """Return `de` for captions.de.jsonl."""
    parts = file.name.split(".")
    return parts[-2] if len(parts) > 2 else UNKNOWN_LANGUAGE


def _caption_files(path: Path) -> list[Path]:
    if path.is_dir():
        named = sorted([*path.glob("captions.jsonl"), *path.glob("captions.*.jsonl")])
        return named or sorted(path.glob("metadata.jsonl"))
    return [path] if path.suffix in (*_LINE_SUFFIXES, ".json") else []


def _captions(position: FilePosition, record: Record) -> list[str]:
    """Return the captions of a record: a text, or a list of texts."""
    key = _key(record, _CAPTION_KEYS)
    value = record.get(key)
    if not isinstance(value, list):
        return [text_of(position, record, key)]
    if not value:
        raise position.error(f"{key!r} is an empty list")
    return [text_of(position, {f"{key}[{number}]": text}, f"{key}[{number}]") for number, text in enumerate(value)]


def _key(record: Record, keys: Sequence[str]) -> str:
    """Return the first of `keys` that `record` has, or else the first."""
    return next((key for key in keys if key in record), keys[0])


def _has_any(record: Record, keys: Sequence[str]) -> bool:
    return any(key in record for key in keys)


def _optional(position: FilePosition, record: Record, key: str) -> str:
    return text_of(position, record, key) if record.get(key) is not None else ""


FORMAT = DatasetFormat(_recognises, _read)
