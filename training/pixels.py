"""The preprocessing of `mini`, and the same normalisation for tensors."""

from torch import Tensor

from encoders.preprocess import Preprocess

__all__ = ["PATCH_SIZE", "PREPROCESS", "normalise"]

_MEAN, _STD = 127.0, 128.0
"""As published for EfficientNet-Lite, for values from 0 to 255."""
PREPROCESS = Preprocess(size=208, mean=(_MEAN / 255,) * 3, std=(_STD / 255,) * 3, fit="squash")
"""The preprocessing at inference. Pictures are larger than in training, where random crops show things larger than
they are in whole pictures (Touvron et al., "Fixing the train-test resolution discrepancy", 2019)."""
PATCH_SIZE = 512
"""Side of the pictures from which patch features are computed."""


def normalise(pixels: Tensor) -> Tensor:
    """Normalise (N, 3, H, W) values in 0..255, as `Preprocess.normalise` does."""
    return (pixels.float() - _MEAN) / _STD
