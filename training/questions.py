"""Queries with known answers, and queries without one, to which a calibration is fitted and on which it is measured.

Words and phrases are asked of the dev photos of Flickr8k. A photo is right for a word if it was judged to show it
(`judgements.py`), and if that was not judged, if one of its five English captions mentions it. It is right for a phrase
if two of them mention it. Queries are split into two halves by idea (a word with all its translations) or by photo: one
to fit, one to measure.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, Vectors
from search.query_image import open_query_image
from search.query_kind import text_kind, without_articles
from training import corpora
from training.corpora import LANGUAGES, Caption
from training.judgements import judged, read_judgements

__all__ = ["AGREED", "FIT", "MEASURE", "MENTIONED", "Asked", "Embeddings", "Questions", "outdoors"]

FIT, MEASURE = 0, 1
"""The halves."""
_COLLECTIONS = {"houses": "houses", "cats and dogs": "cats_dogs", "sports": "sports22"}
"""Collections without captions that are so different that none answers queries for another: names and folders."""

_FOLDER = Path(__file__).parent
_GALLERY = _FOLDER.parent / "examples" / "gallery"
_PICTURES = 400
"""Number of pictures from a collection without captions, evenly spaced."""
AGREED = 2
"""Captions of five. A photo shows what so many of its captions mention, if nothing was judged for that query."""
MENTIONED = 1
"""Captions of five. The same for queries with judgements of other photos: captions leave much out, and of photos that
were judged in a sample, more show a word than are mentioned by two captions, and about as many as by one."""
_SUBJECT = 4
"""Captions of five. What so many captions mention is a subject of the photo."""
_INDOORS = re.compile(
    r"\b(people|persons?|group|family|tree|flower|grass|street|sidewalk|path|building|wall|fence|bench|table|car|window|"
    r"sign|chair|couch|bed|floor|bottle|bag|house|store|city|stairs|steps|leaves|pool|water|fountain|glasses|sitting)\b"
)
"""Words that may well be seen in photos of houses and rooms."""


@dataclass(frozen=True)
class Asked:
    """Queries to a gallery."""

    name: str
    vectors: Vectors
    """(N, D)."""
    scores: NDArray[np.float32]
    """(N, P)."""
    kinds: NDArray[np.str_]
    """(N,): the kind of each query."""
    halves: NDArray[np.integer]
    """(N,)."""
    langs: NDArray[np.str_]
    """(N,): empty for pictures."""
    counts: NDArray[np.integer] | None = None
    """(N, P): how many captions of the picture mention the query; None if no picture answers any of the queries."""
    tokens: NDArray[np.integer] | None = None
    """(N,): how many tokens each text has without its article, special ones included; None for pictures."""
    judged: NDArray[np.int8] | None = None
    """(N, P): whether the picture shows what the query names: 1 for yes, 0 for no, -1 if that was not judged."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which pictures are right (N, P)."""
        if self.counts is None:
            return np.zeros(self.scores.shape, bool)
        if self.judged is None:
            return self.counts >= AGREED
        least = np.where((self.judged >= 0).any(1, keepdims=True), MENTIONED, AGREED)
        return np.where(self.judged >= 0, self.judged == 1, self.counts >= least)

    def only(self, rows: NDArray[np.bool_]) -> "Asked":
        """Return some of the queries."""
        return replace(
            self,
            vectors=self.vectors[rows],
            scores=self.scores[rows],
            kinds=self.kinds[rows],
            halves=self.halves[rows],
            langs=self.langs[rows],
            tokens=None if self.tokens is None else self.tokens[rows],
            counts=None if self.counts is None else self.counts[rows],
            judged=None if self.judged is None else self.judged[rows],
        )

    @property
    def log_tokens(self) -> NDArray[np.floating]:
        """(N,): the logarithm of the number of tokens, 0 where it is not known."""
        return np.zeros(len(self.scores)) if self.tokens is None else np.log(self.tokens)

    def half(self, half: int) -> "Asked":
        """Return the queries of one half."""
        return self.only(self.halves == half)

    def to(self, name: str, pictures: Vectors) -> "Asked":
        """Return the same queries to a gallery without an answer."""
        return replace(self, name=name, scores=self.vectors @ pictures.T, counts=None, judged=None)

    def by_captions(self) -> "Asked":
        """Return the same queries without the judgements."""
        return replace(self, name=f"{self.name}, by captions", judged=None)

    def taken_out(self) -> "Asked":
        """Return the same queries to the pictures that neither a caption nor a judgement connects with them."""
        connected = self.right if self.counts is None else self.right | (self.counts > 0)
        scores = np.where(connected, -1, self.scores).astype(np.float32)
        return replace(self, name=f"{self.name}, answers taken out", scores=scores, counts=None, judged=None)


class Embeddings:
    """The embeddings of one encoder, kept in `folder`, so that a second run need not compute them again."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.encoder = encoder
        self._pictures = folder / encoder.space.fingerprint[:16]
        self._texts = self._pictures / encoder.text_version[:16]

    def pictures(self, name: str, paths: Sequence[Path]) -> Vectors:
        """Return the vectors (N, D) of pictures; `name` names the file that keeps them."""

        def encode() -> Vectors:
            side = self.encoder.preprocess.size
            batches = [paths[start : start + 64] for start in range(0, len(paths), 64)]
            opened = ([open_query_image(path, side) for path in batch] for batch in batches)
            return np.concatenate([self.encoder.encode_images(batch) for batch in opened])

        return self._kept(self._pictures, name, [f"{path.name} {path.stat().st_size}" for path in paths], encode)

    def texts(self, name: str, texts: Sequence[str]) -> Vectors:
        """Return the vectors (N, D) of texts; `name` names the file that keeps them."""
        return self._kept(self._texts, name, texts, lambda: self.encoder.encode_texts(texts))

    def tokens(self, texts: Sequence[str]) -> NDArray[np.integer]:
        """Return the number of tokens (N,) of texts without their articles, as searches count them."""
        return np.array([self.encoder.count_tokens(without_articles(text)) or 1 for text in texts])

    def _kept(self, folder: Path, name: str, items: Sequence[str], encode: Callable[[], Vectors]) -> Vectors:
        digest = hashlib.sha256("\n".join(items).encode()).hexdigest()[:8]
        file = folder / f"{name} {digest}.npy"
        if file.is_file():
            return np.asarray(np.load(file), np.float32)
        vectors = encode()
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, vectors)
        return vectors


class Questions:
    """All queries of a calibration."""

    def __init__(self, data: Path, embeddings: Embeddings) -> None:
        self._data, self._embeddings = data, embeddings
        self._paths = corpora.flickr_pictures(data, "dev")
        self._captions = corpora.captions(data, "dev")
        rows = {path.name: row for row, path in enumerate(self._paths)}
        self._owners = np.array([rows[caption.image] for caption in self._captions])
        self._english: list[list[frozenset[str]]] = [[] for _ in rows]
        for caption, owner in zip(self._captions, self._owners.tolist(), strict=True):
            if caption.lang == "en":
                self._english[owner].append(_words(caption.text))

    @cached_property
    def photos(self) -> Vectors:
        """The dev photos (P, D)."""
        return self._embeddings.pictures("dev", self._paths)

    @cached_property
    def scenes(self) -> Vectors:
        """The rendered gallery (P, D)."""
        return self._embeddings.pictures("scenes", sorted(_GALLERY.rglob("*.jpg")))

    def collection(self, name: str, count: int = _PICTURES) -> Vectors:
        """Return some pictures (P, D) of a collection without captions."""
        paths = _spread(sorted((self._data / "unlabelled" / name).rglob("*.jpg")), count)
        return self._embeddings.pictures(f"{name} {count}", paths)

    def background(self) -> NDArray[np.floating]:
        """Return the mean (D,) of photos of many kinds: captioned ones (not dev), ImageNet's classes, collections."""
        captioned = _spread(corpora.flickr_pictures(self._data, "train"), 1000)
        classes = sorted((self._data / "imagenet_names" / "images").glob("*.jpg"))
        folders = sorted(path.name for path in (self._data / "unlabelled").iterdir() if path.is_dir())
        others = np.concatenate([self.collection(name, 100) for name in folders])
        kinds = (self._embeddings.pictures("train", captioned), self._embeddings.pictures("classes", classes), others)
        return np.mean([vectors.mean(0) for vectors in kinds], axis=0)

    def words(self, file: str, name: str) -> Asked:
        """Return the words or phrases of a file as queries to the dev photos."""
        ideas = json.loads((_FOLDER / file).read_text(encoding="utf-8"))
        counts = np.array([_count(self._english, _groups(idea["forms"])) for idea in ideas])
        texts = [idea["names"][lang] for idea in ideas for lang in LANGUAGES]
        asked = self._texts(name, texts, list(LANGUAGES) * len(ideas))
        halves = np.repeat([idea["half"] for idea in ideas], len(LANGUAGES))
        names = [path.name for path in self._paths]
        seen = judged([idea["names"]["en"] for idea in ideas], names, read_judgements())
        each = len(LANGUAGES)
        return replace(asked, halves=halves, counts=counts.repeat(each, 0), judged=seen.repeat(each, 0))

    def unanswered(self) -> Asked:
        """Return words and phrases that nothing in the dev photos answers: chosen ones, and names of classes."""
        ideas = json.loads((_FOLDER / "unanswered.json").read_text(encoding="utf-8"))
        mentioned = frozenset[str]().union(*(words for photo in self._english for words in photo))
        labels = [name.text for name in corpora.class_names(self._data)]
        names = [label for label in labels if _words(label).isdisjoint(mentioned)]
        texts = [idea[lang] for idea in ideas for lang in LANGUAGES] + names
        asked = self._texts(
            "unanswered words and phrases", texts, [*list(LANGUAGES) * len(ideas), *["en"] * len(names)]
        )
        halves = np.concatenate([np.repeat(np.arange(len(ideas)) % 2, len(LANGUAGES)), np.arange(len(names)) % 2])
        return replace(asked, halves=halves)

    def photo_captions(self) -> tuple[Asked, NDArray[np.integer]]:
        """Return the first caption of each dev photo in each language, if a sentence, and the column of its photo."""
        first = {(caption.image, caption.lang): row for row, caption in reversed(list(enumerate(self._captions)))}
        rows = sorted(first.values())
        captions = [self._captions[row] for row in rows]
        return self._sentences("photo captions", captions, self._owners[rows], self.photos)

    def scene_captions(self) -> tuple[Asked, NDArray[np.integer]]:
        """Return the captions of the rendered gallery that are sentences, and the column of each one's picture."""
        captions = corpora.read_captions(_GALLERY / "captions.jsonl")
        names = [str(path.relative_to(_GALLERY)) for path in sorted(_GALLERY.rglob("*.jpg"))]
        owners = np.array([names.index(caption.image) for caption in captions])
        return self._sentences("scene captions", captions, owners, self.scenes)

    def pictures(self) -> Asked:
        """Return dev photos with a subject as queries to all other dev photos.

        The subjects of a photo are the everyday words that four of its five captions mention. Another photo is right if
        two of its captions mention one of them.
        """
        ideas = json.loads((_FOLDER / "everyday_words.json").read_text(encoding="utf-8"))
        mentions = np.array([_count(self._english, _groups(idea["forms"])) for idea in ideas]).T  # (P, W)
        used = np.flatnonzero((mentions >= _SUBJECT).any(1))
        counts = np.array([mentions[:, mentions[row] >= _SUBJECT].max(1) for row in used.tolist()])  # (N, P)
        asked = _pictures("photos", self.photos[used], self.photos)
        own = (np.arange(len(used)), used)
        asked.scores[own], counts[own] = -1, 0  # a picture does not answer itself
        return replace(asked, counts=counts)

    def other_pictures(self) -> list[Asked]:
        """Return pictures of one collection as queries to each other collection."""
        kinds = {name: self.collection(folder) for name, folder in _COLLECTIONS.items()} | {"scenes": self.scenes}
        pairs = [(asked, gallery) for asked in kinds for gallery in kinds if asked != gallery]
        return [_pictures(f"{asked} to {gallery}", kinds[asked], kinds[gallery]) for asked, gallery in pairs]

    def _texts(self, name: str, texts: Sequence[str], langs: Sequence[str]) -> Asked:
        vectors = self._embeddings.texts(name, texts)
        kinds = np.array([text_kind(text) for text in texts])
        tokens = self._embeddings.tokens(texts)
        halves = np.zeros(len(texts), int)
        return Asked(name, vectors, vectors @ self.photos.T, kinds, halves, np.array(langs), tokens=tokens)

    def _sentences(
        self, name: str, captions: Sequence[Caption], owners: NDArray[np.integer], gallery: Vectors
    ) -> tuple[Asked, NDArray[np.integer]]:
        vectors = self._embeddings.texts(name, [caption.text for caption in captions])
        kinds = np.array([text_kind(caption.text) for caption in captions])
        langs = np.array([caption.lang for caption in captions])
        rows = kinds == "sentence"
        asked = Asked(name, vectors, vectors @ gallery.T, kinds, owners % 2, langs)
        return asked.only(rows), owners[rows]


def outdoors(asked: Asked, file: str) -> Asked:
    """Return the queries of a file without the ideas that may well be seen in photos of houses."""
    ideas = json.loads((_FOLDER / file).read_text(encoding="utf-8"))
    return asked.only(np.repeat([not _INDOORS.search(idea["names"]["en"]) for idea in ideas], len(LANGUAGES)))


def _pictures(name: str, vectors: Vectors, gallery: Vectors) -> Asked:
    rows = np.arange(len(vectors))
    return Asked(name, vectors, vectors @ gallery.T, np.full(len(rows), "picture"), rows % 2, np.full(len(rows), ""))


def _count(photos: Sequence[Sequence[frozenset[str]]], groups: Sequence[Sequence[str]]) -> NDArray[np.integer]:
    """Return in how many captions (P,) of each photo there is a word of every group."""
    return np.array(
        [sum(all(not caption.isdisjoint(group) for group in groups) for caption in photo) for photo in photos]
    )


def _groups(forms: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the forms of each word of a phrase; a file lists those of a single word alone."""
    words = [form for form in forms if isinstance(form, str)]
    return [words] if words else [list(group) for group in forms]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower()))


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return `count` of `paths`, evenly spaced."""
    return [paths[row] for row in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
