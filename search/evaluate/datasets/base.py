"""Data sets: captioned images in one folder, and what a reader of a file format needs to build one.

A reader collects images and captions in a `DatasetBuilder`. Everything is checked; nothing is dropped silently. What
cannot be used raises a `DatasetError` that names the file, the line and the problem. What is used otherwise than it is
written, such as `A.JPG` for the file `a.jpg`, is named in the notices of the data set.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal

from core.errors import DatasetError, MissingPictures, UnknownLanguage, UnknownSplit
from core.errors.base import first_names
from search.evaluate.datasets.file_names import FileFinder
from search.evaluate.text_files import FilePosition
from search.evaluate.trec import Qrels

__all__ = [
    "ALL_SPLITS",
    "UNKNOWN_LANGUAGE",
    "Caption",
    "Dataset",
    "DatasetBuilder",
    "DatasetFormat",
    "ReadOptions",
    "describe_captions",
    "image_root",
    "images_beneath",
]

ALL_SPLITS = "all"
"""The name of the split that contains everything."""

UNKNOWN_LANGUAGE = "und"
"""The language of a caption when none is given (ISO 639-3: undetermined)."""

_COMMON_SUFFIXES = "jpg jpeg jpe jfif mpo png apng gif webp bmp dib tif tiff"
_RARE_SUFFIXES = "avif heic heif hif jp2 j2k jpx ppm pgm pbm pnm tga"
_SUFFIXES = frozenset(f"{_COMMON_SUFFIXES} {_RARE_SUFFIXES}".split())


@dataclass(frozen=True)
class Caption:
    """A text query. `images` maps the relevant images (paths relative to the root) to grades above 0."""

    id: str
    text: str
    lang: str
    images: Mapping[str, int]


@dataclass(frozen=True)
class Dataset:
    """One split of a data set. `images` are paths relative to `root`, with `/`; they are also the ids of the images."""

    name: str
    split: str
    root: Path
    images: tuple[str, ...]
    captions: tuple[Caption, ...]
    notices: tuple[str, ...] = ()
    """What the user should know about how the data set was read."""
    task: Literal["retrieval", "classification"] = "retrieval"
    """What the data set is made for. The captions of a classification are its classes, one for each picture."""
    whole: "Dataset | None" = field(default=None, repr=False, compare=False)
    """The data set in all languages, if these are only the captions in some of them."""
    path: Path | None = None
    """The file or folder that it was read from."""

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the captions, in alphabetical order."""
        return tuple(sorted({caption.lang for caption in self.captions}))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The image files, in the order of `images`."""
        return tuple(self.root / image for image in self.images)

    def only(self, *langs: str) -> "Dataset":
        """Return the same images with only the captions in these languages. Raises `UnknownLanguage`."""
        for lang in langs:
            if lang not in self.languages:
                raise UnknownLanguage(self.path or self.root, lang, self.languages)
        captions = tuple(caption for caption in self.captions if caption.lang in langs)
        return replace(self, captions=captions, whole=self.whole or self)

    def rows_in_whole(self) -> list[int]:
        """Return the places of the captions among those in all languages."""
        places = {caption.id: row for row, caption in enumerate((self.whole or self).captions)}
        return [places[caption.id] for caption in self.captions]

    def qrels(self) -> Qrels:
        """Return the judgements: caption id -> {image: grade}."""
        return {caption.id: caption.images for caption in self.captions}


@dataclass(frozen=True)
class ReadOptions:
    """Options for readers: the folder of the images (by default found by the reader), and what classes are called."""

    root: Path | None = None
    template: str = "a photo of a {}"
    class_names: Path | None = None
    """A file with the names of the classes, in the order of their folders."""
    image_column: str | None = None
    caption_column: str | None = None
    """Columns of a table, if they are not called as usual."""


@dataclass
class DatasetBuilder:
    """Collects the images and captions of all splits. `splits` maps each image to its split, empty if it has none."""

    path: Path
    root: Path
    splits: dict[str, str] = field(default_factory=dict)
    captions: dict[str, Caption] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    task: Literal["retrieval", "classification"] = "retrieval"
    _positions: dict[str, FilePosition] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def add_image(self, image: str, split: str, position: FilePosition) -> str:
        """Add an image by its path relative to the root, and return its id.

        Raises `DatasetError` for a path outside of the root, and for an image that is in another split already.
        """
        image = _relative(image, self.root, position)
        if self.splits.setdefault(image, split) != split:
            raise position.error(f"{image} is in the split {split!r} and in {self.splits[image]!r}")
        return image

    def add_caption(
        self, image: str, text: str, lang: str, position: FilePosition, caption_id: str | None = None
    ) -> None:
        """Add a caption of an image that `add_image` returned. Without an id it gets `IMAGE#LANG#NUMBER`."""
        if caption_id is None:
            number = self._numbers.get((image, lang), 0)
            self._numbers[image, lang] = number + 1
            caption_id = f"{image}#{lang}#{number}"
        self.add_query(caption_id, text, lang, {image: 1}, position)

    def add_query(self, query_id: str, text: str, lang: str, images: Mapping[str, int], position: FilePosition) -> None:
        """Add a query with its relevant images and their grades.

        Raises `DatasetError` for an empty text and for an id that is used already.
        """
        text = " ".join(text.split())
        if not text:
            raise position.error(f"the caption {query_id!r} is empty; write a text, or remove it")
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise position.error(f"the caption {query_id!r} contains characters that are not text")
        if query_id in self.captions:
            first = self._positions[query_id]
            where = f", as in line {first.line}" if first.line else f", as in {first.place}" if first.place else ""
            raise position.error(f"duplicate id {query_id!r}{where}; every caption needs an id of its own")
        self.captions[query_id] = Caption(query_id, text, lang, dict(images))
        self._positions[query_id] = position

    def build(self, name: str, split: str | None, check_files: bool = True) -> Dataset:
        """Return one split; None stands for the only one.

        Raises `UnknownSplit`, `MissingPictures`, and `DatasetError` if `split` is None and there are several, or if
        there are no captions.
        """
        split = self._choose_split(split)
        if check_files:
            self._correct_names(split)
        images = tuple(sorted(image for image, its in self.splits.items() if split in (ALL_SPLITS, its)))
        image_set = set(images)
        captions = tuple(
            caption if image_set.issuperset(caption.images) else _restrict(caption, image_set)
            for caption in self.captions.values()
            if not caption.images or not image_set.isdisjoint(caption.images)
        )
        if not captions:
            raise DatasetError(self.path, f"{len(images):,} images and no captions")
        missing = [image for image in images if check_files and not _is_file(self.root / image)]
        if missing:
            raise MissingPictures(self.root, tuple(missing))
        return Dataset(name, split, self.root, images, captions, tuple(self.notices), self.task, path=self.path)

    def _correct_names(self, split: str) -> None:
        """Give images whose file is missing the name of the file that is meant, if there is exactly one."""
        finder = FileFinder(self.root)
        missing = [
            image
            for image, its in self.splits.items()
            if split in (ALL_SPLITS, its) and not _is_file(self.root / image)
        ]
        found = {image: file for image in missing if (file := finder.find(image)) is not None}
        renamed = {image: file for image, file in found.items() if self.splits.get(file) in (None, self.splits[image])}
        if not renamed:
            return
        self.splits = {renamed.get(image, image): its for image, its in self.splits.items()}
        for key, caption in self.captions.items():
            if not renamed.keys().isdisjoint(caption.images):
                images = {renamed.get(image, image): grade for image, grade in caption.images.items()}
                self.captions[key] = replace(caption, images=images)
        examples = first_names(tuple(f"{image} for {file}" for image, file in renamed.items()))
        self.notices.append(f"{len(renamed):,} names of pictures differ from those of the files: {examples}")

    def _choose_split(self, split: str | None) -> str:
        known = tuple(sorted(set(self.splits.values()) - {""}))
        if split is None and len(known) > 1:
            raise DatasetError(self.path, f"several splits: choose from {', '.join((*known, ALL_SPLITS))}")
        if split is None:
            return known[0] if known and "" not in self.splits.values() else ALL_SPLITS
        if split not in (*known, ALL_SPLITS):
            raise UnknownSplit(self.path, split, known)
        return split


@dataclass(frozen=True)
class DatasetFormat:
    """A file format for data sets.

    `recognises` returns whether a path is a data set in this format. `read` reads it; `DatasetBuilder` makes one split
    of the result a `Dataset`. Other packages add formats through the entry point group `sightline.dataset_formats`.
    """

    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], DatasetBuilder]


def describe_captions(dataset: Dataset) -> str:
    """Return how many captions a data set has, with its split and languages, for a message."""
    parts = "" if dataset.split == ALL_SPLITS else f" in the split {dataset.split}"
    text = f"{dataset.name} has {len(dataset.captions):,} captions{parts}"
    if dataset.whole is None:
        return text
    return f"{text} in {', '.join(dataset.languages)}, and {len(dataset.whole.captions):,} in all languages"


def image_root(options: ReadOptions, candidates: Iterable[Path], image: str) -> Path:
    """Return the folder that image paths are relative to: the one in `options`, else the first that contains `image`.

    If none contains it, return the first that exists, so that the error which follows names the missing images.
    """
    if options.root is not None:
        return options.root
    folders = [folder for folder in candidates if folder.is_dir()]
    if Path(image).is_absolute():
        matches = [folder for folder in folders if Path(image).is_relative_to(folder)]
    else:
        matches = [folder for folder in folders if _is_file(folder / image)]
    matches = matches or [folder for folder in folders if FileFinder(folder).find(image)]
    return (matches or folders)[0]


def images_beneath(folder: Path) -> Iterator[str]:
    """Yield the paths, relative to `folder` and with `/`, of all files with an image suffix, in order.

    Hidden files and folders are skipped. Links to folders are followed, unless they lead to a folder above.
    """
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or _leads_up(Path(parent) / name)))
        for name in sorted(files):
            if name.rpartition(".")[2].lower() in _SUFFIXES and not name.startswith("."):
                yield (Path(parent) / name).relative_to(folder).as_posix()


def _leads_up(folder: Path) -> bool:
    """Return whether `folder` is a link to a folder that contains it."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _is_file(path: Path) -> bool:
    """Return whether the file exists. (`Path.is_file` raises for a name that is too long.)"""
    return os.path.isfile(path)  # noqa: PTH113


def _restrict(caption: Caption, images: AbstractSet[str]) -> Caption:
    """Return the same query with only those of its images that are in `images`."""
    return replace(caption, images={image: grade for image, grade in caption.images.items() if image in images})


def _relative(image: str, root: Path, position: FilePosition) -> str:
    """Return the path of an image as its id: relative, with `/`, inside of the root."""
    path = PurePosixPath(image)
    if path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    if path.is_absolute():
        raise position.error(f"{image!r} is not in the folder of the images, {root}")
    if not image.strip() or ".." in path.parts:
        raise position.error(f"{image!r} is not a path relative to the folder of the images")
    return str(path)
