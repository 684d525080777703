"""Folders of classes, as in ImageNet: CLASS/*.jpg, or SPLIT/CLASS/*.jpg. Every picture of a class is relevant to it.

A class becomes a query by a template, "a photo of a {}" (Radford et al., 2021). Its name is its folder's, with blanks
for `_`; or, where the folders have codes for names, what a file `classes.txt` or `LOC_synset_mapping.txt` says
(`n01440764 tench, Tinca tinca`), up to the first comma. English.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from core.errors import DatasetError
from search.evaluate.datasets.collect import Contents, Options
from search.evaluate.datasets.files import pictures_beneath
from search.evaluate.text_records import Source, read_lines

__all__ = ["read", "recognises"]

_SPLITS = frozenset(("train", "val", "valid", "validation", "dev", "test"))


def recognises(path: Path) -> bool:
    """Whether every picture in the folder `path` lies in a folder of its own class."""
    depth = 2 if _is_split(path) else 1
    return path.is_dir() and any(image.count("/") == depth for image in pictures_beneath(path))


def read(path: Path, options: Options) -> Contents:
    """A query for each class."""
    if "{}" not in options.template:
        raise DatasetError(path, f"the template {options.template!r} has no {{}} for the name of the class")
    root = options.root or path
    contents = Contents(path, root)
    by_class: dict[str, dict[str, int]] = {}
    depth = 2 if _is_split(root) else 1
    for image in pictures_beneath(root):
        *above, _ = image.split("/")
        if len(above) != depth:
            raise DatasetError(root, f"{image} lies in no folder of a class")
        contents.add_picture(image, above[0] if depth == 2 else "", Source(root))
        by_class.setdefault(above[-1], {})[image] = 1
    names = _names(root)
    for folder, images in sorted(by_class.items()):
        name = names.get(folder, folder.replace("_", " "))
        contents.add_query(folder, options.template.replace("{}", name), "en", images, Source(root))
    return contents


def _is_split(path: Path) -> bool:
    """Whether the folders in `path` are splits and not classes."""
    if not path.is_dir():
        return False
    with os.scandir(path) as entries:
        folders = {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
    return bool(folders) and folders <= _SPLITS


def _names(root: Path) -> dict[str, str]:
    """Folder -> name, if there is a file that says."""
    files: Iterable[Path] = (root / name for name in ("classes.txt", "LOC_synset_mapping.txt"))
    names: dict[str, str] = {}
    for file in files:
        if file.is_file():
            for source, line in read_lines(file):
                folder, _, name = line.strip().replace("\t", " ").partition(" ")
                if not name.strip():
                    raise source.wrong("the folder and the name of a class were expected")
                names[folder] = name.split(",")[0].strip()
    return names
