"""AdamW with groups of parameters, and a schedule of their learning rates."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["Group", "adamw", "schedule", "set_rate"]


@dataclass(frozen=True)
class Group:
    """Parameters with their largest learning rate. Matrices decay; biases, norms and scales do not."""

    parameters: list[nn.Parameter]
    rate: float
    decay: float


def adamw(groups: Iterable[Group]) -> torch.optim.AdamW:
    """Return the optimiser of some groups."""
    split = []
    for group in groups:
        matrices = [parameter for parameter in group.parameters if parameter.ndim > 1]
        others = [parameter for parameter in group.parameters if parameter.ndim <= 1]
        for parameters, decay in ((matrices, group.decay), (others, 0.0)):
            if parameters:
                split.append({"params": parameters, "lr": group.rate, "rate": group.rate, "weight_decay": decay})
    return torch.optim.AdamW(split, betas=(0.9, 0.98), fused=True)


def schedule(step: int, warmup: int, progress: float, least: float = 0.0) -> float:
    """Return the factor of the learning rate: linear for `warmup` steps, and a cosine of the progress in 0..1."""
    return min(1.0, (step + 1) / warmup) * (least + (1 - least) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def set_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set all learning rates to `factor` times their largest values."""
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * factor
