"""What a step of `training.train_patches` reads: maps, the teacher's places, and texts of photos and scenes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import Tokenizer
from examples.scenes import Subject
from training import corpora
from training.batches import Language
from training.cache_patches import FINER, FIRST_SCENE, Item, read_items
from training.captions import CaptionSampler
from training.loop import generator
from training.masked_scenes import MaskedScenes, mask_scenes, phrases
from training.names import CLASSES, read_concepts, read_nouns, read_senses
from training.texts import Ids
from training.words import Vocabulary, WordSampler, all_words

__all__ = ["PatchBatch", "PatchCounts", "PatchSampler"]


@dataclass(frozen=True)
class PatchCounts:
    """How much of everything a step reads."""

    photos: int = 16
    mosaics: int = 6
    others: int = 12
    scenes: int = 8
    points: int = 160
    """Places of each picture that are compared with the teacher."""
    classes: int = 200
    """Classes for which the teacher's probability itself is learned, besides all nodes."""
    words: int = 256
    subjects: int = 40
    """Subjects of other scenes that are asked for."""


@dataclass(frozen=True)
class PatchBatch:
    """P photos with captions, M mosaics of four, others without captions: N pictures; then S scenes."""

    fine: Tensor  # (N + S, 120, 32, 32)
    coarse: Tensor  # (N + S, 1280, 16, 16)
    teacher: Tensor  # (N, 1000, 20, 20) probabilities
    photos: int
    mosaics: int
    points: Tensor  # (N, points, 2) from -1 to 1
    members: Tensor  # (1000, nodes)
    classes: NDArray[np.int64]
    concepts: list[Ids]  # a name of each class and node
    words: list[Ids]
    shares: Tensor  # (P + 4M, words)
    captions: list[Ids]  # of photos and quarters
    subjects: list[Ids]
    cover: Tensor  # (S, subjects, 32, 32) the fraction of a patch that shows a subject
    known: Tensor  # (S, subjects)


class PatchSampler:
    """Draws the batches. The batch of a step depends on the seed and the number of the step only."""

    def __init__(
        self,
        folder: Path,
        scenes: MaskedScenes,
        texts: tuple[Mapping[str, int], CaptionSampler, WordSampler],
        language: Language,
        tokenizer: Tokenizer,
        counts: PatchCounts,
        seed: int,
    ) -> None:
        """Take the caches in `folder`, scenes with masks, and the rows, captions and words of photos by file name."""
        self._items: Sequence[Item] = read_items(folder)
        self._rows, self._captions, self._words = texts
        self._scenes, self._language, self._tokenizer = scenes, language, tokenizer
        self._counts, self._seed = counts, seed
        self._maps = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("fine", "coarse")]
        self._scene_maps = [np.load(folder / "scenes" / f"{name}.npy", mmap_mode="r") for name in ("fine", "coarse")]
        self._teacher = np.load(folder / "teacher.npy", mmap_mode="r")

    @classmethod
    def load(cls, data: Path, folder: Path, tokenizer: Tokenizer, counts: PatchCounts, seed: int) -> "PatchSampler":
        """Read all texts, and compute the masks of the scenes."""
        captions, nouns = corpora.captions(data, "train"), read_nouns(data)
        names = sorted({caption.image for caption in captions})
        texts = corpora.by_picture(captions, names)
        words = all_words(texts, Vocabulary(nouns, read_senses(data)))
        samplers = CaptionSampler(captions, names, tokenizer), WordSampler(words, len(names), tokenizer)
        language = Language(read_concepts(data), nouns, [], tokenizer)
        count = len(np.load(folder / "scenes" / "fine.npy", mmap_mode="r"))
        scenes = mask_scenes(count, FINER, FIRST_SCENE)
        rows = {name: row for row, name in enumerate(names)}
        return cls(folder, scenes, (rows, *samplers), language, tokenizer, counts, seed)

    def batch(self, step: int) -> PatchBatch:
        """Return the batch of a step."""
        rng, counts = generator(self._seed, step), self._counts
        photos, mosaics, others = (
            self._some(kind, count, rng)
            for kind, count in (("photo", counts.photos), ("mosaic", counts.mosaics), ("extra", counts.others))
        )
        chosen = np.concatenate([photos, mosaics, others])
        scenes = np.sort(rng.choice(self._scenes.count, min(counts.scenes, self._scenes.count), replace=False))
        mirrored = rng.random(len(chosen)) < 0.5
        mirrored[len(photos) : len(photos) + len(mosaics)] = False  # quarters stay where they are
        fine, coarse = (
            torch.cat([_mirrored(_tensor(maps[chosen]), mirrored), _tensor(scene_maps[scenes])])
            for maps, scene_maps in zip(self._maps, self._scene_maps, strict=True)
        )
        classes = rng.choice(CLASSES, counts.classes, replace=False)
        rows = np.array([self._rows[name] for row in np.concatenate([photos, mosaics]) for name in self._names(row)])
        words, shares = self._words.draw(rows, counts.words, rng)
        subjects, cover, known = self._ask(scenes, rng)
        concepts = np.arange(self._language.members.shape[1])
        return PatchBatch(
            fine=fine,
            coarse=coarse,
            teacher=_mirrored(_tensor(self._teacher[chosen]), mirrored),
            photos=len(photos),
            mosaics=len(mosaics),
            points=torch.from_numpy(rng.uniform(-1, 1, (len(chosen), counts.points, 2)).astype(np.float32)),
            members=self._language.members[:, CLASSES:],
            classes=classes,
            concepts=self._language.concepts(concepts, rng),
            words=words,
            shares=torch.from_numpy(shares),
            captions=self._captions.draw(rows, rng),
            subjects=subjects,
            cover=cover,
            known=known,
        )

    def _some(self, kind: str, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        rows = np.flatnonzero([item.kind == kind for item in self._items])
        return rng.choice(rows, min(count, len(rows)), replace=False)

    def _names(self, row: int) -> list[str]:
        return [Path(path).name for path in self._items[row].paths]

    def _ask(self, scenes: NDArray[np.int64], rng: np.random.Generator) -> tuple[list[Ids], Tensor, Tensor]:
        """Return names of subjects of these scenes and of others, and where they are."""
        every = self._scenes.subjects
        asked: list[Subject] = [every[row] for row in rng.integers(len(every), size=self._counts.subjects)]
        asked += self._scenes.shown(scenes)
        cover, known = self._scenes.answers(scenes, asked)
        names = [phrases(subject) for subject in asked]
        ids: list[Ids] = [self._tokenizer(several[int(rng.integers(len(several)))]) for several in names]
        return ids, torch.from_numpy(cover), torch.from_numpy(known)


def _tensor(values: NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _mirrored(maps: Tensor, mirrored: NDArray[np.bool_]) -> Tensor:
    return torch.where(torch.from_numpy(mirrored)[:, None, None, None], maps.flip(3), maps)
