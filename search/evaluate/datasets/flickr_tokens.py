"""Flickr8k and Flickr30k as published: a token file, `name.jpg#0<TAB>caption`, and lists of the pictures in each split.

The lists (`Flickr_8k.trainImages.txt`, `Flickr_8k.devImages.txt`, ...) lie beside the token file, one name a line.
Without them there are no splits; with them, pictures in none of them are in the split `rest`. English.
"""

import re
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.collect import Contents, Options, picture_root
from search.evaluate.text_records import Source, read_lines

__all__ = ["read", "recognises"]

_FOLDERS = ("Flicker8k_Dataset", "Flickr8k_Dataset", "Images", "images", "flickr30k-images", "flickr30k_images")

_REST = "rest"


def recognises(path: Path) -> bool:
    """Whether `path` is a token file, or a folder that holds one."""
    return _token_file(path) is not None


def read(path: Path, options: Options) -> Contents:
    """All captions of the token file, with the splits of the lists beside it."""
    file = _token_file(path)
    if file is None:
        raise DatasetError(path, "there is no token file (*.token.txt or *.token)")
    rows = [(source, *_fields(line, source)) for source, line in read_lines(file)]
    folders = [parent / name for parent in (file.parent, file.parent.parent) for name in _FOLDERS]
    contents = Contents(path, picture_root(options, [*folders, file.parent], rows[0][1]))
    splits = _splits(file.parent)
    for source, image, number, text in rows:
        contents.add_picture(image, splits.get(image, _REST) if splits else "", source)
        contents.add_caption(image, text, "en", source, f"{image}#{number}")
    for image in splits:
        if image not in contents.splits:
            raise DatasetError(file, f"the lists of splits name {image}, which has no caption")
    return contents


def _token_file(path: Path) -> Path | None:
    if path.is_dir():
        found = sorted([*path.glob("*.token.txt"), *path.glob("*.token")])
        return found[0] if found else None
    return path if path.name.endswith((".token.txt", ".token")) else None


def _fields(line: str, source: Source) -> tuple[str, str, str]:
    """Picture, number of the caption, caption."""
    parts = re.fullmatch(r"(.+)#([0-9]+)\t(.*)", line)
    if parts is None:
        raise source.wrong("name.jpg#0<TAB>caption was expected")
    return parts[1], parts[2], parts[3]


def _splits(folder: Path) -> dict[str, str]:
    """Picture -> split, from `Flickr_8k.devImages.txt` and the like."""
    splits: dict[str, str] = {}
    for file in sorted(folder.glob("*Images.txt")):
        name = re.sub(r"Images$", "", file.stem.rpartition(".")[2])
        for source, image in read_lines(file):
            if splits.setdefault(image.strip(), name) != name:
                raise source.wrong(f"{image.strip()} is in the split {splits[image.strip()]!r} too")
    return splits
