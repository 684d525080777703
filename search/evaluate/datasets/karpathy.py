"""The splits of Karpathy and Fei-Fei (CVPR 2015): one JSON file for Flickr8k, Flickr30k or COCO.

{"images": [{"filename", "filepath"?, "split", "sentences": [{"raw"}]}]}. COCO's `restval`, usually trained on, is a
split of its own here. English.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.collect import Contents, Options, picture_root
from search.evaluate.text_records import Record, Source, objects_of, read_json, text_of

__all__ = ["read", "recognises"]

_FOLDERS = (
    "images",
    "Images",
    "Flicker8k_Dataset",
    "Flickr8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
    "coco",
)


def recognises(path: Path) -> bool:
    """Whether `path` is such a file."""
    if not path.is_file() or path.suffix != ".json":
        return False
    content = read_json(path)
    images = content.get("images") if isinstance(content, dict) else None
    return isinstance(images, list) and bool(images) and isinstance(images[0], dict) and "sentences" in images[0]


def read(path: Path, options: Options) -> Contents:
    """All sentences in the file."""
    pictures = objects_of(read_json(path), "images", Source(path))
    if not pictures:
        raise DatasetError(path, "there are no pictures")
    folders = [folder / name for folder in (path.parent, path.parent.parent) for name in _FOLDERS]
    contents = Contents(path, picture_root(options, [*folders, path.parent], _file_name(*pictures[0])))
    for source, record in pictures:
        image = contents.add_picture(_file_name(source, record), text_of(source, record, "split"), source)
        for inner, sentence in objects_of(record, "sentences", source):
            contents.add_caption(image, text_of(inner, sentence, "raw"), "en", inner)
    return contents


def _file_name(source: Source, record: Record) -> str:
    name = text_of(source, record, "filename")
    return f"{text_of(source, record, 'filepath')}/{name}" if record.get("filepath") else name
