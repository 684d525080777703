"""Sixteen bits keep the direction of vectors."""

from pathlib import Path

import numpy as np
import pytest

from encoders import registry
from encoders.placement import Placement

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")

TEXTS = ["a dog", "two cats on a sofa", "zebra"]
GALLERY = sorted((Path(__file__).parents[2] / "examples" / "gallery").glob("*/*.jpg"))[:8]


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "nllb", "mt5", "siglip", "altclip", "clip"])
def test_bf16_vectors_are_close_for_every_kind_of_model(tiny: dict[str, Path], kind: str) -> None:
    exact, short = (registry.load(str(tiny[kind]), Placement("cpu", precision)) for precision in ("fp32", "bf16"))
    side = exact.preprocess.size
    shown = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8)
    assert (exact.encode_pixels(shown) * short.encode_pixels(shown)).sum(axis=1).min() >= 0.999
    assert (exact.encode_texts(TEXTS) * short.encode_texts(TEXTS)).sum(axis=1).min() >= 0.999


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["ViT-B-32", "RN50"])
def test_bf16_vectors_are_close_for_a_model_of_real_size(tmp_path: Path, architecture: str) -> None:
    """Twelve layers of the real width, so that rounding errors add up. Weights are random."""
    from PIL import Image
    from safetensors.torch import save_file

    torch.manual_seed(0)
    weights = {name: value.contiguous() for name, value in open_clip.create_model(architecture).state_dict().items()}
    save_file(weights, tmp_path / "model.safetensors")
    name = f"{architecture}:{tmp_path / 'model.safetensors'}"
    exact, short = (registry.load(name, Placement("cpu", precision)) for precision in ("fp32", "bf16"))
    pictures = [Image.open(file) for file in GALLERY]
    assert pictures
    assert (exact.encode_images(pictures) * short.encode_images(pictures)).sum(axis=1).min() >= 0.999
    assert (exact.encode_texts(TEXTS) * short.encode_texts(TEXTS)).sum(axis=1).min() >= 0.999
