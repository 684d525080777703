"""Both towers learn from captions, and from what the teacher sees.

    python -m training.train pixels --data DIR --out runs/pixels
    python -m training.train maps --data DIR --begin runs/pixels/weights.pt --out runs/maps

`pixels` fine-tunes the whole trunk on crops, from the weights published for ImageNet; on a GPU this takes minutes.
`maps` continues the last blocks, the head and the text tower on maps of the frozen first blocks, which two CPU cores
can do. Both minimise the same losses. A checkpoint is written every few minutes, and the same command continues from
it. The last line of the log is the evaluation on dev; `weights.pt` is the moving average of the weights.
"""

import argparse
import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from encoders.mini.tokenizer import Tokenizer
from training.batches import Batch, BatchSampler, Counts
from training.dev import DevQueries
from training.loop import Budget, Run, device_of, generator, log_to
from training.losses import contrastive, follow_classes, rank_pictures, soft_labels
from training.model import Mini, Shape
from training.optim import Group, adamw, schedule, set_rate
from training.pictures import MapSource, PixelSource, Source
from training.texts import drop_tokens, encode
from training.weights import load_teacher, load_weights, published_weights, save_weights

__all__ = ["MAPS", "PIXELS", "LossWeights", "Scales", "TrainSettings", "Trainer"]

_LARGEST_SCALE = 60.0


@dataclass(frozen=True)
class LossWeights:
    """The weights of the losses. With zero, a loss is not computed."""

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


@dataclass(frozen=True)
class TrainSettings:
    """The parameters of a run."""

    counts: Counts = field(default_factory=Counts)
    weights: LossWeights = field(default_factory=LossWeights)
    side: int | None = None
    """Side of the crops in pixels; None: maps are read in place of pixels."""
    rate: float = 5e-4
    trunk_rate: float = 1e-4
    decay: float = 0.05
    trunk_decay: float = 0.02
    warmup: int = 15
    average: float = 0.98
    """Decay of the moving average of the weights, which is exported."""
    dropped: float = 0.1
    """How often a token is replaced by the unknown one."""
    seed: int = 1


MAPS = TrainSettings()
PIXELS = TrainSettings(
    counts=Counts(photos=768, scenes=0, others=384, classes=1000, nodes=463, words=0, aligned=384),
    weights=LossWeights(words=0, ranking=0),
    side=192,
    rate=1.5e-3,
    trunk_rate=3e-4,
    decay=0.1,
    trunk_decay=0.05,
    warmup=40,
    average=0.998,
    seed=7,
)
_STEPS = {"pixels": 500, "maps": 200}
"""Steps of each run, unless the command sets them."""


class Scales(nn.Module):
    """Inverse temperatures and biases of the losses, learned too. Scales are stored as logarithms."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures, self.texts, self.classes = (nn.Parameter(torch.tensor(math.log(14.0))) for _ in range(3))
        self.concepts, self.concepts_bias = (nn.Parameter(torch.tensor(x)) for x in (math.log(10.0), -6.0))
        self.words, self.words_bias = (nn.Parameter(torch.tensor(x)) for x in (math.log(12.0), -5.0))

    def of(self, name: str) -> Tensor:
        """Return an inverse temperature."""
        scale: Tensor = getattr(self, name)
        return scale.exp().clamp(max=_LARGEST_SCALE)


class Trainer:
    """Both towers, their moving average, and the optimiser."""

    def __init__(self, model: Mini, settings: TrainSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        self.model, self.scales = model.to(device), Scales().to(device)
        self.model.trunk.to(memory_format=torch.channels_last)
        trunk = list(model.trunk.tail() if settings.side is None else model.trunk.parameters())
        model.trunk.requires_grad_(False)
        for parameter in trunk:
            parameter.requires_grad_(True)
        towers = [*model.head.parameters(), *model.text.parameters(), *self.scales.parameters()]
        self._trained = [*trunk, *towers]
        groups = (Group(trunk, settings.trunk_rate, settings.trunk_decay), Group(towers, settings.rate, settings.decay))
        self._optimiser = adamw(groups)
        self.average = copy.deepcopy(model).eval().requires_grad_(False)

    def train_step(self, batch: Batch, step: int, progress: float) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""
        self.model.train()
        set_rate(self._optimiser, schedule(step, self.settings.warmup, progress))
        parts = dict(self._losses(batch, step))
        loss = sum((getattr(self.settings.weights, name) * part for name, part in parts.items()), torch.zeros(()))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._trained, 2.0)
        self._optimiser.step()
        self._follow(min(self.settings.average, (1 + step) / (10 + step)))
        return {name: float(part.detach()) for name, part in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return the state from which a later run continues."""
        return {
            "model": self.model.state_dict(),
            "scales": self.scales.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""
        self.model.load_state_dict(state["model"])
        self.scales.load_state_dict(state["scales"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _losses(self, batch: Batch, step: int) -> Iterator[tuple[str, Tensor]]:
        weights, scale = self.settings.weights, self.scales.of
        pictures, texts = self._vectors(batch, step)
        captioned = pictures[: batch.captioned]
        for name, left, right in (
            ("paraphrases", "captions", "others"),
            ("aligned", "left", "right"),
            ("nouns", "nouns", "synonyms"),
        ):
            if getattr(weights, name):
                yield name, contrastive(texts[left], texts[right], scale("texts"))
        several = [contrastive(captioned, texts[name], scale("pictures")) for name in ("captions", "others")]
        yield "captions", torch.stack(several).mean()
        seen = torch.cat([pictures[: batch.photos], pictures[batch.captioned :]])  # (P + X, D)
        teacher = batch.logits.float().softmax(1)  # (P + X, 1000)
        likeness = seen @ texts["concepts"].T  # (P + X, concepts)
        leaves = len(batch.classes)
        yield "classes", follow_classes(scale("classes") * likeness[:, :leaves], teacher[:, batch.classes])
        belongs = (teacher @ batch.members.to(self.device)).clamp(0, 1)  # (P + X, concepts)
        yield "concepts", soft_labels(scale("concepts") * likeness + self.scales.concepts_bias, belongs)
        if weights.words or weights.ranking:
            said, shares = pictures[: batch.photos] @ texts["words"].T, batch.shares.to(self.device)  # (P, W)
            yield "words", soft_labels(scale("words") * said + self.scales.words_bias, shares)
            yield "ranking", rank_pictures(scale("pictures") * said, shares)

    def _vectors(self, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the vectors of the pictures (C + X, D), and those of the texts by name."""
        parts = batch.queries.parts()
        rng = generator(self.settings.seed + 1, step)
        flat = drop_tokens([text for part in parts.values() for text in part], self.settings.dropped, rng)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            trunk = self.model.trunk
            grid = trunk.coarse(batch.inputs) if self.settings.side is None else trunk(batch.inputs)
            pictures, texts = self.model.head(grid), encode(self.model.text, flat)
        split = texts.float().split([len(part) for part in parts.values()])
        return pictures.float(), dict(zip(parts, split, strict=True))

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        """Move the averaged weights and statistics a step of 1 - `decay` towards those of the model."""
        for mine, theirs in zip(self.average.state_dict().values(), self.model.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def sources(prepared: Path, settings: TrainSettings, data: Path, device: torch.device) -> tuple[Source, Source, Source]:
    """Return the photos with captions, the rendered scenes, and the photos without captions."""
    if settings.side is None:
        photos, scenes, others = (MapSource(prepared / name, device) for name in ("train", "scenes", "extra"))
        return photos, scenes, others
    teacher = load_teacher(data).to(device)
    judged = [PixelSource(prepared / name, settings.side, teacher, device) for name in ("train", "extra")]
    return judged[0], PixelSource(prepared / "scenes", settings.side, None, device), judged[1]


def first(data: Path, begin: Path | None, tokenizer: Tokenizer, settings: TrainSettings) -> Mini:
    """Return the weights to begin with: those of `begin`, or the published trunk with random towers."""
    if begin is not None:
        model = load_weights(begin)
    else:
        torch.manual_seed(settings.seed)
        model = Mini(Shape(pieces=len(tokenizer)))
        model.trunk.load_published(published_weights(data))
    if settings.side is None:
        model.fold()
    return model


def _main() -> None:
    options = _options()
    log_to(options.out / "train.log")
    device = device_of(options.device, options.threads)
    settings = PIXELS if options.inputs == "pixels" else MAPS
    settings = replace(settings, seed=settings.seed if options.seed is None else options.seed)
    tokenizer = Tokenizer(options.tokenizer, Shape().max_tokens)
    inputs = options.prepared if settings.side is not None else options.maps
    sampler = BatchSampler.load(
        options.data, sources(inputs, settings, options.data, device), tokenizer, settings.counts, settings.seed
    )
    trainer = Trainer(first(options.data, options.begin, tokenizer, settings), settings, device)
    dev = DevQueries.load(options.data, options.prepared / "dev", tokenizer)
    squares = np.load(options.prepared / "dev" / "pixels.npy", mmap_mode="r")
    steps = None if options.minutes else options.steps or _STEPS[options.inputs]
    run = Run(options.out / "checkpoint.pt", Budget(steps, options.minutes), settings.seed)
    run.train(trainer, sampler.batch, lambda: dev.summary(trainer.average, squares))
    save_weights(trainer.average.cpu(), options.out / "weights.pt")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", choices=("pixels", "maps"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--maps", type=Path, default=Path("runs/maps192"), help="for `maps`: cached maps")
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--begin", type=Path, help="begin with these weights; required for `maps`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=int, help=f"by default {_STEPS}")
    budget.add_argument("--minutes", type=float, help="train this long; two such runs are not equal")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    if options.inputs == "maps" and options.begin is None:
        parser.error("maps needs --begin, the weights that computed the maps")
    return options


if __name__ == "__main__":
    _main()
