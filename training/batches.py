"""What a training step reads: views of pictures, and captions, names, words and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import Tokenizer
from training import corpora
from training.captions import CaptionSampler
from training.loop import epoch_rows, generator
from training.names import CLASSES, Concepts, Noun, read_concepts, read_nouns, read_senses
from training.pictures import Source
from training.scenes import scene_captions, scene_subjects
from training.subjects import SubjectSampler
from training.texts import Ids
from training.words import Vocabulary, WordSampler, all_words

__all__ = ["Batch", "BatchSampler", "Counts", "Language", "Queries"]

_ALIGNED = ("en", "de", "fr", "cs")
_NAMES = 2
"""Names of a noun that are used in each language other than English."""


@dataclass(frozen=True)
class Counts:
    """How much of everything a step reads."""

    photos: int = 448
    scenes: int = 64
    others: int = 256
    """Photos without captions."""
    classes: int = 400
    """Classes of the teacher."""
    nodes: int = 133
    """Concepts above the classes."""
    words: int = 400
    subjects: int = 0
    """Subjects of scenes."""
    aligned: int = 256
    nouns: int = 384


@dataclass(frozen=True)
class Queries:
    """The texts of a step; those of the same rows belong together."""

    captions: list[Ids]  # C, of photos and scenes
    others: list[Ids]  # C, other captions of the same pictures
    concepts: list[Ids]  # classes first, then nodes
    words: list[Ids]
    subjects: list[Ids]
    left: list[Ids]  # aligned sentences
    right: list[Ids]
    nouns: list[Ids]
    synonyms: list[Ids]

    def parts(self) -> dict[str, list[Ids]]:
        """Return the lists by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Batch:
    """P photos and S scenes with captions (C = P + S), then X photos without, and texts."""

    inputs: Tensor
    """Of the image tower, (C + X, ...)."""
    logits: Tensor
    """The teacher's, for the P + X photos: (P + X, 1000)."""
    photos: int
    captioned: int
    classes: NDArray[np.int64]
    """Columns of the classes whose names are among the texts."""
    members: Tensor
    """(1000, concepts): which classes belong to which of the concepts among the texts."""
    shares: Tensor
    """(P, W): the measure in which the captions of a photo say a word."""
    shown: Tensor
    """(S, T): which scenes show which subjects."""
    known: Tensor
    """(S, T): which pairs of a scene and a subject count."""
    queries: Queries


class Language:
    """Names, nouns and aligned sentences as token IDs."""

    def __init__(
        self,
        concepts: Concepts,
        nouns: Sequence[Noun],
        sentences: Sequence[Mapping[str, str]],
        tokenizer: Tokenizer,
    ) -> None:
        self.members = torch.from_numpy(concepts.members.astype(np.float32))
        self._concepts = [[tokenizer(name) for names in each.values() for name in names] for each in concepts.names]
        self._nouns = [[tokenizer(name) for name in _some(noun)] for noun in nouns]
        self._sentences = {lang: [tokenizer(row[lang]) for row in sentences] for lang in _ALIGNED}

    def concepts(self, columns: NDArray[np.int64], rng: np.random.Generator) -> list[Ids]:
        """Return a random name of each concept."""
        return [_one(self._concepts[column], rng) for column in columns]

    def nouns(self, count: int, rng: np.random.Generator) -> tuple[list[Ids], list[Ids]]:
        """Return two random names of each of `count` random nouns."""
        rows = rng.integers(len(self._nouns), size=count)
        first, second = ([_one(self._nouns[row], rng) for row in rows] for _ in range(2))
        return first, second

    def sentences(self, count: int, rng: np.random.Generator) -> tuple[list[Ids], list[Ids]]:
        """Return `count` random sentences in two random languages."""
        rows = rng.integers(len(self._sentences["en"]), size=count)
        left, right = rng.choice(_ALIGNED, 2, replace=False)
        return [self._sentences[left][row] for row in rows], [self._sentences[right][row] for row in rows]


class BatchSampler:
    """Draws the batches of a run. The batch of a step depends on the seed and the number of the step only."""

    def __init__(
        self,
        sources: tuple[Source, Source, Source],
        captions: tuple[CaptionSampler, CaptionSampler],
        language: Language,
        words: tuple[WordSampler, SubjectSampler],
        counts: Counts,
        seed: int,
    ) -> None:
        """Take photos, scenes and photos without captions, and the captions and the words of the first two."""
        self._photos, self._scenes, self._others = sources
        self._captions, self._scene_captions = captions
        self._language, self._counts, self._seed = language, counts, seed
        self._words, self._subjects = words

    @classmethod
    def load(
        cls, data: Path, sources: tuple[Source, Source, Source], tokenizer: Tokenizer, counts: Counts, seed: int
    ) -> "BatchSampler":
        """Read all texts."""
        photos, scenes, _ = (source.names for source in sources)
        sentences = corpora.captions_of(data, "train", photos)
        captions = (
            CaptionSampler(sentences, photos, tokenizer),
            CaptionSampler(scene_captions(len(scenes)), scenes, tokenizer),
        )
        nouns = read_nouns(data)
        language = Language(read_concepts(data), nouns, corpora.aligned_sentences(data), tokenizer)
        texts = corpora.by_picture(sentences, photos)
        words = all_words(texts, Vocabulary(nouns, read_senses(data)))
        subjects = SubjectSampler(scene_subjects(len(scenes)), tokenizer)
        samplers = WordSampler(words, len(photos), tokenizer), subjects
        return cls(sources, captions, language, samplers, counts, seed)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng, counts = generator(self._seed, step), self._counts
        rows = epoch_rows(len(self._photos.names), counts.photos, step, self._seed)
        scenes = _some_rows(len(self._scenes.names), counts.scenes, rng)
        others = rng.integers(len(self._others.names), size=counts.others)
        drawn = [
            source.draw(chosen, rng)
            for source, chosen in ((self._photos, rows), (self._scenes, scenes), (self._others, others))
            if len(chosen)
        ]
        logits = [each.logits for each in drawn if each.logits is not None]
        classes, concepts = self._concepts(rng)
        words, shares = self._words.draw(rows, counts.words, rng)
        subjects = self._subjects.draw(scenes, counts.subjects, rng)
        return Batch(
            inputs=torch.cat([each.inputs for each in drawn]),
            logits=torch.cat(logits),
            photos=len(rows),
            captioned=len(rows) + len(scenes),
            classes=classes,
            members=self._language.members[:, concepts],
            shares=torch.from_numpy(shares),
            shown=torch.from_numpy(subjects.shown),
            known=torch.from_numpy(subjects.known),
            queries=self._queries(rows, scenes, concepts, (words, subjects.texts), rng),
        )

    def _concepts(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the columns of some classes, and these columns followed by those of some nodes."""
        classes = np.sort(_some_rows(CLASSES, self._counts.classes, rng))
        nodes = CLASSES + _some_rows(self._language.members.shape[1] - CLASSES, self._counts.nodes, rng)
        return classes, np.concatenate([classes, nodes])

    def _queries(
        self,
        rows: NDArray[np.int64],
        scenes: NDArray[np.int64],
        concepts: NDArray[np.int64],
        words: tuple[list[Ids], list[Ids]],
        rng: np.random.Generator,
    ) -> Queries:
        captions, others = (self._captions.draw(rows, rng) + self._scene_captions.draw(scenes, rng) for _ in range(2))
        left, right = self._language.sentences(self._counts.aligned, rng)
        nouns, synonyms = self._language.nouns(self._counts.nouns, rng)
        names = self._language.concepts(concepts, rng)
        return Queries(captions, others, names, *words, left, right, nouns, synonyms)


def _some(noun: Noun) -> list[str]:
    """Return the first English name of a noun and the first names in each other language."""
    return [name for lang, names in noun.names.items() for name in names[: 1 if lang == "en" else _NAMES]]


def _some_rows(available: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most `count` different rows."""
    return rng.choice(available, min(count, available), replace=False)


def _one(texts: Sequence[Ids], rng: np.random.Generator) -> Ids:
    return texts[int(rng.integers(len(texts)))]
