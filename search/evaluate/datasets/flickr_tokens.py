"""Flickr8k and Flickr30k as published: a token file, `name.jpg#0<TAB>caption`, and a list of the images of each split.

The lists (`Flickr_8k.trainImages.txt`, `Flickr_8k.devImages.txt`, ...) are next to the token file, one name per line.
Without them there are no splits; with them, images that are in no list are in the split `rest`. The language is
English.
"""

import re
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import DatasetBuilder, DatasetFormat, ReadOptions, image_root
from search.evaluate.text_files import FilePosition, read_lines

__all__ = ["FORMAT", "IMAGE_FOLDERS"]

IMAGE_FOLDERS = ("Flicker8k_Dataset", "Flickr8k_Dataset", "Images", "images", "flickr30k-images", "flickr30k_images")

_REST = "rest"
"""The split of images that are in no list."""


def _recognises(path: Path) -> bool:
    return _token_file(path) is not None


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    file = _token_file(path)
    if file is None:
        raise DatasetError(path, "no token file (*.token.txt or *.token)")
    rows = [(position, *_parse(line, position)) for position, line in read_lines(file)]
    folders = [parent / name for parent in (file.parent, file.parent.parent) for name in IMAGE_FOLDERS]
    builder = DatasetBuilder(path, image_root(options, [*folders, file.parent], rows[0][1]))
    splits = _read_splits(file.parent)
    for position, image, number, text in rows:
        builder.add_image(image, splits.get(image, _REST) if splits else "", position)
        builder.add_caption(image, text, "en", position, f"{image}#{number}")
    for image in splits:
        if image not in builder.splits:
            raise DatasetError(file, f"no caption for {image}, which is in the list of a split")
    return builder


def _token_file(path: Path) -> Path | None:
    if path.is_dir():
        files = sorted([*path.glob("*.token.txt"), *path.glob("*.token")])
        return files[0] if files else None
    return path if path.name.endswith((".token.txt", ".token")) else None


def _parse(line: str, position: FilePosition) -> tuple[str, str, str]:
    """Return the image, the number of the caption, and the caption."""
    parts = re.fullmatch(r"(.+)#([0-9]+)\t(.*)", line)
    if parts is None:
        raise position.error("name.jpg#0<TAB>caption was expected")
    return parts[1], parts[2], parts[3]


def _read_splits(folder: Path) -> dict[str, str]:
    """Return image -> split, from files like `Flickr_8k.devImages.txt`."""
    splits: dict[str, str] = {}
    for file in sorted(folder.glob("*Images.txt")):
        name = re.sub(r"Images$", "", file.stem.rpartition(".")[2])
        for position, line in read_lines(file):
            image = line.strip(" \t")
            if splits.setdefault(image, name) != name:
                raise position.error(f"{image} is also in the split {splits[image]!r}")
    return splits


FORMAT = DatasetFormat(_recognises, _read)
