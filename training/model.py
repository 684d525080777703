"""The towers of `mini` as torch modules, independent of data, losses and files.

The feature maps of teacher and student are grids of the same 256 principal components, so that one `GridHead`
reads both, and the text tower can be trained before the student.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Backbone", "GridHead", "PatchHead", "Shape", "TextTower"]


@dataclass(frozen=True)
class Shape:
    """The sizes of all layers."""

    pieces: int = 16_000
    dim: int = 256
    """Length of an embedding, and of a vector in a grid."""
    text_width: int = 256
    text_layers: int = 0
    text_pairs: int = 8192
    """Rows for pairs of Chinese characters; 0 for no pairs."""
    text_reach: int = 3
    """Kernel size of the convolution over the text; 0 for no convolution."""
    widths: tuple[int, ...] = (64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 3)
    cell_width: int = 128
    """Channels inside the head for patch features."""


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
        """Map (N, C, H, W) to (N, C', H, W), or to half of both sides."""
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class Backbone(nn.Module):
    """The student's image tower: normalised pixels (N, 3, S, S) to a grid (N, 256, S/16, S/16)."""

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
        self._coarsest = len(layers) - shape.blocks[-1]
        self.cells = nn.Conv2d(inputs, shape.dim, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (N, 3, S, S) to (N, 256, S/16, S/16)."""
        return self.maps(pixels)[2]

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the last maps of the two coarsest stages, (N, C, S/8, S/8) and (N, C', S/16, S/16), and the grid."""
        fine = self.layers[: self._coarsest](pixels)
        coarse = self.layers[self._coarsest :](fine)
        return fine, coarse, self.cells(coarse)


class GridHead(nn.Module):
    """Maps a grid to vectors of the joint space: one for each patch, and their weighted mean for the picture."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden = 2 * shape.dim
        self.norm = nn.LayerNorm(shape.dim)
        self.into = nn.Linear(shape.dim, hidden)
        self.out = nn.Linear(hidden, shape.dim)
        self.skip = nn.Linear(shape.dim, shape.dim, bias=False)
        self.weight = nn.Linear(hidden, 1)

    def forward(self, grid: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, D, H, W) to unit picture vectors (N, D) and unnormalised patch vectors (N, D, H, W)."""
        n, d, h, w = grid.shape
        cells = self.norm(grid.flatten(2).transpose(1, 2))  # (N, HW, D)
        hidden = functional.gelu(self.into(cells))  # (N, HW, 2D)
        vectors = self.out(hidden) + self.skip(cells)  # (N, HW, D)
        weights = self.weight(hidden).softmax(1)  # (N, HW, 1)
        picture = (weights * vectors).sum(1)  # (N, D)
        return functional.normalize(picture, dim=1), vectors.transpose(1, 2).reshape(n, d, h, w)


class PatchHead(nn.Module):
    """Patch features: maps the two coarsest stages of the backbone to a vector of the joint space for each fine patch.

    It is separate from `GridHead`, whose patches only need to be right on average, and does not change picture vectors.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        *_, fine, coarse = shape.widths
        width = shape.cell_width
        self.fine, self.coarse = nn.Conv2d(fine, width, 1), nn.Conv2d(coarse, width, 1)
        self.mix = nn.Conv2d(width, width, 3, 1, 1)
        self.out = nn.Conv2d(width, shape.dim, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Map (N, C, 2h, 2w) and (N, C', h, w) to unit vectors (N, D, 2h, 2w)."""
        wide = functional.interpolate(self.coarse(coarse), scale_factor=2, mode="bilinear")  # (N, W, 2h, 2w)
        x = functional.gelu(self.fine(fine) + wide)
        x = x + functional.gelu(self.mix(x))
        return functional.normalize(self.out(x), dim=1)


class TextTower(nn.Module):
    """Maps token IDs to unit vectors: subwords and pairs of characters, a convolution, attention pooling."""

    def __init__(self, shape: Shape, dropout: float = 0.1, max_tokens: int = 64) -> None:
        super().__init__()
        width = shape.text_width
        self.embed = nn.Embedding(shape.pieces, width)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.pairs = Pairs(shape.pieces, shape.text_pairs, width) if shape.text_pairs else None
        reach = shape.text_reach
        self.near = nn.Conv1d(width, width, reach, padding=reach // 2) if reach else None
        self.place = nn.Parameter(torch.zeros(max_tokens, width))
        self.layers = nn.ModuleList(TextLayer(width, dropout) for _ in range(shape.text_layers))
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Linear(width, 4)
        self.out = nn.Linear(width, shape.dim)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Map IDs (N, T) and their mask (N, T), one for a token, to (N, D)."""
        x = self.embed(ids)
        if self.pairs is not None:
            x = x + self.pairs(ids)
        x = self.dropout(x + self.place[: ids.shape[1]])  # (N, T, W)
        if self.near is not None:  # padding is zero, so that it does not change neighbours
            x = x + functional.gelu(self.near((x * mask[..., None]).transpose(1, 2)).transpose(1, 2))
        away = (1 - mask) * -1e4  # (N, T), added to logits
        for layer in self.layers:
            x = layer(x, away)
        x = self.norm(x)
        weights = (self.weight(x) + away[..., None]).softmax(1)  # (N, T, 4): one pooling for each quarter
        parts = x.unflatten(2, (4, -1)) * weights[..., None]  # (N, T, 4, W/4)
        return functional.normalize(self.out(self.dropout(parts.sum(1).flatten(1))), dim=1)


class Pairs(nn.Module):
    """A vector for each pair of adjacent Chinese characters, since a single character is rarely a word.

    Pairs share `buckets` rows by their hash, as in Bojanowski et al., "Enriching word vectors with subword information"
    (2017).
    """

    def __init__(self, pieces: int, buckets: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(buckets, width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.han: Tensor
        self.register_buffer("han", torch.zeros(pieces, dtype=torch.bool))
        self.buckets = buckets

    def rows(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return the row of each token and its predecessor (N, T), and one where they are such a pair (N, T)."""
        before = torch.cat([torch.zeros_like(ids[:, :1]), ids[:, :-1]], 1)  # (N, T)
        return (before * 31337 + ids) % self.buckets, (self.han[ids] & self.han[before]).float()

    def forward(self, ids: Tensor) -> Tensor:
        """Map (N, T) to (N, T, W)."""
        rows, there = self.rows(ids)
        out: Tensor = self.embed(rows) * there[..., None]
        return out


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
        """Map x (N, T, W) and away (N, T), very negative for padding, to (N, T, W)."""
        parts = self.qkv(self.attention_norm(x)).unflatten(2, (3, self.heads, -1))  # (N, T, 3, heads, W/heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        logits = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + away[:, None, None]  # (N, heads, T, T)
        mixed = (logits.softmax(3) @ v).transpose(1, 2).flatten(2)  # (N, T, W)
        x = x + self.dropout(self.merge(mixed))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out
