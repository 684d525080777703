"""Crossmodal-3600 (Thapliyal et al., EMNLP 2022): `captions.jsonl`, one image per line with captions in 36 languages.

{"image/key": "000411001ff7dd4f", "en": {"caption": ["..."]}, "de": ...}. The image is KEY.jpg, next to the file or in
`images/`. An image may have no caption in some languages.
"""

from pathlib import Path

from search.evaluate.datasets.base import DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.text_files import FilePosition, Record, read_json_lines, read_records, text_of

__all__ = ["FORMAT"]


def _recognises(path: Path) -> bool:
    file = _captions_file(path)
    return file.is_file() and file.suffix == ".jsonl" and "image/key" in next(read_records(file), (None, {}))[1]


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    file = _captions_file(path)
    first = f"{text_of(*next(read_json_lines(file)), 'image/key')}.jpg"
    folders = [file.parent / "images", file.parent, file.parent.parent / "images"]
    builder = DatasetBuilder(path, image_root(options, folders, first))
    for position, record in read_json_lines(file):
        key = text_of(position, record, "image/key")
        if f"{key}.jpg" in builder.splits:
            raise position.error(f"duplicate image {key}")
        image = builder.add_image(f"{key}.jpg", "", position)
        for lang, of_lang in sorted(record.items()):
            if isinstance(of_lang, dict):
                for text in _captions(of_lang, lang, position):
                    builder.add_caption(image, text, lang, position)
    return builder


def _captions_file(path: Path) -> Path:
    return path / "captions.jsonl" if path.is_dir() else path


def _captions(of_lang: Record, lang: str, position: FilePosition) -> list[str]:
    texts = of_lang.get("caption")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise position.error(f"{lang!r} has no list of captions under 'caption'")
    return texts


FORMAT = DatasetFormat(_recognises, _read)
