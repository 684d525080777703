"""Muon for matrices (Jordan et al., 2024), AdamW for the rest, as one optimiser with one learning-rate schedule.

Muon replaces a matrix's momentum by the nearest orthogonal matrix, found by a Newton-Schulz iteration. Convolution
kernels (O, I, h, w) count as matrices (O, I*h*w).
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from training.student import Student

__all__ = ["Muon", "Optimisers", "cosine"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration; steep at zero, so that five rounds bring every singular value near one."""


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Return an approximation of U V^T for a `matrix` U S V^T, in bfloat16: (O, I) to (O, I)."""
    a, b, c = _COEFFICIENTS
    x = matrix.bfloat16()
    x = x / (x.norm() + 1e-7)
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T
    for _ in range(rounds):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum, scaled so that the root mean square of an update is that of AdamW (0.2)."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update the parameters by their gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, float]) -> None:
        gradient = parameter.grad.flatten(1)
        state = self.state[parameter]
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1 - group["momentum"])
        direction = orthogonal(gradient.lerp(momentum, group["momentum"])).to(parameter.dtype)
        size = 0.2 * math.sqrt(max(direction.shape))
        parameter.mul_(1 - group["lr"] * group["decay"])
        parameter.add_(direction.view_as(parameter), alpha=-group["lr"] * size)


def cosine(progress: float, warmup: float = 0.03, floor: float = 0.0) -> float:
    """Return the fraction of the peak learning rate after `progress` (0..1): a linear rise, then half a cosine."""
    if progress < warmup:
        return progress / warmup
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


class Optimisers:
    """Muon for the backbone's kernels; AdamW for its other parameters and, with a lower rate, for trained parts."""

    def __init__(self, student: Student, rate: float, text_rate: float, decay: float) -> None:
        kernels = [p for p in student.backbone.parameters() if p.ndim > 1]
        others = [p for p in student.backbone.parameters() if p.ndim <= 1]
        trained = [*student.head.parameters(), *student.text.parameters(), student.scale]
        groups = [{"params": others, "lr": rate}, {"params": trained, "lr": rate * text_rate}]
        self._all = [Muon(kernels, rate, decay=decay), torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=decay)]
        for group in self._groups():
            group["peak"] = group["lr"]

    def set_rate(self, share: float) -> None:
        """Set every learning rate to this fraction of its peak."""
        for group in self._groups():
            group["lr"] = share * group["peak"]

    def update(self, loss: Tensor) -> None:
        """Take one step along the gradient of `loss`."""
        for optimiser in self._all:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in self._all:
            optimiser.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """Return the state of both optimisers."""
        return [optimiser.state_dict() for optimiser in self._all]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Restore a state returned by `state_dict`."""
        for optimiser, state in zip(self._all, states, strict=True):
            optimiser.load_state_dict(state)

    def _groups(self) -> Iterator[dict[str, Any]]:
        return (group for optimiser in self._all for group in optimiser.param_groups)
