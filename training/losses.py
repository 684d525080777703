"""The losses of the towers. Every function returns a scalar, averaged over the batch."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["contrastive", "follow", "match_grids"]


def contrastive(pictures: Tensor, texts: Tensor, owners: Tensor, scale: Tensor) -> Tensor:
    """Return the symmetric InfoNCE (Radford et al., 2021) of (B, D) against (B, D) with matching rows.

    Rows with the same owner (B,) show the same thing and are not negatives of each other.
    """
    logits = scale * pictures @ texts.T  # (B, B)
    same = owners[:, None] == owners[None]
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same, -1e4)
    target = torch.arange(len(logits))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def match_grids(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of two grids (N, D, H, W). The mean of the teacher would have 1."""
    return functional.mse_loss(student, teacher)


def follow(student: Tensor, teacher: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """Return the KL divergence of the student's softmax over the batch's texts from the teacher's.

    Pictures (N, D) as student and teacher embed them, texts (M, D).
    """
    wanted = (scale * teacher @ texts.T).softmax(1)  # (N, M)
    return functional.kl_div((scale * student @ texts.T).log_softmax(1), wanted, reduction="batchmean")
