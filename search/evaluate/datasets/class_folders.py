"""Folders of classes, as in ImageNet: CLASS/*.jpg, or SPLIT/CLASS/*.jpg. Every image of a class is relevant to it.

A template such as "a photo of a {}" turns a class into a query (Radford et al., 2021). The name of a class is that of
its folder, with blanks for `_`. Where the folders are named by codes, a file `classes.txt` or `LOC_synset_mapping.txt`
(`n01440764 tench, Tinca tinca`) has the names; the part before the first comma is used. A list of names in the order of
the folders replaces both. The language is English.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.base import DatasetBuilder, DatasetFormat, ReadOptions, images_beneath
from search.evaluate.text_files import FilePosition, read_lines
from search.evaluate.text_lists import read_text_list

__all__ = ["FORMAT"]

_SPLITS = frozenset(("train", "val", "valid", "validation", "dev", "test"))


def _recognises(path: Path) -> bool:
    """Return whether there are images in `path` that lie in a folder of a class."""
    depth = 2 if _has_splits(path) else 1
    return path.is_dir() and any(image.count("/") == depth for image in images_beneath(path))


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    """Read all images, with one query per class."""
    if "{}" not in options.template:
        raise DatasetError(path, f"the template {options.template!r} has no {{}} for the name of the class")
    root = options.root or path
    builder = DatasetBuilder(path, root, task="classification")
    by_class: dict[str, dict[str, int]] = {}
    depth = 2 if _has_splits(root) else 1
    for image in images_beneath(root):
        *folders, _ = image.split("/")
        if len(folders) != depth:
            raise DatasetError(root, f"{image} is not in the folder of a class")
        builder.add_image(image, folders[0] if depth == 2 else "", FilePosition(root))
        by_class.setdefault(folders[-1], {})[image] = 1
    names = _listed_names(options.class_names, path, sorted(by_class)) if options.class_names else _read_names(root)
    for folder, images in sorted(by_class.items()):
        name = names.get(folder, folder.replace("_", " "))
        builder.add_query(folder, options.template.replace("{}", name), "en", images, FilePosition(root))
    return builder


def _has_splits(path: Path) -> bool:
    """Return whether the folders in `path` are splits, not classes."""
    if not path.is_dir():
        return False
    with os.scandir(path) as entries:
        folders = {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
    return bool(folders) and folders <= _SPLITS


def _listed_names(file: Path, path: Path, folders: list[str]) -> dict[str, str]:
    """Return folder -> name of the class, from a list in the order of the folders. Raises `DatasetError`."""
    names = read_text_list(file, path.name)
    if len(names) != len(folders):
        raise DatasetError(file, f"{len(names):,} names for {len(folders):,} folders of classes in {path}")
    return dict(zip(folders, names, strict=True))


def _read_names(root: Path) -> dict[str, str]:
    """Return folder -> name of the class, from the files that list them."""
    files: Iterable[Path] = (root / name for name in ("classes.txt", "LOC_synset_mapping.txt"))
    names: dict[str, str] = {}
    for file in files:
        if file.is_file():
            for position, line in read_lines(file):
                folder, _, name = line.strip().replace("\t", " ").partition(" ")
                if not name.strip():
                    raise position.error("the folder and the name of a class were expected")
                names[folder] = name.split(",")[0].strip()
    return names


FORMAT = DatasetFormat(_recognises, _read)
