"""Crossmodal-3600 (Thapliyal et al., EMNLP 2022): `captions.jsonl`, a line a picture with captions in 36 languages.

{"image/key": "000411001ff7dd4f", "en": {"caption": ["..."]}, "de": ...}. The picture is KEY.jpg, beside the file or in
`images/`. A picture may lack a language; no other language has fewer captions for that.
"""

from pathlib import Path

from search.evaluate.datasets.collect import Contents, Options, picture_root
from search.evaluate.text_records import Record, Source, read_json_lines, text_of

__all__ = ["read", "recognises"]


def recognises(path: Path) -> bool:
    """Whether `path` is such a file, or a folder that holds one called `captions.jsonl`."""
    file = _file(path)
    return file.is_file() and file.suffix == ".jsonl" and "image/key" in next(read_json_lines(file))[1]


def read(path: Path, options: Options) -> Contents:
    """All captions in the file."""
    file = _file(path)
    first = f"{text_of(*next(read_json_lines(file)), 'image/key')}.jpg"
    folders = [file.parent / "images", file.parent, file.parent.parent / "images"]
    contents = Contents(path, picture_root(options, folders, first))
    for source, record in read_json_lines(file):
        key = text_of(source, record, "image/key")
        if f"{key}.jpg" in contents.splits:
            raise source.wrong(f"the picture {key} is there twice")
        image = contents.add_picture(f"{key}.jpg", "", source)
        for lang, spoken in sorted(record.items()):
            if isinstance(spoken, dict):
                for text in _captions(spoken, lang, source):
                    contents.add_caption(image, text, lang, source)
    return contents


def _file(path: Path) -> Path:
    return path / "captions.jsonl" if path.is_dir() else path


def _captions(spoken: Record, lang: str, source: Source) -> list[str]:
    texts = spoken.get("caption")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise source.wrong(f"{lang!r} has no list of captions under 'caption'")
    return texts
