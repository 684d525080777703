"""Patch features: a vector for each patch of a picture, in the space of texts, from the image tower of a CLIP.

As in MaskCLIP (Zhou, Loy and Dai, "Extract free dense labels from CLIP", ECCV 2022), the last attention layer is
replaced by its value and output projections, so that a patch keeps its own content instead of mixing it with others.
The residual path and the MLP of that layer are left out, as in ClearCLIP (Lan et al., ECCV 2024).
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["open_clip_has_patch_features", "open_clip_patches", "transformers_patches"]


def open_clip_has_patch_features(vision: Mapping[str, Any]) -> bool:
    """Return whether `open_clip_patches` supports a tower: a ViT with a class token, or a ResNet."""
    plain = not vision.get("timm_model_name") and not vision.get("attentional_pool")
    customs = ("block_type", "qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn")
    return plain and vision.get("pool_type", "tok") == "tok" and not any(vision.get(key) for key in customs)


def open_clip_patches(visual: Any, pixels: Any) -> Any:
    """Map pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
    from torch.nn import functional

    if hasattr(visual, "attnpool"):  # a ResNet: only its last layer is an attention layer
        pool = visual.attnpool
        grid = _input_of(pool, lambda: visual(pixels)).permute(0, 2, 3, 1)  # (n, rows, columns, width)
        return pool.c_proj(pool.v_proj(grid))
    attention = visual.transformer.resblocks[-1].attn
    patches = _input_of(attention, lambda: visual(pixels))[:, 1:]  # (n, patches, width)
    width = patches.shape[-1]
    values = functional.linear(patches, attention.in_proj_weight[2 * width :], attention.in_proj_bias[2 * width :])
    features = visual.ln_post(attention.out_proj(values)) @ visual.proj  # (n, patches, D)
    return features.unflatten(1, visual.grid_size)


def transformers_patches(model: Any, pixels: Any) -> Any:
    """Map pixels (n, 3, S, S) to patch features (n, rows, columns, D), for CLIP and AltCLIP of transformers."""
    tower = model.vision_model
    layer = tower.encoder.layers[-1]
    patches = _output_of(layer.layer_norm1, lambda: tower(pixel_values=pixels))[:, 1:]  # (n, patches, width)
    values = layer.self_attn.out_proj(layer.self_attn.v_proj(patches))
    features = model.visual_projection(tower.post_layernorm(values))  # (n, patches, D)
    side = tower.config.image_size // tower.config.patch_size
    return features.unflatten(1, (side, side))


def _input_of(module: Any, run: Callable[[], object]) -> Any:
    """Return the first argument of `module` while `run` runs."""
    seen: list[Any] = []
    hook = module.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    try:
        run()
    finally:
        hook.remove()
    return seen[0]


def _output_of(module: Any, run: Callable[[], object]) -> Any:
    """Return the output of `module` while `run` runs."""
    seen: list[Any] = []
    hook = module.register_forward_hook(lambda _, __, output: seen.append(output))
    try:
        run()
    finally:
        hook.remove()
    return seen[0]
