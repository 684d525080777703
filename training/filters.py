"""Depthwise convolutions with frozen filters, for fine-tuning a trunk on a CPU.

The gradients of depthwise filters take most of the time of a backward pass on a CPU, and the filters are 5 % of the
weights of a trunk. Frozen filters alone do not save it: PyTorch computes their gradients together with those of the
biases. Its gradients for the input of a convolution with a stride are slow in bfloat16, too. Both are computed here by
an ordinary convolution with mirrored filters.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.trunk import SameConv, Trunk, same_padding

__all__ = ["FrozenFilters", "freeze_filters"]


class FrozenFilters(SameConv):
    """A depthwise convolution whose bias can learn."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        (top, bottom), (left, right) = (same_padding(int(side), kernel, stride) for side in x.shape[2:])
        if (top, left) != (bottom, right):
            x = functional.pad(x, (0, right - left, 0, bottom - top))  # the convolution pads both ends alike
        out: Tensor = _Depthwise.apply(x, self.weight, self.bias, stride, (top, left))  # type: ignore[no-untyped-call]
        return out


def freeze_filters(trunk: Trunk) -> None:
    """Replace the depthwise convolutions of a folded trunk, so that their filters do not learn.

    Names and values of all parameters stay as they are, and whether biases learn. Raises `ValueError` for a trunk that
    is not folded.
    """
    for module in list(trunk.modules()):
        for name, child in module.named_children():
            if isinstance(child, SameConv) and child.groups > 1:
                if child.bias is None:
                    raise ValueError("fold the trunk first: its depthwise convolutions have no biases")
                frozen = FrozenFilters(
                    child.in_channels, child.out_channels, child.kernel_size[0], child.stride[0], groups=child.groups
                )
                frozen.weight, frozen.bias = child.weight, child.bias
                frozen.weight.requires_grad_(False)
                setattr(module, name, frozen)


class _Depthwise(torch.autograd.Function):
    """Gradients of a depthwise convolution for its input and its bias.

    Padding must make the output as large as `SameConv` does, so that every padded row is read.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.stride, ctx.padding, ctx.dtype = stride, padding, x.dtype
        return functional.conv2d(x, weight, bias, stride, padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, Tensor, None, None]:
        (gradient,), (weight,) = gradients, ctx.saved_tensors
        of_bias = gradient.sum((0, 2, 3), dtype=torch.promote_types(gradient.dtype, torch.float32))  # (C,)
        if not ctx.needs_input_grad[0]:
            return None, None, of_bias, None, None
        around = tuple(size - 1 - pad for size, pad in zip(weight.shape[2:], ctx.padding, strict=True))
        mirrored = weight.flip((2, 3)).to(gradient.dtype)
        spread = _spread(gradient, ctx.stride)
        found = functional.conv2d(spread, mirrored, None, 1, around, groups=len(weight))  # (N, C, H, W)
        return found.to(ctx.dtype), None, of_bias, None, None


def _spread(gradient: Tensor, stride: int) -> Tensor:
    """Return the gradients (N, C, h, w) with `stride - 1` zeros between them."""
    if stride == 1:
        return gradient
    rows, columns = ((side - 1) * stride + 1 for side in gradient.shape[2:])
    spread = gradient.new_zeros((*gradient.shape[:2], rows, columns)).contiguous(memory_format=torch.channels_last)
    spread[:, :, ::stride, ::stride] = gradient
    return spread
