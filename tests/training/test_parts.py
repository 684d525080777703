"""The trunk on a batch whose activations do not fit into memory."""

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def trunk() -> Any:
    from training.trunk import Trunk

    torch.manual_seed(3)
    return Trunk()


def learned(trunk: Any, result: Any) -> list[Any]:
    """Return the gradients of all parameters for a loss that couples all pictures of the batch."""
    rows = torch.nn.functional.normalize(result.mean((2, 3)), dim=1)
    (rows @ rows.T).square().sum().backward()
    return [parameter.grad for parameter in trunk.parameters()]


def test_gradients_and_statistics_are_those_of_the_parts(trunk: Any) -> None:
    from training.parts import in_parts

    pixels = torch.randn(5, 3, 64, 64)
    one, other = copy.deepcopy(trunk).train(), copy.deepcopy(trunk).train()
    expected = torch.cat([other(part) for part in (pixels[:2], pixels[2:4], pixels[4:])])
    found = in_parts(one, pixels, 2)
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(learned(one, found), learned(other, expected), strict=True):
        torch.testing.assert_close(mine, theirs)
    # The second time that a part is computed does not count.
    for (name, mine), theirs in zip(one.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, msg=name)
    assert {each.momentum for each in one.modules() if isinstance(each, torch.nn.BatchNorm2d)} == {0.01}


def test_only_one_part_is_kept(trunk: Any) -> None:
    from training.parts import in_parts

    def kept(size: int) -> int:
        """Return the bytes that the backward pass needs."""
        total = 0

        def count(tensor: Any) -> Any:
            nonlocal total
            total += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            in_parts(copy.deepcopy(trunk).train(), torch.randn(4, 3, 64, 64), size)
        return total

    assert kept(1) < 0.1 * kept(4)
    assert kept(4) == kept(5)  # at once
