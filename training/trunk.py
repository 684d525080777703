"""The image trunk: EfficientNet-Lite2, as an image tower and, with its classifier, as a teacher.

Architecture: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), table 1, in
the Lite variant: ReLU6 in place of swish, no squeeze-and-excitation, first and last layer of fixed width. Lite2 scales
widths by 1.1 and depths by 1.2. Pixels are normalised by (x - 127) / 128.
"""

from collections.abc import Iterator, Mapping

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.names import CLASSES

__all__ = ["FEATURES", "FINE", "Classifier", "SameConv", "Trunk", "same_padding"]

FEATURES = 1280
"""Channels of the last map."""

FINE = 120
"""Channels of the map before the last halving."""

_STEM = 32
_STAGES = (
    # kernel, stride, expansion, channels, blocks
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 3),
    (5, 2, 6, 48, 3),
    (3, 2, 6, 88, 4),
    (5, 1, 6, 120, 4),
    (5, 2, 6, 208, 5),
    (3, 1, 6, 352, 1),
)


class SameConv(nn.Conv2d):
    """A convolution whose output has ceil(input / stride) rows, padded at the end first, as in TensorFlow."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        (top, bottom), (left, right) = (same_padding(int(side), kernel, stride) for side in x.shape[2:])
        if (top, left) == (bottom, right):
            return functional.conv2d(x, self.weight, self.bias, self.stride, (top, left), groups=self.groups)
        return functional.conv2d(
            functional.pad(x, (left, right, top, bottom)), self.weight, self.bias, self.stride, groups=self.groups
        )


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many rows `SameConv` adds before and after `side` rows."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class ConvNorm(nn.Module):
    """A convolution and batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        out: Tensor = self.norm(self.conv(x))
        return out

    def fold(self) -> None:
        """Fold the normalisation into the convolution."""
        assert isinstance(self.norm, nn.BatchNorm2d)
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


class Block(nn.Module):
    """An inverted residual (Sandler et al., "MobileNetV2", 2018): expand, filter each channel, project."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvNorm(inputs, inner) if expansion > 1 else None
        self.filter = ConvNorm(inner, inner, kernel, stride, groups=inner)
        self.project = ConvNorm(inner, outputs)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H', W')."""
        y = functional.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(functional.relu6(self.filter(y)))
        return x + y if self.is_residual else y


class Trunk(nn.Module):
    """Normalised pixels (N, 3, S, S) to a map (N, 1280, ceil(S/32), ceil(S/32))."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, _STEM, 3, 2)
        self.blocks = nn.ModuleList(_blocks())
        self.last = ConvNorm(_STAGES[-1][3], FEATURES)
        self._fine = sum(stage[4] for stage in _STAGES[:5])  # blocks before the last halving

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (N, 3, S, S) to (N, 1280, S/32, S/32)."""
        return self.maps(pixels)[1]

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map before the last halving (N, 120, S/16, S/16), and the last map (N, 1280, S/32, S/32)."""
        fine = self.fine(pixels)
        return fine, self.coarse(fine)

    def fine(self, pixels: Tensor) -> Tensor:
        """Return the map before the last halving (N, 120, S/16, S/16)."""
        x = functional.relu6(self.stem(pixels))
        for block in self.blocks[: self._fine]:
            x = block(x)
        return x

    def coarse(self, fine: Tensor) -> Tensor:
        """Map (N, 120, S/16, S/16) to the last map (N, 1280, S/32, S/32)."""
        for block in self.blocks[self._fine :]:
            fine = block(fine)
        return functional.relu6(self.last(fine))

    def tail(self) -> Iterator[nn.Parameter]:
        """Yield the parameters of `coarse`."""
        for part in (*self.blocks[self._fine :], self.last):
            yield from part.parameters()

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Load weights of the package `efficientnet-lite-pytorch`, whose layers have other names and the same order."""
        published = {name: value for name, value in state.items() if not name.startswith("_fc.")}
        # There, the last convolution and its normalisation come after the blocks as well, but `_bn1` has a twin inside.
        own = self.state_dict()
        if [tuple(v.shape) for v in own.values()] != [tuple(v.shape) for v in published.values()]:
            raise ValueError("these are not weights of EfficientNet-Lite2")
        self.load_state_dict(dict(zip(own, published.values(), strict=True)))

    def fold(self) -> None:
        """Fold all normalisations into their convolutions, for inference. The trunk must be in evaluation mode."""
        for module in list(self.modules()):
            if isinstance(module, ConvNorm):
                module.fold()


def _blocks() -> Iterator[Block]:
    inputs = _STEM
    for kernel, stride, expansion, channels, count in _STAGES:
        for number in range(count):
            yield Block(inputs, channels, kernel, stride if number == 0 else 1, expansion)
            inputs = channels


class Classifier(nn.Module):
    """The trunk as published, with its classifier: the teacher."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.trunk.load_published(state)
        self.linear = nn.Linear(FEATURES, CLASSES)
        self.linear.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
        self.trunk.eval()
        self.trunk.fold()
        self.eval().requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (N, 3, S, S) to logits (N, 1000)."""
        out: Tensor = self.linear(self.trunk(pixels).mean((2, 3)))
        return out

    def places(self, pixels: Tensor) -> Tensor:
        """Return logits (N, 1000, h, w) at every place of the last map (class activation, Zhou et al., 2016)."""
        weight, bias = self.linear.weight[..., None, None], self.linear.bias
        return functional.conv2d(self.trunk(pixels), weight, bias)
