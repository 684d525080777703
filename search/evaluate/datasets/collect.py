"""What a format's reader collects, checked line by line, and one split of it made a data set.

Nothing is dropped: whatever cannot be used is an error that names the file, the line, and what is wrong with it.
"""

import os
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from core.errors import DatasetError, MissingPictures, UnknownSplit
from search.evaluate.datasets.base import Caption, Dataset
from search.evaluate.text_records import Source

__all__ = ["ALL", "Contents", "Options", "picture_root"]

ALL = "all"
"""The split of everything."""


@dataclass(frozen=True)
class Options:
    """What a format may need to be told: the folder of the pictures, and how a class becomes a query."""

    root: Path | None = None
    template: str = "a photo of a {}"


@dataclass
class Contents:
    """All that a data set holds, in all its splits. `splits` maps each picture to its split, empty if there is none."""

    path: Path
    root: Path
    splits: dict[str, str] = field(default_factory=dict)
    captions: dict[str, Caption] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def add_picture(self, image: str, split: str, source: Source) -> str:
        """Takes a picture, given relative to the root; returns its id. It can be in one split only."""
        image = _relative(image, source)
        if self.splits.setdefault(image, split) != split:
            raise source.wrong(f"{image} is in the split {split!r} and in {self.splits[image]!r}")
        return image

    def add_caption(self, image: str, text: str, lang: str, source: Source, caption_id: str | None = None) -> None:
        """Takes a caption of a picture that `add_picture` returned."""
        if caption_id is None:
            number = self._numbers.get((image, lang), 0)
            self._numbers[image, lang] = number + 1
            caption_id = f"{image}#{lang}#{number}"
        self.add_query(caption_id, text, lang, {image: 1}, source)

    def add_query(self, query_id: str, text: str, lang: str, images: Mapping[str, int], source: Source) -> None:
        """Takes a query that several pictures answer."""
        text = " ".join(text.split())
        if not text:
            raise source.wrong(f"the caption {query_id!r} is empty")
        if query_id in self.captions:
            raise source.wrong(f"the id {query_id!r} is there twice")
        self.captions[query_id] = Caption(query_id, text, lang, dict(images))

    def dataset(self, name: str, split: str | None, check_files: bool = True) -> Dataset:
        """One split of it; `None` is the only one there is.

        Raises `UnknownSplit`, `MissingPictures`, and `DatasetError` for several splits of which none is named, and
        when there is nothing to evaluate.
        """
        split = self._chosen(split)
        images = tuple(sorted(image for image, its in self.splits.items() if split in (ALL, its)))
        inside = set(images)
        captions = tuple(
            caption if inside.issuperset(caption.images) else _within(caption, inside)
            for caption in self.captions.values()
            if not caption.images or not inside.isdisjoint(caption.images)
        )
        if not captions:
            raise DatasetError(self.path, f"there are {len(images):,} pictures and no captions")
        dataset = Dataset(name, split, self.root, images, captions)
        missing = [image for image in images if check_files and not _is_file(self.root / image)]
        if missing:
            raise MissingPictures(self.root, tuple(missing))
        return dataset

    def _chosen(self, split: str | None) -> str:
        known = tuple(sorted(set(self.splits.values()) - {""}))
        if split is None and len(known) > 1:
            raise DatasetError(self.path, f"name a split; there are: {', '.join((*known, ALL))}")
        if split is None:
            return known[0] if known and "" not in self.splits.values() else ALL
        if split not in (*known, ALL):
            raise UnknownSplit(self.path, split, known)
        return split


def picture_root(options: Options, candidates: Iterable[Path], image: str) -> Path:
    """The folder that pictures are relative to: the one that is named, else the first that holds `image`.

    When none does, the first that is a folder, so that the error which follows names the pictures it lacks.
    """
    if options.root is not None:
        return options.root
    folders = [folder for folder in candidates if folder.is_dir()]
    holding = [folder for folder in folders if _is_file(folder / image)]
    return (holding or folders)[0]


def _is_file(path: Path) -> bool:
    """Whether there is such a file. (`Path.is_file` raises for a name longer than any can be.)"""
    return os.path.isfile(path)  # noqa: PTH113


def _within(caption: Caption, images: AbstractSet[str]) -> Caption:
    """The same query with only those of its pictures that are among `images`."""
    return replace(caption, images={image: grade for image, grade in caption.images.items() if image in images})


def _relative(image: str, source: Source) -> str:
    """A picture's path as its id: relative, with `/`, inside the root."""
    path = PurePosixPath(image)
    if not image.strip() or path.is_absolute() or ".." in path.parts:
        raise source.wrong(f"{image!r} is no path relative to the pictures' folder")
    return str(path)
