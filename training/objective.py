"""What both towers learn: the losses of a batch, their weights, and their learned scales."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches import Batch
from training.losses import contrastive, follow_classes, rank_pictures, soft_labels, stay

__all__ = ["LossWeights", "Scales", "Vectors", "losses"]

_LARGEST_SCALE = 60.0


@dataclass(frozen=True)
class LossWeights:
    """The weights of the losses. Those with a default of zero, and those of texts among themselves, are optional."""

    captions: float = 1.0
    """Pictures and their captions."""
    paraphrases: float = 0.2
    """Two captions of one picture."""
    aligned: float = 0.2
    """A sentence in two languages."""
    nouns: float = 0.15
    """Two names of a noun."""
    classes: float = 0.5
    """The teacher's probabilities of its classes."""
    concepts: float = 29.0
    """The teacher's probability of each class and node."""
    words: float = 20.0
    """The words that captions say."""
    ranking: float = 0.3
    """The photos of the batch, ranked for a word."""
    subjects: float = 0.0
    """The subjects that rendered scenes show."""
    scenes: float = 0.0
    """The scenes of the batch, ranked for a subject."""
    unmoved: float = 0.0
    """Vectors of texts that are not about scenes, compared with those of the text tower at the start."""


class Scales(nn.Module):
    """Inverse temperatures and biases of the losses, learned too. Scales are stored as logarithms."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures, self.texts, self.classes = (nn.Parameter(torch.tensor(math.log(14.0))) for _ in range(3))
        self.concepts, self.concepts_bias = (nn.Parameter(torch.tensor(x)) for x in (math.log(10.0), -6.0))
        self.words, self.words_bias = (nn.Parameter(torch.tensor(x)) for x in (math.log(12.0), -5.0))
        self.subjects, self.subjects_bias = (nn.Parameter(torch.tensor(x)) for x in (math.log(14.0), -5.0))

    def of(self, name: str) -> Tensor:
        """Return an inverse temperature."""
        scale: Tensor = getattr(self, name)
        return scale.exp().clamp(max=_LARGEST_SCALE)


@dataclass(frozen=True)
class Vectors:
    """The unit vectors of a batch."""

    pictures: Tensor
    """(C + X, D)."""
    texts: Mapping[str, Tensor]
    """(n, D) for each part of `Queries`."""
    anchored: Tensor
    """(A, D): vectors of some texts that are not about scenes."""
    before: Tensor
    """(A, D): the vectors that the text tower had for them at the start."""


def losses(batch: Batch, vectors: Vectors, weights: LossWeights, scales: Scales) -> Iterator[tuple[str, Tensor]]:
    """Yield the losses with a weight, by the names of their weights."""
    yield from _of_texts(vectors.texts, weights, scales)
    captioned = vectors.pictures[: batch.captioned]
    several = [contrastive(captioned, vectors.texts[name], scales.of("pictures")) for name in ("captions", "others")]
    yield "captions", torch.stack(several).mean()
    yield from _of_teacher(batch, vectors, scales)
    photos, scenes = captioned[: batch.photos], captioned[batch.photos :]
    if weights.words or weights.ranking:
        said, shares = photos @ vectors.texts["words"].T, batch.shares.to(photos.device)  # (P, W)
        yield "words", soft_labels(scales.of("words") * said + scales.words_bias, shares)
        yield "ranking", rank_pictures(scales.of("pictures") * said, shares)
    if weights.subjects or weights.scenes:
        likeness = scenes @ vectors.texts["subjects"].T  # (S, T)
        shown, known = batch.shown.to(scenes.device), batch.known.to(scenes.device)
        yield "subjects", soft_labels(scales.of("subjects") * likeness + scales.subjects_bias, shown, known)
        yield "scenes", rank_pictures(scales.of("pictures") * likeness, shown, known)
    if weights.unmoved:
        yield "unmoved", stay(vectors.anchored, vectors.before)


def _of_texts(texts: Mapping[str, Tensor], weights: LossWeights, scales: Scales) -> Iterator[tuple[str, Tensor]]:
    pairs = {"paraphrases": ("captions", "others"), "aligned": ("left", "right"), "nouns": ("nouns", "synonyms")}
    for name, (left, right) in pairs.items():
        if getattr(weights, name):
            yield name, contrastive(texts[left], texts[right], scales.of("texts"))


def _of_teacher(batch: Batch, vectors: Vectors, scales: Scales) -> Iterator[tuple[str, Tensor]]:
    pictures = vectors.pictures
    seen = torch.cat([pictures[: batch.photos], pictures[batch.captioned :]])  # (P + X, D)
    teacher = batch.logits.float().softmax(1)  # (P + X, 1000)
    likeness = seen @ vectors.texts["concepts"].T  # (P + X, concepts)
    leaves = len(batch.classes)
    yield "classes", follow_classes(scales.of("classes") * likeness[:, :leaves], teacher[:, batch.classes])
    belongs = (teacher @ batch.members.to(seen.device)).clamp(0, 1)  # (P + X, concepts)
    yield "concepts", soft_labels(scales.of("concepts") * likeness + scales.concepts_bias, belongs)
