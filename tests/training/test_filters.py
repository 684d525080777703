"""Frozen depthwise filters give the gradients that PyTorch computes."""

import pytest

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("side", [7, 12, 13])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
def test_gradients_are_those_of_autograd(kernel: int, stride: int, side: int) -> None:
    from training.filters import FrozenFilters
    from training.trunk import SameConv

    torch.manual_seed(0)
    reference = SameConv(6, 6, kernel, stride, groups=6).double()
    frozen = FrozenFilters(6, 6, kernel, stride, groups=6).double()
    frozen.load_state_dict(reference.state_dict())
    x = torch.randn(2, 6, side, side + 3, dtype=torch.float64)
    outputs = []
    for conv in (reference, frozen):
        given = x.clone().requires_grad_()
        out = conv(given)
        (out * torch.arange(out.numel()).view_as(out)).sum().backward()
        outputs.append((out, given.grad, conv.bias.grad))
    for expected, found in zip(*outputs, strict=True):
        torch.testing.assert_close(found, expected)
    assert frozen.weight.grad is None


def test_gradients_in_bfloat16_are_near_those_in_float32() -> None:
    from training.filters import FrozenFilters
    from training.trunk import SameConv

    torch.manual_seed(0)
    reference, frozen = SameConv(8, 8, 5, 2, groups=8), FrozenFilters(8, 8, 5, 2, groups=8)
    frozen.load_state_dict(reference.state_dict())
    x = torch.randn(2, 8, 13, 13).contiguous(memory_format=torch.channels_last)
    found = []
    for conv, enabled in ((reference, False), (frozen, True)):
        given = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            out = conv(given).float()
        out.square().sum().backward()
        found.append((given.grad, conv.bias.grad))
    for expected, gradient in zip(*found, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - expected).norm() < 0.02 * expected.norm()


def test_a_trunk_that_is_not_folded_is_refused() -> None:
    from training.filters import freeze_filters
    from training.trunk import Trunk

    with pytest.raises(ValueError, match="fold the trunk first"):
        freeze_filters(Trunk())


def test_only_depthwise_filters_are_frozen() -> None:
    from training.filters import FrozenFilters, freeze_filters
    from training.trunk import Trunk

    torch.manual_seed(0)
    trunk = Trunk().eval()
    trunk.fold()
    trunk.requires_grad_(True)
    pixels, before = torch.randn(1, 3, 64, 64), {name: value.clone() for name, value in trunk.state_dict().items()}
    expected = trunk(pixels)
    freeze_filters(trunk)
    torch.testing.assert_close(trunk(pixels), expected)
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())
    frozen = [name for name, parameter in trunk.named_parameters() if not parameter.requires_grad]
    assert frozen == [f"{name}.weight" for name, module in trunk.named_modules() if isinstance(module, FrozenFilters)]
    assert len(frozen) == len(trunk.blocks)
