"""Readers of the training data: pictures, captions and aligned sentences, independent of pixels and tensors."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from encoders.mini.tokenizer import plain

__all__ = [
    "LANGUAGES",
    "Caption",
    "aligned_sentences",
    "by_picture",
    "captions",
    "captions_of",
    "class_names",
    "flickr_pictures",
    "read_captions",
    "unlabelled",
]

LANGUAGES = ("en", "zh", "ar", "de", "fr", "cs")
_ALIGNED = ("en", "de", "fr", "cs")
"""Column order of the aligned sentences."""


@dataclass(frozen=True)
class Caption:
    """A sentence about the picture called `image`."""

    image: str
    text: str
    lang: str


def captions(data: Path, split: str) -> list[Caption]:
    """Return all captions of one split of Flickr8k (`train` or `dev`), grouped by language."""
    return [
        Caption(Path(row["image"]).name, row["caption"], row["lang"])
        for lang in LANGUAGES
        for row in _rows(data / "flickr8k" / f"captions.{lang}.jsonl")
        if row["split"] == split
    ]


def captions_of(data: Path, split: str, names: Iterable[str]) -> list[Caption]:
    """Return the captions of some pictures of one split."""
    known = set(names)
    return [caption for caption in captions(data, split) if caption.image in known]


def by_picture(captions: Iterable[Caption], names: Sequence[str]) -> list[dict[str, list[str]]]:
    """Return the captions of each picture by language."""
    rows = {name: row for row, name in enumerate(names)}
    found: list[dict[str, list[str]]] = [{} for _ in names]
    for caption in captions:
        found[rows[caption.image]].setdefault(caption.lang, []).append(caption.text)
    return found


def read_captions(file: Path) -> list[Caption]:
    """Return the captions of a JSON Lines file with the keys `image` (a path), `caption` and `lang`."""
    return [Caption(row["image"], row["caption"], row["lang"]) for row in _rows(file)]


def flickr_pictures(data: Path, split: str) -> list[Path]:
    """Return the photos of one split of Flickr8k, sorted by name."""
    names = {caption.image for caption in captions(data, split)}
    return [data / "flickr8k" / "images" / name for name in sorted(names)]


def unlabelled(data: Path) -> list[Path]:
    """Return the photos without captions, sorted by path. Those with class names are for evaluation only."""
    return sorted((data / "unlabelled").rglob("*.jpg"))


def class_names(data: Path) -> list[Caption]:
    """Return one English class name for each of the ImageNet photos."""
    rows = _rows(data / "imagenet_names" / "labels.jsonl")
    return [Caption(Path(row["image"]).name, row["label"], "en") for row in rows]


def aligned_sentences(data: Path) -> list[dict[str, str]]:
    """Return sentences of the same meaning, a dictionary from language to sentence each.

    Lines with a tab inside a sentence (their columns are ambiguous) are left out, as are sentences that are captions
    of dev pictures (the two collections overlap), so that dev stays unseen.
    """
    unseen = {plain(caption.text) for caption in captions(data, "dev")}
    lines = (data / "multi30k" / "parallel.en-de-fr-cs.tsv").read_text(encoding="utf-8").splitlines()
    columns = (line.split("\t") for line in lines)
    return [
        dict(zip(_ALIGNED, row, strict=True))
        for row in columns
        if len(row) == len(_ALIGNED) and unseen.isdisjoint(plain(sentence) for sentence in row)
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
