"""Folders in which each picture has its captions in a text file next to it, as img2dataset writes them.

    00000/000000017.jpg    00000/000000017.txt    a caption per line

Pictures without a text file are searched as well, without being the answer to a query.
"""

from pathlib import Path, PurePosixPath

from core.errors import DatasetError
from search.evaluate.datasets.base import (
    UNKNOWN_LANGUAGE,
    DatasetBuilder,
    DatasetFormat,
    ReadOptions,
    images_beneath,
)
from search.evaluate.text_files import FilePosition, read_lines

__all__ = ["FORMAT"]

_SUFFIX = ".txt"


def _recognises(path: Path) -> bool:
    """Return whether the first picture has a text file."""
    first = next(images_beneath(path), None) if path.is_dir() else None
    return first is not None and _text_file(path, first).is_file()


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    root = options.root or path
    builder = DatasetBuilder(path, root)
    without = 0
    for image in images_beneath(root):
        file = _text_file(root, image)
        if not file.is_file():
            builder.add_image(image, "", FilePosition(root))
            without += 1
            continue
        for position, line in read_lines(file):
            builder.add_caption(builder.add_image(image, "", position), line.strip(), UNKNOWN_LANGUAGE, position)
    if not builder.splits:
        raise DatasetError(path, "no pictures with text files next to them")
    if without:
        builder.notices.append(f"{without:,} of {len(builder.splits):,} pictures have no text file")
    return builder


def _text_file(root: Path, image: str) -> Path:
    return root / PurePosixPath(image).with_suffix(_SUFFIX)


FORMAT = DatasetFormat(_recognises, _read)
