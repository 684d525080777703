"""The scores of queries with and without an answer in a gallery, to which a calibration is fitted.

Every question belongs to one of two halves, by the picture or the idea that it is about, so that a calibration can be
fitted to one half and measured on the other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, Vectors
from search.query_image import open_query_image
from training import corpora
from training.corpora import LANGUAGES, Caption

__all__ = ["Questions", "background", "picture_questions", "text_questions"]

_SHORT = Path(__file__).parent / "short_queries.json"
_GALLERY = Path(__file__).parents[1] / "examples" / "gallery"
_TOPICS = {
    "dog": r"\bdogs?\b|pupp|\bhound|retriever|poodle|terrier",
    "bicycle": r"bike|bicycl|cycl",
    "snow": r"snow|\bski|ice\b|sled|winter",
    "water": r"water|ocean|sea\b|swim|pool|beach|surf|lake|river|wave|splash|boat|kayak",
    "ball": r"ball|soccer|tennis|basket|hockey|rugby",
    "child": r"child|boy|girl|kid|baby|toddler",
}
_PHOTOS = 400
"""Number of pictures from a collection without captions, evenly spaced."""
_COLLECTIONS = ("houses", "cats_dogs", "sports22")
"""Collections without captions that are so different that none answers queries for another."""


@dataclass(frozen=True)
class Questions:
    """Queries of one kind to one gallery, and the relevant score of each."""

    name: str
    answered: bool
    vectors: Vectors
    """(N, D)."""
    scores: NDArray[np.floating]
    """(N,): the score of the best hit, or, for answered queries of the fit, of the answering picture."""
    halves: NDArray[np.integer]
    """(N,): 0 or 1."""
    langs: NDArray[np.str_]
    """(N,)."""
    use: str = "both"
    """`fit`, `measure` or `both`."""


@dataclass(frozen=True)
class _Told:
    """A gallery of pictures with captions."""

    pictures: Vectors  # (P, D)
    texts: Vectors  # (N, D)
    owners: NDArray[np.integer]  # (N,)
    captions: Sequence[Caption]

    @property
    def langs(self) -> NDArray[np.str_]:
        return np.array([caption.lang for caption in self.captions])

    def asked_of(self, name: str, pictures: Vectors) -> Questions:
        """Return the queries of these captions to a gallery without an answer."""
        scores = (self.texts @ pictures.T).max(1)
        return Questions(name, False, self.texts, scores, self.owners % 2, self.langs)


def background(data: Path, encoder: Encoder) -> NDArray[np.floating]:
    """Return the mean (D,) of 1,000 training photos of Flickr8k and one photo of each class of ImageNet."""
    flickr = corpora.flickr_pictures(data, "train")
    classes = sorted((data / "imagenet_names" / "images").glob("*.jpg"))
    return np.mean([_embed(_spread(paths, 1000), encoder).mean(0) for paths in (flickr, classes)], axis=0)


def text_questions(data: Path, encoder: Encoder) -> list[Questions]:
    """Return text queries to photos, to the rendered gallery, and to photos of houses."""
    names = [path.name for path in corpora.flickr_pictures(data, "dev")]
    photos = _told(data / "flickr8k" / "images", names, corpora.captions(data, "dev"), encoder)
    captions = corpora.read_captions(_GALLERY / "captions.jsonl")
    scenes = _told(_GALLERY, sorted({caption.image for caption in captions}), captions, encoder)
    houses = _embed(_collection(data, "houses"), encoder)
    return [
        *_own("photo", photos),
        *_own("scene", scenes),
        photos.asked_of("photo captions to houses", houses),
        photos.asked_of("photo captions to scenes", scenes.pictures),
        scenes.asked_of("scene captions to photos", photos.pictures),
        scenes.asked_of("scene captions to houses", houses),
        _topics(photos),
        *_short(photos.pictures, encoder),
    ]


def picture_questions(data: Path, encoder: Encoder) -> list[Questions]:
    """Return picture queries to a collection of the same kind, and to one without similar pictures."""
    kinds = {name: _embed(_collection(data, name), encoder) for name in _COLLECTIONS}
    kinds["scenes"] = _embed(sorted(_GALLERY.rglob("*.jpg")), encoder)
    found = []
    for asked, pictures in kinds.items():
        for gallery, others in kinds.items():
            scores = pictures @ others.T  # (N, M)
            if asked == gallery:
                np.fill_diagonal(scores, -1)  # a picture does not answer itself
            name = f"{asked} to {gallery}"
            halves, langs = np.arange(len(pictures)) % 2, np.full(len(pictures), "")
            found.append(Questions(name, asked == gallery, pictures, scores.max(1), halves, langs))
    return found


def _own(name: str, told: _Told) -> Iterator[Questions]:
    """Return captions as queries to their gallery, with and without their picture."""
    scores = told.texts @ told.pictures.T  # (N, P)
    rows = np.arange(len(scores))
    own = scores[rows, told.owners]
    found = (scores > own[:, None]).sum(1) < 10
    vectors, halves, langs = told.texts[found], told.owners[found] % 2, told.langs[found]
    yield Questions(f"own {name}, ranked in the top 10", True, vectors, own[found], halves, langs, "fit")
    best = scores.max(1)
    yield Questions(f"{name} captions, own in the top 10", True, vectors, best[found], halves, langs, "measure")
    yield Questions(f"{name} captions, all", True, told.texts, best, told.owners % 2, told.langs, "measure")
    scores[rows, told.owners] = -1
    name = f"{name} captions, own taken out"
    yield Questions(name, False, told.texts, scores.max(1), told.owners % 2, told.langs, "measure")


def _topics(photos: _Told) -> Questions:
    """Return English captions about a topic, as queries to photos without any English caption about it."""
    english = np.flatnonzero(photos.langs == "en")
    texts = [photos.captions[row].text.lower() for row in english.tolist()]
    asked, scores = [], []
    for pattern in _TOPICS.values():
        about = np.array([re.search(pattern, text) is not None for text in texts])
        others = np.setdiff1d(np.arange(len(photos.pictures)), photos.owners[english[about]])
        asked.append(english[about])
        scores.append((photos.texts[english[about]] @ photos.pictures[others].T).max(1))
    rows = np.concatenate(asked)
    halves = photos.owners[rows] % 2
    return Questions("topic taken out", False, photos.texts[rows], np.concatenate(scores), halves, photos.langs[rows])


def _short(pictures: Vectors, encoder: Encoder) -> Iterator[Questions]:
    """Return queries of one or two words to photos. Ideas are split into halves together with their translations."""
    for kind, ideas in json.loads(_SHORT.read_text(encoding="utf-8")).items():
        vectors = encoder.encode_texts([text for idea in ideas for text in idea])
        halves = np.repeat(np.arange(len(ideas)) % 2, len(LANGUAGES))
        langs = np.array(["en", "de", "fr", "cs", "zh", "ar"] * len(ideas))
        scores = (vectors @ pictures.T).max(1)
        yield Questions(f"short queries, {kind}", kind == "answered", vectors, scores, halves, langs)


def _told(folder: Path, names: Sequence[str], captions: Sequence[Caption], encoder: Encoder) -> _Told:
    rows = {name: row for row, name in enumerate(names)}
    pictures = _embed([folder / name for name in names], encoder)
    owners = np.array([rows[caption.image] for caption in captions])
    return _Told(pictures, encoder.encode_texts([caption.text for caption in captions]), owners, captions)


def _collection(data: Path, name: str) -> list[Path]:
    return _spread(sorted((data / "unlabelled" / name).rglob("*.jpg")), _PHOTOS)


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return `count` of `paths`, evenly spaced."""
    return [paths[row] for row in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]


def _embed(paths: Sequence[Path], encoder: Encoder) -> Vectors:
    batches = [paths[start : start + 64] for start in range(0, len(paths), 64)]
    side = encoder.preprocess.size
    return np.concatenate(
        [encoder.encode_images([open_query_image(path, side) for path in batch]) for batch in batches]
    )
