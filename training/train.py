"""Step 4: the student learns the teacher's maps, the teacher's vectors in the joint space, and the captions.

    python -m training.train --data DIR --prepared runs/prepared --text runs/text.pt --out runs/mini

Teacher and student see the same crop, over a long schedule (Beyer et al., "A good teacher is patient and
consistent", 2022). A checkpoint is written after each epoch; the same command continues from it.
"""

import argparse
import logging
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from encoders.mini.tokenizer import Tokenizer
from training.caption_sampler import tensors
from training.dev import DevQueries
from training.losses import contrastive, follow, match_grids
from training.optim import Optimisers, cosine
from training.pictures import Batch, PictureSet, Sampler, captioned_pictures
from training.seeds import seed_all
from training.student import PREPROCESS, Student

__all__ = ["TrainSettings", "Trainer", "embed", "save", "train_epoch"]

_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class TrainSettings:
    """The parameters of this step."""

    epochs: float = 60
    """One epoch sees each captioned picture once."""
    batch: int = 128
    """Captioned pictures in each step."""
    drawn: int = 2
    """Captions drawn for each captioned picture of a batch."""
    side: int = 128
    small_side: int = 96
    small_until: float = 0.6
    """Fraction of the schedule at the smaller side, which is cheaper; shapes learned there carry over."""
    rate: float = 2e-3
    text_rate: float = 0.1
    """Learning rate of the text tower and the grid head relative to the backbone's: they are already trained."""
    decay: float = 0.02
    average: float = 0.998
    """Decay of the moving average of the weights, which is exported."""
    cells_weight: float = 5.0
    place_weight: float = 5.0
    caption_weight: float = 0.5
    follow_weight: float = 0.5
    seed: int = 20


class Trainer:
    """The student, its moving average, and the optimisers."""

    def __init__(self, student: Student, settings: TrainSettings, steps: int) -> None:
        self.settings, self.steps, self.step = settings, steps, 0
        self.student = student
        self.average = student.twin()
        self.teacher_head = student.twin().head.eval().requires_grad_(False)
        self.optimisers = Optimisers(student, settings.rate, settings.text_rate, settings.decay)

    def side(self) -> int:
        """Return the side of the pictures in this step, in pixels."""
        small = self.step < self.settings.small_until * self.steps
        return self.settings.small_side if small else self.settings.side

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""
        self.student.train()
        self.optimisers.set_rate(cosine(self.step / self.steps))
        parts = self._losses(batch)
        weights = self.settings
        total = (
            weights.cells_weight * parts["cells"]
            + weights.place_weight * parts["place"]
            + weights.caption_weight * parts["caption"]
            + weights.follow_weight * parts["follow"]
        )
        self.optimisers.update(total)
        self.step += 1
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        self.average.follow(self.student, decay)
        return {name: float(value.detach()) for name, value in parts.items()}

    def _losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            grid = self.student.backbone(batch.pixels.contiguous(memory_format=torch.channels_last))
        grid = grid.float()  # (B, D, h, w)
        pictures, _ = self.student.head(grid)  # (B, D)
        with torch.no_grad():
            places, _ = self.teacher_head(batch.grids)  # (B, D)
        scale = self.student.scale.exp()
        texts = [self.student.text(*tensors(ids)) for ids in batch.texts]  # each (C, D), C captioned pictures
        captioned = pictures[: len(batch.owners)]
        return {
            "cells": match_grids(grid, batch.grids),
            "place": 1 - (pictures * places).sum(1).mean(),
            "caption": torch.stack([contrastive(captioned, text, batch.owners, scale) for text in texts]).mean(),
            "follow": follow(pictures, places, torch.cat(texts).detach(), scale.detach()),
        }

    def state(self) -> dict[str, Any]:
        """Return the state from which a later run resumes."""
        return {
            "step": self.step,
            "shape": asdict(self.student.shape),
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": self.optimisers.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""
        self.step = int(state["step"])
        self.student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        self.optimisers.load_state_dict(state["optimisers"])


def train_epoch(trainer: Trainer, sampler: Sampler) -> dict[str, float]:
    """Train on each captioned picture once and return the means of the parts of the loss.

    All random numbers depend on the seed and the number of the epoch, so that a resumed run equals an uninterrupted
    one.
    """
    epoch, sums = trainer.step // len(sampler), Counter[str]()
    seed_all(trainer.settings.seed + epoch)
    rng = np.random.default_rng([trainer.settings.seed, epoch])
    for rows in sampler.epoch(rng):
        sums.update(trainer.train_step(sampler.batch(rows, trainer.side(), rng)))
    return {name: total / len(sampler) for name, total in sums.items()}


@torch.no_grad()
def embed(student: Student, pixels: NDArray[np.uint8], batch: int = 100) -> torch.Tensor:
    """Return the unit vectors (N, D) of cached squares (N, P, P, 3), with the preprocessing of the product."""
    squares = np.stack([PREPROCESS.pixels(Image.fromarray(square)) for square in pixels])
    parts = torch.from_numpy(PREPROCESS.normalise(squares)).split(batch)
    return torch.cat([student.head(student.backbone(part))[0] for part in parts])


def _main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    _log_to(options.out / "train.log")
    torch.set_num_threads(options.threads)
    settings = TrainSettings(
        epochs=options.epochs,
        small_until=options.small_until,
        side=options.side,
        rate=options.rate,
        batch=options.batch,
        seed=options.seed,
    )
    seed_all(settings.seed)

    tokenizer = Tokenizer(options.tokenizer)
    pictures, captions = captioned_pictures(options.data, options.prepared, options.scenes, tokenizer)
    others = PictureSet.load(options.prepared / "extra") if options.extra else None
    sampler = Sampler(pictures, captions, others, settings.batch, options.extra, settings.drawn)
    dev = DevQueries.load(options.data, options.prepared / "dev", tokenizer)
    dev_pictures = PictureSet.load(options.prepared / "dev")

    student = _first(options.text, options.begin, options.backbone)
    trainer = Trainer(student, settings, int(settings.epochs * len(sampler)))
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.restore(torch.load(checkpoint, weights_only=True))
    while trainer.step < trainer.steps:
        started, side = time.monotonic(), trainer.side()
        means = " ".join(f"{name} {mean:.3f}" for name, mean in train_epoch(trainer, sampler).items())
        epoch = trainer.step // len(sampler)
        _log.info("epoch %d at %d px, %.0f s: %s", epoch, side, time.monotonic() - started, means)
        save(trainer.state(), checkpoint)
        if epoch % options.dev_every == 0 or trainer.step >= trainer.steps:
            _log.info("  dev: %s", dev.summary(trainer.average.text, embed(trainer.average, dev_pictures.pixels)))


def _first(text: Path, begin: Path | None, backbone: Path | None) -> Student:
    """Return the initial student: after step 3, with the weights of another run, or with only its backbone."""
    if begin:
        return Student.averaged(begin)
    student = Student.after_text(text)
    if backbone:
        average = torch.load(backbone, weights_only=True)["average"]
        mine = {name: value for name, value in average.items() if name.startswith("backbone.")}
        student.backbone.load_state_dict({name.removeprefix("backbone."): value for name, value in mine.items()})
    return student


def _log_to(file: Path) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(file)]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)


def save(state: dict[str, Any], file: Path) -> None:
    """Write a checkpoint atomically."""
    draft = file.with_suffix(".part")
    torch.save(state, draft)
    draft.replace(file)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--text", type=Path, default=Path("runs/text.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/mini"))
    parser.add_argument("--epochs", type=float, default=TrainSettings.epochs)
    parser.add_argument("--small-until", type=float, default=TrainSettings.small_until)
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--begin", type=Path, help="begin with the averaged weights of this checkpoint")
    others.add_argument("--backbone", type=Path, help="begin with only the averaged backbone of this checkpoint")
    parser.add_argument("--side", type=int, default=TrainSettings.side)
    parser.add_argument("--rate", type=float, default=TrainSettings.rate)
    parser.add_argument("--batch", type=int, default=TrainSettings.batch)
    parser.add_argument("--seed", type=int, default=TrainSettings.seed)
    parser.add_argument("--dev-every", type=int, default=2, help="epochs between evaluations on dev")
    parser.add_argument("--scenes", type=int, default=1200, help="rendered scenes among the captioned pictures")
    parser.add_argument("--extra", type=int, default=32, help="pictures without captions in each step")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    _main()
