"""Patch features equal the output of the reference modules with only the last attention replaced."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")

EXACT = Placement("cpu", "fp32")


def pixels(encoder: Encoder) -> NDArray[np.uint8]:
    side = encoder.preprocess.size
    return np.random.default_rng(3).integers(0, 256, (2, side, side, 3), np.uint8)


def unit(cells: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.nn.functional.normalize(cells, dim=-1).numpy()
    return found


def only_itself(count: int) -> Any:
    """Return an attention mask with which every token attends only to itself, so that softmax keeps its value."""
    return torch.full((count, count), -torch.inf).fill_diagonal_(0)


@pytest.mark.parametrize("kind", ["vit", "xlmr"])
def test_open_clip_vit_patches_equal_the_reference(tiny: dict[str, Path], kind: str) -> None:
    """The reference runs the tower's own layers, the last one with the identity as its attention mask."""
    from safetensors.torch import load_file

    from tests.support.tiny_models import reference

    encoder = registry.load(str(tiny[kind]), EXACT)
    model = reference(tiny[kind])
    model.load_state_dict(load_file(tiny[kind] / "open_clip_model.safetensors"))
    tower, shown = model.visual, pixels(encoder)
    with torch.inference_mode():
        patches = tower.conv1(torch.from_numpy(encoder.preprocess.normalise(shown)))  # (2, width, 4, 4)
        tokens = patches.flatten(2).transpose(1, 2)  # (2, 16, width)
        tokens = torch.cat([tower.class_embedding.expand(2, 1, -1), tokens], dim=1) + tower.positional_embedding
        tokens = tower.ln_pre(tokens)
        *layers, last = tower.transformer.resblocks
        for layer in layers:
            tokens = layer(tokens)
        tokens = last.ln_1(tokens)
        values, _ = last.attn(tokens, tokens, tokens, attn_mask=only_itself(17), need_weights=False)
        expected = tower.ln_post(values[:, 1:]) @ tower.proj  # (2, 16, D)
    assert encoder.has_patch_features
    np.testing.assert_allclose(encoder.encode_patches(shown), unit(expected).reshape(2, 4, 4, -1), atol=2e-6)


def test_open_clip_resnet_patches_equal_the_reference(tiny: dict[str, Path]) -> None:
    """With the identity as the mask of its attention layer, each position of the grid keeps its own value."""
    from safetensors.torch import load_file
    from torch.nn.functional import multi_head_attention_forward

    from tests.support.tiny_models import reference

    encoder = registry.load(str(tiny["resnet"]), EXACT)
    model = reference(tiny["resnet"])
    model.load_state_dict(load_file(tiny["resnet"] / "open_clip_model.safetensors"))
    tower, shown = model.visual, pixels(encoder)
    with torch.inference_mode():
        grid = tower.stem(torch.from_numpy(encoder.preprocess.normalise(shown)))
        for layer in (tower.layer1, tower.layer2, tower.layer3, tower.layer4):
            grid = layer(grid)  # (2, width, 2, 2)
        tokens, pool = grid.flatten(2).permute(2, 0, 1), tower.attnpool  # (4, 2, width)
        biases = torch.cat([pool.q_proj.bias, pool.k_proj.bias, pool.v_proj.bias])
        found, _ = multi_head_attention_forward(
            tokens, tokens, tokens, tokens.shape[-1], pool.num_heads, None, biases, None, None, False, 0.0,
            pool.c_proj.weight, pool.c_proj.bias, use_separate_proj_weight=True, training=False, need_weights=False,
            attn_mask=only_itself(4), q_proj_weight=pool.q_proj.weight, k_proj_weight=pool.k_proj.weight,
            v_proj_weight=pool.v_proj.weight,
        )  # fmt: skip
        expected = found.transpose(0, 1)  # (2, 4, D)
    np.testing.assert_allclose(encoder.encode_patches(shown), unit(expected).reshape(2, 2, 2, -1), atol=2e-6)


@pytest.mark.parametrize(("kind", "of"), [("altclip", "AltCLIPModel"), ("clip", "CLIPModel")])
def test_transformers_patches_equal_the_reference(tiny: dict[str, Path], kind: str, of: str) -> None:
    import transformers

    encoder = registry.load(str(tiny[kind]), EXACT)
    model = getattr(transformers, of).from_pretrained(tiny[kind]).eval()
    tower, shown = model.vision_model, pixels(encoder)
    with torch.inference_mode():
        tokens = tower.pre_layrnorm(tower.embeddings(torch.from_numpy(encoder.preprocess.normalise(shown))))
        *layers, last = tower.encoder.layers
        for layer in layers:
            tokens = _tokens(layer(tokens, attention_mask=None))
        mask = only_itself(17).expand(2, 1, 17, 17)
        values = last.self_attn(last.layer_norm1(tokens), attention_mask=mask)[0]
        expected = model.visual_projection(tower.post_layernorm(values[:, 1:]))  # (2, 16, D)
    np.testing.assert_allclose(encoder.encode_patches(shown), unit(expected).reshape(2, 4, 4, -1), atol=2e-6)


def _tokens(output: Any) -> Any:
    """Return the tokens of a layer's output, which may be a tuple."""
    return output[0] if isinstance(output, tuple) else output


def test_towers_with_other_pooling_have_no_patch_features(tiny: dict[str, Path]) -> None:
    encoder = registry.load(str(tiny["siglip"]), EXACT)
    assert not encoder.has_patch_features
    with pytest.raises(NotImplementedError):
        encoder.encode_patches(pixels(encoder))
