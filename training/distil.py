"""The image tower learns to say at once what it says of a picture on average over sizes and mirror images.

    python -m training.distil --data DIR --begin runs/scenes/weights.pt --out runs/distilled

The teacher is the image tower itself: its vectors at the start, averaged by `training.cache_means` (self-distillation,
Furlanello et al., "Born-Again Neural Networks", ICML 2018). The text tower is frozen, so that nothing about texts
changes, and photos without captions teach as well. Besides the mean vectors, their scores for many texts are
followed, and with small weights the captions and words of photos. The first blocks of the trunk and all depthwise
filters are frozen, and the trunk is computed in bfloat16 where the processor has it.
"""

import argparse
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.mini.tokenizer import Tokenizer
from training import corpora
from training.augment import crop, jitter_colours
from training.cache_means import embed, resample
from training.captions import CaptionSampler
from training.dev import DevQueries
from training.filters import freeze_filters
from training.loop import Budget, Run, device_of, generator, log_to
from training.losses import contrastive, follow_scores, rank_pictures, stay
from training.model import Mini, Shape
from training.names import read_concepts, read_nouns, read_senses
from training.optim import Group, adamw, schedule, set_rate
from training.pictures import read_names
from training.pixels import PREPROCESS, normalise
from training.scenes import scene_captions
from training.texts import Ids, encode
from training.train import interpolate
from training.views import random_boxes
from training.weights import load_weights, save_weights
from training.words import Vocabulary, WordSampler, all_words

__all__ = ["AveragedSet", "Batch", "DistilSettings", "Distiller", "Sampler"]

_STEPS = 336


@dataclass(frozen=True)
class DistilSettings:
    """The parameters of this step, with the weights of the losses."""

    photos: int = 96
    others: int = 80
    scenes: int = 16
    probes: int = 1536
    """Texts of a step whose scores are followed."""
    words: int = 400
    side: int = PREPROCESS.size
    area: tuple[float, float] = (0.81, 1.0)
    """How much of a photo a crop shows, before its sides are clipped. Scenes are neither cropped nor mirrored."""
    stretch: float = 1.1
    """The largest ratio of its sides, compared with those of the photo."""
    jitter: float = 0.15
    rate: float = 3e-5
    head_rate: float = 6e-5
    frozen_blocks: int = 4
    """The first blocks of the trunk, which do not learn. Their maps are the largest; they have 1 % of the weights."""
    warmup: int = 30
    average: float = 0.99
    """Decay of the moving average of the weights, which is exported."""
    means: float = 10.0
    scores: float = 1.0
    captions: float = 0.1
    ranking: float = 0.05
    sharpness: float = 30.0
    """The inverse temperature of scores that are followed."""
    contrast: float = 20.0
    """That of captions and words."""
    kept: float = 0.7
    """The share of the change that is kept at the end, as in `TrainSettings`."""
    seed: int = 11


@dataclass(frozen=True)
class AveragedSet:
    """Prepared squares (N, P, P, 3) with the mean vector of each (N, D)."""

    pixels: NDArray[np.uint8]
    means: NDArray[np.float32]

    @classmethod
    def load(cls, prepared: Path, means: Path, name: str) -> "AveragedSet":
        """Read one of the sets. Raises `ValueError` if the means are of other pictures."""
        if read_names(prepared / name) != read_names(means / name):
            raise ValueError(f"{means / name} is about other pictures than {prepared / name}: delete it")
        return cls(
            np.load(prepared / name / "pixels.npy", mmap_mode="r"), np.load(means / name / "means.npy", mmap_mode="r")
        )


@dataclass(frozen=True)
class Batch:
    """P photos with captions, then X photos without, then S rendered scenes."""

    pixels: Tensor  # (P + X + S, 3, side, side), normalised
    means: Tensor  # (P + X + S, D)
    captions: list[Ids]  # P
    words: list[Ids]  # W
    shares: Tensor
    """(P, W): the measure in which the captions of a photo say a word."""
    probes: NDArray[np.int64]
    """Rows of the texts whose scores are followed."""


class Sampler:
    """Draws the batches of a run. The batch of a step depends on the seed and the number of the step only."""

    def __init__(
        self,
        sets: tuple[AveragedSet, AveragedSet, AveragedSet],
        captions: CaptionSampler,
        words: WordSampler,
        probes: int,
        settings: DistilSettings,
    ) -> None:
        """Take photos with captions, photos without, and scenes; captions and words of the first; a number of texts."""
        self._sets, self._captions, self._words = sets, captions, words
        self._probes, self._settings = probes, settings

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        settings = self._settings
        rng = generator(settings.seed, step)
        counts = (settings.photos, settings.others, settings.scenes)
        rows = [_some(len(each.pixels), count, rng) for each, count in zip(self._sets, counts, strict=True)]
        words, shares = self._words.draw(rows[0], settings.words, rng)
        views = [
            self._view(each.pixels[chosen], is_photo, rng)
            for each, chosen, is_photo in zip(self._sets, rows, (True, True, False), strict=True)
        ]
        means = [each.means[chosen] for each, chosen in zip(self._sets, rows, strict=True)]
        return Batch(
            pixels=torch.cat(views).contiguous(memory_format=torch.channels_last),
            means=torch.from_numpy(np.concatenate(means)),
            captions=self._captions.draw(rows[0], rng),
            words=words,
            shares=torch.from_numpy(shares),
            probes=_some(self._probes, settings.probes, rng),
        )

    def _view(self, squares: NDArray[np.uint8], is_photo: bool, rng: np.random.Generator) -> Tensor:
        """Return a random view of each photo, or each scene as it is: (N, 3, side, side)."""
        count, settings = len(squares), self._settings
        pixels = torch.from_numpy(squares).permute(0, 3, 1, 2).float()
        if not is_photo:
            return normalise(resample(pixels, settings.side))
        boxes = random_boxes(rng, count, settings.area, settings.stretch)
        pixels = crop(pixels, boxes, rng.random(count) < 0.5, settings.side)
        return normalise(jitter_colours(pixels, rng, settings.jitter))


class Distiller:
    """The image tower, its moving average, the optimiser, and the losses."""

    def __init__(self, model: Mini, probes: Tensor, settings: DistilSettings, device: torch.device) -> None:
        """Take a folded model, and the vectors (T, D) of the texts whose scores are followed."""
        self.settings, self.device = settings, device
        self._probes = probes.to(device)
        # Without dropout: the image tower differs little from its teacher, and would learn to undo that noise.
        self.model = model.to(device).eval().requires_grad_(False)
        self.average = copy.deepcopy(model)
        trunk = self.model.trunk
        trunk.to(memory_format=torch.channels_last)
        parts = [*trunk.blocks[settings.frozen_blocks :], trunk.last]
        for part in (*parts, self.model.head):
            part.requires_grad_(True)
        freeze_filters(trunk)
        learned = [each for part in parts for each in part.parameters() if each.requires_grad]
        head = list(self.model.head.parameters())
        self._trained = [*learned, *head]
        self._optimiser = adamw((Group(learned, settings.rate, 0.0), Group(head, settings.head_rate, 0.0)))

    def train_step(self, batch: Batch, step: int, progress: float) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""
        set_rate(self._optimiser, schedule(step, self.settings.warmup, progress))
        parts = self._losses(batch)
        loss = sum((getattr(self.settings, name) * part for name, part in parts.items()), torch.zeros(()))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimiser.step()
        decay = min(self.settings.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mine, theirs in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mine.lerp_(theirs, 1 - decay)
        return {name: float(part.detach()) for name, part in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return the state from which a later run continues."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        settings, means = self.settings, batch.means.to(self.device)
        vectors = embed(self.model, batch.pixels.to(self.device))  # (N, D)
        probes = self._probes[torch.from_numpy(batch.probes).to(self.device)]  # (T, D)
        scores, wanted = (settings.sharpness * each @ probes.T for each in (vectors, means))  # (N, T)
        captions = self._texts(batch.captions)
        photos = vectors[: len(captions)]
        parts = {
            "means": stay(vectors, means),
            "scores": follow_scores(scores, wanted) + follow_scores(scores.T, wanted.T),
            "captions": contrastive(photos, captions, torch.tensor(settings.contrast)),
        }
        if batch.words:  # a few photos may have none that is frequent enough
            said = settings.contrast * photos @ self._texts(batch.words).T  # (P, W)
            parts["ranking"] = rank_pictures(said, batch.shares.to(self.device))
        return parts

    @torch.no_grad()
    def _texts(self, texts: Sequence[Ids]) -> Tensor:
        """Return the vectors (N, D) of N texts."""
        return encode(self.model.text, texts).float()


def _some(available: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most `count` different rows in ascending order, which reads files fastest."""
    return np.sort(rng.choice(available, min(count, available), replace=False))


def _load(options: argparse.Namespace, tokenizer: Tokenizer, settings: DistilSettings) -> tuple[Sampler, list[Ids]]:
    """Return the sampler, and the texts whose scores are followed."""
    sets = [AveragedSet.load(options.prepared, options.means, name) for name in ("train", "extra", "scenes")]
    names = read_names(options.prepared / "train")
    captions = corpora.captions_of(options.data, "train", names)
    texts, nouns = corpora.by_picture(captions, names), read_nouns(options.data)
    words = all_words(texts, Vocabulary(nouns, read_senses(options.data)))
    concepts = [name for each in read_concepts(options.data).names for several in each.values() for name in several[:1]]
    drawn = np.random.default_rng(settings.seed).permutation(len(captions))[:12_000]
    probes = [captions[row].text for row in drawn] + concepts + [noun.names["en"][0] for noun in nouns]
    probes += [form for word in words for form in word.forms]
    probes += [caption.text for caption in scene_captions(100)]
    samplers = CaptionSampler(captions, names, tokenizer), WordSampler(words, len(names), tokenizer)
    sampler = Sampler((sets[0], sets[1], sets[2]), *samplers, len(probes), settings)
    return sampler, [tokenizer(text) for text in probes]


def _main() -> None:
    options = _options()
    log_to(options.out / "train.log")
    device, settings = device_of(options.device, options.threads), DistilSettings()
    tokenizer = Tokenizer(options.tokenizer, Shape().max_tokens)
    sampler, probes = _load(options, tokenizer, settings)
    model = load_weights(options.begin)
    model.fold()
    begun = copy.deepcopy(model.state_dict())
    model.to(device)
    with torch.no_grad():
        vectors = encode(model.text, probes).float()  # (T, D)
    trainer = Distiller(model, vectors, settings, device)
    dev = DevQueries.load(options.data, options.prepared / "dev", tokenizer)
    squares = np.load(options.prepared / "dev" / "pixels.npy", mmap_mode="r")
    budget = Budget(None if options.minutes else options.steps or _STEPS, options.minutes)
    run = Run(options.out / "checkpoint.pt", budget, settings.seed)
    run.train(trainer, sampler.batch, lambda: dev.summary(trainer.average, squares))
    interpolate(begun, trainer.average, settings.kept)
    save_weights(trainer.average.cpu(), options.out / "weights.pt")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--means", type=Path, default=Path("runs/means"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--begin", type=Path, default=Path("runs/scenes/weights.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/distilled"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=int, help=f"by default {_STEPS}")
    budget.add_argument("--minutes", type=float, help="train this long; two such runs are not equal")
    return parser.parse_args()


if __name__ == "__main__":
    _main()
