"""The losses. Every function returns a scalar, averaged over the batch."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "attended",
    "contrastive",
    "contrastive_logits",
    "follow_classes",
    "follow_scores",
    "rank_pictures",
    "resemble",
    "show",
    "soft_labels",
    "stay",
]

_EXCLUDED = -1e4
"""A logit whose probability is zero."""


def contrastive(left: Tensor, right: Tensor, scale: Tensor) -> Tensor:
    """Return the symmetric InfoNCE (Radford et al., 2021) of unit vectors (B, D) and (B, D) with matching rows."""
    return contrastive_logits(scale * left @ right.T)


def contrastive_logits(logits: Tensor) -> Tensor:
    """Return the cross-entropy of logits (B, B) with their diagonal, averaged over rows and columns."""
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def follow_classes(logits: Tensor, probabilities: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the KL divergence of the softmax of logits (N, C) from a teacher's probabilities of some classes (N, C).

    The probabilities of a row are scaled to a sum of one. Rows are weighted by `weights` (N,), or by their sum, so that
    a picture counts little if the teacher sees none of these classes.
    """
    mass = probabilities.sum(1, keepdim=True)  # (N, 1)
    wanted = probabilities / mass.clamp(min=1e-9)
    weights = mass[:, 0] if weights is None else weights
    divergence = functional.kl_div(logits.log_softmax(1), wanted, reduction="none").sum(1)  # (N,)
    return (divergence * weights).sum() / weights.sum().clamp(min=1e-9)


def follow_scores(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean KL divergence of the softmax of each row of scores (N, T) from that of wanted scores (N, T)."""
    return functional.kl_div(scores.log_softmax(1), wanted.log_softmax(1), log_target=True, reduction="batchmean")


def soft_labels(logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean binary cross-entropy of logits (N, C) with targets in 0..1. Only `known` (N, C) pairs count."""
    return functional.binary_cross_entropy_with_logits(logits, targets, None if known is None else known.float())


def rank_pictures(logits: Tensor, shares: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the KL divergence of the softmax over pictures from their shares, averaged over words.

    Logits and shares have the shape (N, W): N pictures, W words. Only `known` (N, W) pairs take part.
    """
    if known is not None:
        logits = logits.masked_fill(~known, _EXCLUDED)
    wanted = shares / shares.sum(0, keepdim=True).clamp(min=1e-6)
    return functional.kl_div(logits.log_softmax(0), wanted, reduction="none").sum(0).mean()


def stay(vectors: Tensor, before: Tensor) -> Tensor:
    """Return one minus the mean cosine of unit vectors (N, D) with others: what they were before, or should become."""
    return 1 - (vectors * before).sum(1).mean()


def attended(similarity: Tensor, sharpness: float) -> Tensor:
    """Return the mean of similarities (N, P, T) over P patches, weighted by their softmax: (N, T)."""
    return ((sharpness * similarity).softmax(1) * similarity).sum(1)


def resemble(logits: Tensor, shares: Tensor) -> Tensor:
    """Return how little patches resemble the words of their picture; logits (N, P, W), shares (N, W).

    It is the negative logarithm of the probability that a patch gives to these words together.
    """
    weights = shares[:, None].clamp(min=1e-4).log()  # (N, 1, W)
    return -torch.logsumexp(logits.log_softmax(2) + weights, 2).mean()


def show(logits: Tensor, cover: Tensor, known: Tensor, shown: float = 10.0) -> Tensor:
    """Return the binary cross-entropy of logits (N, T, P) with how much of a patch shows a subject.

    A patch that shows it counts `1 + shown` times. Pairs of a scene and a text whose answer is not `known` (N, T) do
    not count.
    """
    losses = functional.binary_cross_entropy_with_logits(logits, cover, reduction="none") * (1 + shown * cover)
    return (losses.mean(2) * known).sum() / known.sum().clamp(min=1e-9)
