"""Both towers learn from captions, and from what the teacher sees.

    python -m training.train pixels --data DIR --out runs/pixels
    python -m training.train maps --data DIR --begin runs/pixels/weights.pt --out runs/maps
    python -m training.train scenes --data DIR --begin runs/maps/weights.pt --out runs/scenes

`pixels` fine-tunes the whole trunk on crops, from the weights published for ImageNet; on a GPU this takes minutes, on
two CPU cores hours.
`maps` continues the last blocks, the head and the text tower on maps of the frozen first blocks, which two CPU cores
can do. `scenes` continues the head and the text tower with many rendered scenes and their subjects as queries, while
texts about photos stay where they are. All minimise the losses of `objective.py`, with their own weights. A
checkpoint is written every few minutes, and the same command continues from it. The last line of the log is the
evaluation on dev; `weights.pt` is the moving average of the weights.
"""

import argparse
import copy
from collections.abc import Mapping
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
from training.model import Mini, Shape
from training.objective import LossWeights, Scales, Vectors, losses
from training.optim import Group, adamw, schedule, set_rate
from training.parts import in_parts
from training.pictures import MapSource, PixelSource, Source
from training.texts import Ids, drop_tokens, encode
from training.weights import load_teacher, load_weights, published_weights, save_weights

__all__ = ["MAPS", "PIXELS", "SCENES", "TrainSettings", "Trainer", "interpolate"]


@dataclass(frozen=True)
class TrainSettings:
    """The parameters of a run."""

    counts: Counts = field(default_factory=Counts)
    weights: LossWeights = field(default_factory=LossWeights)
    side: int | None = None
    """Side of the crops in pixels; None: maps are read in place of pixels."""
    part: int | None = None
    """How many crops the trunk keeps the activations of; None: all. Used with `side` only."""
    rate: float = 5e-4
    trunk_rate: float = 1e-4
    """With zero, the whole trunk is frozen."""
    decay: float = 0.05
    trunk_decay: float = 0.02
    warmup: int = 15
    average: float = 0.98
    """Decay of the moving average of the weights, which is exported."""
    dropped: float = 0.1
    """How often a token is replaced by the unknown one."""
    anchors: int = 600
    """Texts of a step for the loss `unmoved`."""
    kept: float = 1.0
    """The share of the change that is kept at the end, by linear interpolation of the weights.

    See Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022."""
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
SCENES = TrainSettings(
    counts=Counts(
        photos=256, scenes=224, others=0, classes=240, nodes=80, words=260, subjects=300, aligned=160, nouns=160
    ),
    weights=LossWeights(subjects=4.0, scenes=0.3, unmoved=3.0),
    rate=3e-4,
    trunk_rate=0.0,
    kept=0.8,
)
_SETTINGS = {"pixels": PIXELS, "maps": MAPS, "scenes": SCENES}
_PART = 128
"""Crops at a time on a processor: a step then needs at most 10.4 GB. All crops at once need more than 24 GB."""
_STEPS = {"pixels": 500, "maps": 200, "scenes": 270}
"""Steps of each run, unless the command sets them."""


class Trainer:
    """Both towers, their moving average, and the optimiser."""

    def __init__(self, model: Mini, settings: TrainSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device
        self.model, self.scales = model.to(device), Scales().to(device)
        self.model.trunk.to(memory_format=torch.channels_last)
        trunk = list(model.trunk.tail() if settings.side is None else model.trunk.parameters())
        trunk = trunk if settings.trunk_rate else []
        model.trunk.requires_grad_(False)
        for parameter in trunk:
            parameter.requires_grad_(True)
        towers = [*model.head.parameters(), *model.text.parameters(), *self.scales.parameters()]
        self._trained = [*trunk, *towers]
        groups = (Group(trunk, settings.trunk_rate, settings.trunk_decay), Group(towers, settings.rate, settings.decay))
        self._optimiser = adamw(groups)
        self.average = copy.deepcopy(model).eval().requires_grad_(False)
        self._first_text = copy.deepcopy(self.average.text) if settings.weights.unmoved else None

    def train_step(self, batch: Batch, step: int, progress: float) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""
        self.model.train()
        set_rate(self._optimiser, schedule(step, self.settings.warmup, progress))
        weights = self.settings.weights
        parts = dict(losses(batch, self._vectors(batch, step), weights, self.scales))
        loss = sum((getattr(weights, name) * part for name, part in parts.items()), torch.zeros(()))
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

    def _vectors(self, batch: Batch, step: int) -> Vectors:
        parts = batch.queries.parts()
        rng = generator(self.settings.seed + 1, step)
        flat = drop_tokens([text for part in parts.values() for text in part], self.settings.dropped, rng)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            trunk = self.model.trunk
            if self.settings.side is None:
                grid = trunk.coarse(batch.inputs)
            else:
                grid = in_parts(trunk, batch.inputs, self.settings.part or len(batch.inputs))
            pictures, texts = self.model.head(grid), encode(self.model.text, flat).float()
        split = texts.split([len(part) for part in parts.values()])
        anchors = self._anchors(batch, rng) if self._first_text is not None else []
        return Vectors(
            pictures=pictures.float(),
            texts=dict(zip(parts, split, strict=True)),
            anchored=texts[anchors],
            before=self._before([flat[row] for row in anchors]),
        )

    def _anchors(self, batch: Batch, rng: np.random.Generator) -> list[int]:
        """Return the places of some texts of a batch that are not about scenes."""
        places: list[int] = []
        start = 0
        for name, part in batch.queries.parts().items():
            about_photos = batch.photos if name in ("captions", "others") else 0 if name == "subjects" else len(part)
            places += range(start, start + about_photos)
            start += len(part)
        chosen = rng.choice(places, min(self.settings.anchors, len(places)), replace=False)
        return [int(place) for place in chosen]

    @torch.no_grad()
    def _before(self, texts: list[Ids]) -> Tensor:
        """Return the vectors (A, D) of texts by the text tower at the start."""
        if self._first_text is None or not texts:
            return torch.empty(0, self.model.shape.dim, device=self.device)
        return encode(self._first_text, texts).float()

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


def interpolate(first: Mapping[str, Tensor], model: Mini, share: float) -> None:
    """Move the weights of `model` so far towards those of `first` that `share` of their difference is left."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.lerp_(first[name].to(value.device), 1 - share)


def _main() -> None:
    options = _options()
    log_to(options.out / "train.log")
    device = device_of(options.device, options.threads)
    settings = _SETTINGS[options.inputs]
    part = options.part or (_PART if device.type == "cpu" else None)
    settings = replace(settings, part=part, seed=settings.seed if options.seed is None else options.seed)
    tokenizer = Tokenizer(options.tokenizer, Shape().max_tokens)
    inputs = options.prepared if settings.side is not None else options.maps
    sampler = BatchSampler.load(
        options.data, sources(inputs, settings, options.data, device), tokenizer, settings.counts, settings.seed
    )
    model = first(options.data, options.begin, tokenizer, settings)
    begun = copy.deepcopy(model.state_dict())
    trainer = Trainer(model, settings, device)
    dev = DevQueries.load(options.data, options.prepared / "dev", tokenizer)
    squares = np.load(options.prepared / "dev" / "pixels.npy", mmap_mode="r")
    steps = None if options.minutes else options.steps or _STEPS[options.inputs]
    run = Run(options.out / "checkpoint.pt", Budget(steps, options.minutes), settings.seed)
    run.train(trainer, sampler.batch, lambda: dev.summary(trainer.average, squares))
    interpolate(begun, trainer.average, settings.kept)
    save_weights(trainer.average.cpu(), options.out / "weights.pt")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", choices=tuple(_SETTINGS))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--maps", type=Path, default=Path("runs/maps192"), help="for `maps` and `scenes`: cached maps")
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--begin", type=Path, help="begin with these weights; required for `maps` and `scenes`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--part", type=int, help=f"`pixels`: crops at a time, by default {_PART} on a CPU, else all")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=int, help=f"by default {_STEPS}")
    budget.add_argument("--minutes", type=float, help="train this long; two such runs are not equal")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    if options.part is not None and options.part < 1:
        parser.error("--part must be at least 1")
    if options.inputs != "pixels" and options.begin is None:
        parser.error(f"{options.inputs} needs --begin; its trunk must be the one that computed the maps")
    return options


if __name__ == "__main__":
    _main()
