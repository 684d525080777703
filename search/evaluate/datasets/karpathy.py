"""The splits of Karpathy and Fei-Fei (CVPR 2015): one JSON file for Flickr8k, Flickr30k or COCO.

{"images": [{"filename", "filepath"?, "split", "sentences": [{"raw"}]}]}. COCO's `restval`, usually part of the
training data, is a split of its own here. The language is English.
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.text_files import FilePosition, Record, objects_of, read_json, text_of

__all__ = ["FORMAT"]

_IMAGE_FOLDERS = (
    "images",
    "Images",
    "Flicker8k_Dataset",
    "Flickr8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
    "coco",
)


def _recognises(path: Path) -> bool:
    if not path.is_file() or path.suffix != ".json":
        return False
    content = read_json(path)
    images = content.get("images") if isinstance(content, dict) else None
    return isinstance(images, list) and bool(images) and isinstance(images[0], dict) and "sentences" in images[0]


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    images = objects_of(read_json(path), "images", FilePosition(path))
    if not images:
        raise DatasetError(path, "no images")
    folders = [folder / name for folder in (path.parent, path.parent.parent) for name in _IMAGE_FOLDERS]
    builder = DatasetBuilder(path, image_root(options, [*folders, path.parent], _file_name(*images[0])))
    for position, record in images:
        image = builder.add_image(_file_name(position, record), text_of(position, record, "split"), position)
        for inner, sentence in objects_of(record, "sentences", position):
            builder.add_caption(image, text_of(inner, sentence, "raw"), "en", inner)
    return builder


def _file_name(position: FilePosition, record: Record) -> str:
    name = text_of(position, record, "filename")
    return f"{text_of(position, record, 'filepath')}/{name}" if record.get("filepath") else name


FORMAT = DatasetFormat(_recognises, _read)
