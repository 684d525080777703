"""The towers of `mini` as torch modules. Knows nothing of data, losses or files.

Both the teacher's feature map and the student's are grids of the same 256 principal components, so one `GridHead`
reads either: that is how the text tower can be trained before there is a student.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Backbone", "GridHead", "Shape", "TextTower"]


@dataclass(frozen=True)
class Shape:
    """Sizes of everything that has one."""

    pieces: int = 16_000
    dim: int = 256
    """Length of an embedding, and of a grid cell."""
    text_width: int = 256
    text_layers: int = 0
    widths: tuple[int, ...] = (64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 3)


class Block(nn.Module):
    """Two convolutions and a shortcut (He et al., "Deep Residual Learning", 2016).

    A block that halves the grid does so by 2x2 patches, whose gradient is several times cheaper on a CPU than that of
    a strided 3x3 kernel.
    """

    def __init__(self, inputs: int, outputs: int, halve: bool) -> None:
        super().__init__()
        kernel, stride, border = (2, 2, 0) if halve else (3, 1, 1)
        self.first = nn.Conv2d(inputs, outputs, kernel, stride, border, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        nn.init.zeros_(self.second_norm.weight)  # a block starts as its shortcut
        self.shortcut: nn.Module = nn.Identity()
        if halve:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H, W), or half of both sides."""
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class Backbone(nn.Module):
    """The student: normalised pixels (N, 3, S, S) to a grid of cells (N, 256, S/16, S/16)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        inputs = shape.widths[0]
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(4),  # (N, 48, S/4, S/4): no arithmetic at full resolution
            nn.Conv2d(3 * 4 * 4, inputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
        ]
        for stage, (width, count) in enumerate(zip(shape.widths, shape.blocks, strict=True)):
            for block in range(count):
                layers.append(Block(inputs, width, halve=stage > 0 and block == 0))
                inputs = width
        self.layers = nn.Sequential(*layers)
        self.cells = nn.Conv2d(inputs, shape.dim, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) to (N, 256, S/16, S/16)."""
        out: Tensor = self.cells(self.layers(pixels))
        return out


class GridHead(nn.Module):
    """A grid of cells to joint-space vectors: one for each cell, and their weighted mean for the picture."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden = 2 * shape.dim
        self.norm = nn.LayerNorm(shape.dim)
        self.into = nn.Linear(shape.dim, hidden)
        self.out = nn.Linear(hidden, shape.dim)
        self.skip = nn.Linear(shape.dim, shape.dim, bias=False)
        self.weight = nn.Linear(hidden, 1)

    def forward(self, grid: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D, H, W) to unit picture vectors (N, D) and unnormalised cell vectors (N, D, H, W)."""
        n, d, h, w = grid.shape
        cells = self.norm(grid.flatten(2).transpose(1, 2))  # (N, HW, D)
        hidden = functional.gelu(self.into(cells))  # (N, HW, 2D)
        vectors = self.out(hidden) + self.skip(cells)  # (N, HW, D)
        weights = self.weight(hidden).softmax(1)  # (N, HW, 1)
        picture = (weights * vectors).sum(1)  # (N, D)
        return functional.normalize(picture, dim=1), vectors.transpose(1, 2).reshape(n, d, h, w)


class TextTower(nn.Module):
    """Token ids to unit vectors: subword embeddings, a few transformer layers, attention pooling."""

    def __init__(self, shape: Shape, dropout: float = 0.1, max_tokens: int = 64) -> None:
        super().__init__()
        width = shape.text_width
        self.embed = nn.Embedding(shape.pieces, width)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.place = nn.Parameter(torch.zeros(max_tokens, width))
        self.layers = nn.ModuleList(TextLayer(width, dropout) for _ in range(shape.text_layers))
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Linear(width, 4)
        self.out = nn.Linear(width, shape.dim)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids (N, T) and mask (N, T), one where there is a token, to (N, D)."""
        x = self.dropout(self.embed(ids) + self.place[: ids.shape[1]])  # (N, T, W)
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
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, away: Tensor) -> Tensor:
        """x (N, T, W) and away (N, T), very negative where there is no token, to (N, T, W)."""
        parts = self.qkv(self.attention_norm(x)).unflatten(2, (3, self.heads, -1))  # (N, T, 3, heads, W/heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        logits = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + away[:, None, None]  # (N, heads, T, T)
        mixed = (logits.softmax(3) @ v).transpose(1, 2).flatten(2)  # (N, T, W)
        x = x + self.dropout(self.merge(mixed))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out
