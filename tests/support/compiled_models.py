"""What the tests of compiled models share."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.placement import Placement
from encoders.torch_encoder import TorchEncoder

__all__ = ["EXACT", "forbid_torch", "pixels"]

EXACT = Placement("cpu", "fp32")


def pixels(encoder: Encoder, count: int = 3) -> NDArray[np.uint8]:
    side = encoder.preprocess.size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def forbid_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Any) -> None:
        raise AssertionError("PyTorch is not needed")

    monkeypatch.setattr(TorchEncoder, "_model", property(refused))
