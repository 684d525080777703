"""JSON Lines: {"image", "caption", "lang", "split", "id"}; the last three may be missing.

One file, or a folder of `captions.jsonl` or `captions.LANG.jsonl`. Pictures are relative to the folder of the file.
"""

from collections.abc import Iterator
from pathlib import Path

from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.datasets.collect import Contents, Source
from search.evaluate.datasets.lines import read_json_lines, text_of

__all__ = ["read", "recognises"]


def recognises(path: Path) -> bool:
    """Whether `path` is such a file or folder."""
    files = _files(path)
    return bool(files) and all("image" in record for file in files for record in _first(file))


def read(path: Path, root: Path | None) -> Contents:
    """All captions in the file or the folder."""
    files = _files(path)
    contents = Contents(path, root or files[0].parent)
    for file in files:
        lang = _language_of(file)
        for source, record in read_json_lines(file):
            image = contents.add_picture(text_of(record, "image", source), _optional(record, "split", source), source)
            spoken = _optional(record, "lang", source) or lang
            named = _optional(record, "id", source) or None
            contents.add_caption(image, text_of(record, "caption", source), spoken, source, named)
    return contents


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted([*path.glob("captions.jsonl"), *path.glob("captions.*.jsonl")])
    return [path] if path.suffix in (".jsonl", ".ndjson") else []


def _language_of(file: Path) -> str:
    """`de` for captions.de.jsonl."""
    parts = file.name.split(".")
    return parts[-2] if len(parts) > 2 else UNKNOWN_LANGUAGE


def _first(file: Path) -> Iterator[dict[str, object]]:
    for _, record in read_json_lines(file):
        yield record
        return


def _optional(record: dict[str, object], key: str, source: Source) -> str:
    return text_of(record, key, source) if record.get(key) is not None else ""
