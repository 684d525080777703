"""Patch features: a head on the frozen trunk learns what is at each place of a picture.

    python -m training.train_patches --data DIR --weights runs/maps/weights.pt --out runs/patches

Four things teach it. The classifier says what it sees at each place of a larger picture (class activation, Zhou et
al., "Learning deep features for discriminative localization", 2016). The words that captions say must be somewhere in
their photo, and each patch must resemble some of them. A caption must find its photo, or its quarter of a mosaic, by
the patches that it resembles most. In rendered scenes, it is known which patches show what. The trunk and the text
tower are frozen, so that retrieval does not change.
"""

import argparse
import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from encoders.mini.tokenizer import Tokenizer
from training.loop import Budget, Run, device_of, log_to
from training.losses import attended, contrastive_logits, follow_classes, rank_pictures, resemble, show, soft_labels
from training.model import PatchHead, Shape, TextTower
from training.names import CLASSES
from training.optim import Group, adamw, schedule, set_rate
from training.patch_batches import PatchBatch, PatchCounts, PatchSampler
from training.texts import Ids, encode
from training.weights import load_weights, save_patch_head

__all__ = ["PatchSettings", "PatchTrainer", "Remembered"]

_STEPS = 500


@dataclass(frozen=True)
class PatchSettings:
    """The parameters of this step, with the weights of the losses."""

    counts: PatchCounts = field(default_factory=PatchCounts)
    rate: float = 2e-3
    decay: float = 0.05
    warmup: int = 20
    average: float = 0.99
    attention: float = 20.0
    """The inverse temperature by which a text attends to patches."""
    classes: float = 1.0
    concepts: float = 13.0
    words: float = 20.0
    ranking: float = 0.3
    resemblance: float = 0.3
    captions: float = 0.5
    subjects: float = 2.5
    peaks: float = 0.1
    seed: int = 3


class Remembered:
    """The vectors of a frozen text tower, computed once for each text."""

    def __init__(self, tower: TextTower) -> None:
        self._tower = tower.eval()
        self._rows: dict[tuple[int, ...], int] = {}
        self._vectors = torch.empty(0, tower.out.out_features)

    @torch.no_grad()
    def __call__(self, texts: Sequence[Ids]) -> Tensor:
        """Return the vectors (N, D) of N texts."""
        keys = [tuple(text) for text in texts]
        new = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if new:
            self._rows.update({key: len(self._rows) + number for number, key in enumerate(new)})
            # One at a time: in another batch, the last bits would differ, and a run that continues would too.
            self._vectors = torch.cat([self._vectors, encode(self._tower, new, chunk=1).cpu()])
        return self._vectors[[self._rows[key] for key in keys]]


class PatchTrainer:
    """The patch head, its moving average, the optimiser, and the losses."""

    def __init__(self, head: PatchHead, texts: Remembered, settings: PatchSettings, device: torch.device) -> None:
        self.settings, self.device, self._texts = settings, device, texts
        self.head = head.to(device)
        scales = {name: math.log(15.0) for name in ("classes", "captions", "resemblance")}
        scales |= {"concepts": math.log(12.0), "words": math.log(12.0), "concepts_bias": -5.0, "words_bias": -5.0}
        self.scales = nn.ParameterDict({name: nn.Parameter(torch.tensor(value)) for name, value in scales.items()})
        self.scales.to(device)
        parameters = [*self.head.parameters(), *self.scales.parameters()]
        self._optimiser = adamw([Group(parameters, settings.rate, settings.decay)])
        self.average = copy.deepcopy(head).eval().requires_grad_(False)

    def train_step(self, batch: PatchBatch, step: int, progress: float) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""
        self.head.train()
        set_rate(self._optimiser, schedule(step, self.settings.warmup, progress))
        patches = self.head(batch.fine.to(self.device), batch.coarse.to(self.device))  # (N + S, D, 32, 32)
        count = len(batch.teacher)
        parts = {
            **dict(self._places(batch, patches[:count])),
            **dict(self._captions(batch, patches[:count])),
            **dict(self._scenes(batch, patches[count:])),
        }
        loss = sum((getattr(self.settings, name) * part for name, part in parts.items()), torch.zeros(()))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.head.parameters(), 2.0)
        self._optimiser.step()
        decay = min(self.settings.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mine, theirs in zip(self.average.parameters(), self.head.parameters(), strict=True):
                mine.lerp_(theirs, 1 - decay)
        return {name: float(part.detach()) for name, part in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return the state from which a later run continues."""
        return {
            "head": self.head.state_dict(),
            "average": self.average.state_dict(),
            "scales": self.scales.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""
        self.head.load_state_dict(state["head"])
        self.average.load_state_dict(state["average"])
        self.scales.load_state_dict(state["scales"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _places(self, batch: PatchBatch, patches: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Compare random places with what the teacher sees there."""
        points = batch.points.to(self.device)
        places = functional.normalize(_sample(patches, points), dim=1)  # (Q, D)
        seen = _sample(batch.teacher.to(self.device), points)  # (Q, 1000)
        seen = seen / seen.sum(1, keepdim=True)
        entropy = -(seen * seen.clamp(min=1e-9).log()).sum(1)  # (Q,)
        certain = (1 - entropy / math.log(CLASSES)).clamp(min=0)
        names = self._texts(batch.concepts).to(self.device)  # (C, D)
        likeness = places @ names.T  # (Q, C)
        logits = self._scale("classes") * likeness[:, :CLASSES]
        yield "classes", follow_classes(logits, seen, certain)
        likeness = torch.cat([likeness[:, batch.classes], likeness[:, CLASSES:]], 1)
        belongs = torch.cat([seen[:, batch.classes], seen @ batch.members.to(self.device)], 1).clamp(0, 1)
        yield "concepts", soft_labels(self._scale("concepts") * likeness + self.scales["concepts_bias"], belongs)

    def _captions(self, batch: PatchBatch, patches: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Compare photos and quarters of mosaics with words and captions."""
        units = _units(patches[: batch.photos], patches[batch.photos : batch.photos + batch.mosaics])  # (U, 256, D)
        similarity = units @ self._texts(batch.words).to(self.device).T  # (U, 256, W)
        shares = batch.shares.to(self.device)  # (U, W)
        said = attended(similarity, self.settings.attention)  # (U, W)
        yield "words", soft_labels(self._scale("words") * said + self.scales["words_bias"], shares)
        yield "ranking", rank_pictures(self._scale("captions") * said, shares)
        yield "resemblance", resemble(self._scale("resemblance") * similarity, shares)
        captions = units @ self._texts(batch.captions).to(self.device).T  # (U, 256, U)
        yield "captions", contrastive_logits(self._scale("captions") * attended(captions, self.settings.attention))

    def _scenes(self, batch: PatchBatch, patches: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Compare the patches of scenes with the names of subjects."""
        names = self._texts(batch.subjects).to(self.device)  # (P, D)
        similarity = torch.einsum("sdrc,pd->sprc", patches, names).flatten(2)  # (S, P, 1024)
        cover, known = batch.cover.to(self.device).flatten(2), batch.known.to(self.device).float()
        yield "subjects", show(self._scale("concepts") * similarity + self.scales["concepts_bias"], cover, known)
        there = (cover.sum(2) > 0).flatten()
        shown = cover.flatten(0, 1)[there]  # (T, 1024)
        yield "peaks", follow_classes(30 * similarity.flatten(0, 1)[there], shown, torch.ones_like(shown[:, 0]))

    def _scale(self, name: str) -> Tensor:
        return self.scales[name].exp().clamp(max=60)


def _sample(maps: Tensor, points: Tensor) -> Tensor:
    """Return the values of maps (N, C, h, w) at points (N, Q, 2) from -1 to 1: (NQ, C)."""
    found = functional.grid_sample(maps, points[:, :, None], align_corners=False, padding_mode="border")  # (N, C, Q, 1)
    return found[..., 0].transpose(1, 2).flatten(0, 1)


def _units(photos: Tensor, mosaics: Tensor) -> Tensor:
    """Return 256 patches of each photo, and of each quarter of a mosaic: (P + 4M, 256, D) from (..., D, 32, 32)."""
    coarser = functional.normalize(functional.avg_pool2d(photos, 2), dim=1).flatten(2).transpose(1, 2)  # (P, 256, D)
    half = mosaics.shape[2] // 2
    quarters = mosaics.unflatten(3, (2, half)).unflatten(2, (2, half))  # (M, D, 2, 16, 2, 16)
    parts = quarters.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)  # (4M, 256, D)
    return torch.cat([coarser, parts])


def _main() -> None:
    options = _options()
    log_to(options.out / "train.log")
    device = device_of(options.device, options.threads)
    settings, model = PatchSettings(), load_weights(options.weights).requires_grad_(False)
    tokenizer = Tokenizer(options.tokenizer, Shape().max_tokens)
    sampler = PatchSampler.load(options.data, options.maps, tokenizer, settings.counts, options.seed)
    torch.manual_seed(options.seed)
    trainer = PatchTrainer(PatchHead(model.shape), Remembered(model.text.to(device)), settings, device)
    budget = Budget(None if options.minutes else options.steps or _STEPS, options.minutes)
    Run(options.out / "checkpoint.pt", budget, options.seed).train(trainer, sampler.batch)
    save_patch_head(trainer.average.cpu(), model.shape, options.out / "patches.pt")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("runs/maps/weights.pt"))
    parser.add_argument("--maps", type=Path, default=Path("runs/maps512"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("runs/patches"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=int, help=f"by default {_STEPS}")
    budget.add_argument("--minutes", type=float, help="train this long; two such runs are not equal")
    parser.add_argument("--seed", type=int, default=PatchSettings.seed)
    return parser.parse_args()


if __name__ == "__main__":
    _main()
