"""The parts of `mini` around the trunk as torch modules, independent of data, losses and files."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.trunk import FEATURES, FINE, Trunk

__all__ = ["Mini", "PatchHead", "PictureHead", "Shape", "TextTower"]


@dataclass(frozen=True)
class Shape:
    """The sizes of all layers."""

    dim: int = 256
    """Length of an embedding."""
    head_width: int = 768
    """Hidden units of the head of the image tower."""
    pieces: int = 24_000
    """Entries of the tokenizer."""
    max_tokens: int = 40
    text_width: int = 256
    text_layers: int = 2
    patch_width: int = 192
    """Channels inside the head for patch features."""


class Mini(nn.Module):
    """Both towers of `mini`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.trunk, self.head, self.text = Trunk(), PictureHead(shape), TextTower(shape)
        self.is_folded = False

    def forward(self, pixels: Tensor) -> Tensor:
        """Map normalised pixels (N, 3, S, S) to unit vectors (N, D)."""
        out: Tensor = self.head(self.trunk(pixels))
        return out

    def fold(self) -> None:
        """Fold the trunk's normalisations into its convolutions, if that was not done yet."""
        if not self.is_folded:
            self.trunk.eval()
            self.trunk.fold()
            self.is_folded = True


class PictureHead(nn.Module):
    """Maps the trunk's last map to a picture vector: the weighted mean of a vector for each place."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(FEATURES)
        self.into = nn.Linear(FEATURES, shape.head_width)
        self.out = nn.Linear(shape.head_width, shape.dim)
        self.skip = nn.Linear(FEATURES, shape.dim, bias=False)
        self.weight = nn.Linear(shape.head_width, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, grid: Tensor) -> Tensor:
        """Map (N, 1280, h, w) to unit vectors (N, D)."""
        places = self.norm(grid.flatten(2).transpose(1, 2))  # (N, hw, 1280)
        hidden = self.dropout(functional.gelu(self.into(places)))  # (N, hw, H)
        vectors = self.out(hidden) + self.skip(places)  # (N, hw, D)
        weights = self.weight(hidden).softmax(1)  # (N, hw, 1)
        return functional.normalize((weights * vectors).sum(1), dim=1)


class PatchHead(nn.Module):
    """Patch features: maps two maps of the trunk to a vector for each place of the finer one.

    It is separate from `PictureHead`, whose places only need to be right on average, and does not change picture
    vectors.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.patch_width
        self.fine, self.coarse = nn.Conv2d(FINE, width, 1), nn.Conv2d(FEATURES, width, 1)
        self.mix = nn.Conv2d(width, width, 3, 1, 1)
        self.out = nn.Conv2d(width, shape.dim, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Map (N, 120, 2h, 2w) and (N, 1280, h, w) to unit vectors (N, D, 2h, 2w)."""
        wide = functional.interpolate(self.coarse(coarse), fine.shape[2:], mode="bilinear")  # (N, W, 2h, 2w)
        x = functional.gelu(self.fine(fine) + wide)
        x = x + functional.gelu(self.mix(x))
        return functional.normalize(self.out(x), dim=1)


class TextTower(nn.Module):
    """Maps token IDs to unit vectors: subwords, a convolution, two transformer layers, attention pooling."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        width = shape.text_width
        self.embed = nn.Embedding(shape.pieces, width)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.place = nn.Parameter(torch.zeros(shape.max_tokens, width))
        self.near = nn.Conv1d(width, width, 3, padding=1)
        self.layers = nn.ModuleList(TextLayer(width, dropout) for _ in range(shape.text_layers))
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Linear(width, 4)
        self.out = nn.Linear(width, shape.dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Map IDs (N, T) and their mask (N, T), one for a token, to (N, D)."""
        x = self.dropout(self.embed(ids) + self.place[: ids.shape[1]])  # (N, T, W)
        # Padding is zero, so that it does not change its neighbours.
        x = x + functional.gelu(self.near((x * mask[..., None]).transpose(1, 2)).transpose(1, 2))
        away = (1 - mask) * -1e4  # (N, T), added to logits
        for layer in self.layers:
            x = layer(x, away)
        x = self.norm(x)
        weights = (self.weight(x) + away[..., None]).softmax(1)  # (N, T, 4): one pooling for each quarter
        parts = x.unflatten(2, (4, -1)) * weights[..., None]  # (N, T, 4, W/4)
        return functional.normalize(self.out(self.dropout(parts.sum(1).flatten(1))), dim=1)


class TextLayer(nn.Module):
    """One pre-norm transformer layer, written out so that it exports to plain operators."""

    def __init__(self, width: int, dropout: float, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, away: Tensor) -> Tensor:
        """Map x (N, T, W) and away (N, T), very negative for padding, to (N, T, W)."""
        parts = self.qkv(self.attention_norm(x)).unflatten(2, (3, self.heads, -1))  # (N, T, 3, heads, W/heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        logits = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + away[:, None, None]  # (N, heads, T, T)
        mixed = (logits.softmax(3) @ v).transpose(1, 2).flatten(2)  # (N, T, W)
        x = x + self.dropout(self.merge(mixed))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out
