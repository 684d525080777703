"""The loop of all training steps: a budget, checkpoints, and a log.

All random numbers of a step depend on the seed and the number of the step, so that a run that was interrupted and
continues gives the same weights as one that was not.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.devices import choose_dtype
from training.weights import save

__all__ = ["Budget", "Run", "Trainable", "bfloat16", "device_of", "epoch_rows", "generator", "log_to"]

_log = logging.getLogger("sightline.training")
_LOGGED = 10
"""Steps between two lines of the log."""
Batch = TypeVar("Batch", contravariant=True)


@dataclass(frozen=True)
class Budget:
    """How long to train: a number of steps, or minutes. Only with steps are two runs equal."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("set either steps or minutes")

    def progress(self, step: int, seconds: float) -> float:
        """Return the share of the budget that is used, from 0 to 1."""
        used = step / self.steps if self.steps is not None else seconds / (60 * (self.minutes or 1))
        return min(1.0, used)


class Trainable(Protocol[Batch]):
    """Something that learns from batches."""

    def train_step(self, batch: Batch, step: int, progress: float) -> dict[str, float]:
        """Update the weights once and return the parts of the loss."""

    def state(self) -> dict[str, Any]:
        """Return the state from which a later run continues."""

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""


@dataclass
class Run:
    """A run with its number of steps and seconds so far, and its checkpoint."""

    checkpoint: Path
    budget: Budget
    seed: int
    every: float = 180.0
    """Seconds between two checkpoints."""
    reports: int = 5
    """How often the run is evaluated."""
    step: int = 0
    seconds: float = 0.0

    def train(
        self,
        trainer: Trainable[Batch],
        draw: Callable[[int], Batch],
        report: Callable[[], str] | None = None,
        limit: int | None = None,
    ) -> None:
        """Train until the budget is used; continue from the checkpoint, if there is one.

        `draw` returns the batch of a step. With `limit`, stop after this number of steps, as if interrupted.
        """
        self._restore(trainer)
        saved, sums, first = time.monotonic(), Counter[str](), self.step
        while self.progress < 1 and (limit is None or self.step < limit):
            started, before = time.monotonic(), self.progress
            torch.manual_seed(_torch_seed(self.seed, self.step))
            sums.update(trainer.train_step(draw(self.step), self.step, self.progress))
            self.step += 1
            self.seconds += time.monotonic() - started
            if self.step % _LOGGED == 0:
                self._write_line(sums, self.step - first)
                first = self.step
            if time.monotonic() - saved >= self.every:
                self._save(trainer)
                saved = time.monotonic()
            if report is not None and int(before * self.reports) < int(self.progress * self.reports):
                _log.info("step %d of the average: %s", self.step, report())
        self._save(trainer)

    @property
    def progress(self) -> float:
        """The share of the budget that is used, from 0 to 1."""
        return self.budget.progress(self.step, self.seconds)

    def _write_line(self, sums: Counter[str], steps: int) -> None:
        """Write the means of the last steps: fewer than `_LOGGED` after the run was continued."""
        means = " ".join(f"{name} {total / steps:.3f}" for name, total in sums.items())
        _log.info("step %d, %.2f s each: %s", self.step, self.seconds / self.step, means)
        sums.clear()

    def _save(self, trainer: Trainable[Batch]) -> None:
        state = {"step": self.step, "seconds": self.seconds, "trainer": trainer.state()}
        save(state, self.checkpoint)

    def _restore(self, trainer: Trainable[Batch]) -> None:
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            self.step, self.seconds = state["step"], state["seconds"]
            trainer.restore(state["trainer"])
            _log.info("continue after step %d", self.step)


def generator(seed: int, step: int) -> np.random.Generator:
    """Return the random numbers of a step."""
    return np.random.default_rng([seed, step])


def epoch_rows(count: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of the pictures in a step. In an epoch of `count // batch` steps, no picture comes twice."""
    batch = min(batch, count)
    epoch, index = divmod(step, count // batch)
    order = np.random.default_rng([seed, epoch, count]).permutation(count)
    return order[index * batch : (index + 1) * batch]


def device_of(name: str, threads: int) -> torch.device:
    """Return a device, `cpu` with a number of threads."""
    torch.set_num_threads(threads)
    return torch.device(name)


def bfloat16(device: torch.device) -> torch.autocast:
    """Return a context that computes convolutions and products in bfloat16, if `device` has instructions for it.

    On a processor of that kind it takes half of the time. Weights and their updates stay float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=choose_dtype(None, device) is torch.bfloat16)


def log_to(file: Path) -> None:
    """Write the log of training to the terminal and to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handlers: Sequence[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(file)]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)


def _torch_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))
