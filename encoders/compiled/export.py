"""Export a CLIP model of open_clip or transformers to ONNX. Needs PyTorch and the package `onnx`.

An export is accepted only if its vectors agree with those of PyTorch in float32.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from inspect import signature
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.background import background
from encoders.compiled.choice import MIN_COSINE
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.failure import NotCompilable
from encoders.compiled.store import EXPORTER_VERSION, IMAGES, TEXTS, TOKENIZER, Card, CompiledModel, publish
from encoders.compiled.tokenizer_export import export_tokenizer
from encoders.torch_encoder import TorchEncoder

__all__ = ["export", "save_graph"]

OPSET = 17
MIN_EXTERNAL_BYTES = 1024
"""Size from which a tensor is written to the file of weights."""
TEXT_SAMPLES = (
    "a dog",
    "Two cats sleep on a red sofa, in the evening.",
    "",
    "Ein Löwe steht im hohen Gras",
    "一只猫在沙发上",
    "word " * 300,
)
"""Texts on which the export and the original are compared: short, empty, truncated, of several scripts."""
PHOTOS = 4
MIN_TRIMMED_COSINE = 0.999999
"""The smallest cosine between vectors of a text with and without padding that counts as rounding."""


def export(encoder: TorchEncoder) -> CompiledModel:
    """Compile the model of `encoder` and return the result. Call it within `store.exporting`.

    Raises `NotCompilable` if this is not possible or the vectors do not agree, `OSError` if the files cannot be
    written, and the exceptions of loading the model.
    """
    return publish(encoder.space, lambda folder: _write(encoder, folder))


def _write(encoder: TorchEncoder, folder: Path) -> Card:
    model = encoder._load().eval().float()
    rules = export_tokenizer(encoder._tokenizer, int(encoder.context_length or 0), folder / TOKENIZER)  # type: ignore[attr-defined]
    try:
        with _exportable():
            _export_images(encoder, model, folder / IMAGES)
            _export_texts(encoder, model, folder / TEXTS)
    except OSError:
        raise
    except Exception as exc:  # the exporter raises many kinds
        raise NotCompilable(f"PyTorch cannot export it: {_brief(exc)}") from exc
    scale = getattr(model, "logit_scale", None)
    card = Card(
        version=EXPORTER_VERSION,
        model=encoder.space.model,
        fingerprint=encoder.space.fingerprint,
        logit_scale=None if scale is None else float(scale.detach().float().exp().reshape(-1)[0]),
        tokenizer=rules,
        cosines={},
    )
    card = replace(card, trims=_can_trim(encoder, CompiledModel(folder, card)))
    return replace(card, cosines=_compare(encoder, model, CompiledEncoder(CompiledModel(folder, card), encoder)))


def _can_trim(encoder: TorchEncoder, compiled: CompiledModel) -> bool:
    """Return whether texts have the same vectors without padding: not if the tower reads it, or has one length."""
    vectors = []
    for trims in (False, True):
        tower = CompiledEncoder(replace(compiled, card=replace(compiled.card, trims=trims)), encoder)
        try:
            vectors.append(tower.forward_texts(TEXT_SAMPLES))
        except Exception:  # the exceptions of ONNX Runtime have no common base class
            return False
    return _min_cosine(*vectors) >= MIN_TRIMMED_COSINE


def _export_images(encoder: TorchEncoder, model: Any, file: Path) -> None:
    import torch

    side = encoder.preprocess.size
    names = ["vectors", "patches"] if encoder.has_patch_features else ["vectors"]

    def towers(pixels: Any) -> Any:
        vectors = encoder._image_features(model, pixels)
        # Both outputs read the same tower: ONNX Runtime and the exporter merge equal parts of the graph.
        return (vectors, encoder._patch_features(model, pixels)) if encoder.has_patch_features else vectors

    pixels = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    axes = {name: {0: "n"} for name in ("pixels", *names)}
    _write_graph(model, towers, (pixels,), file, inputs=["pixels"], outputs=names, axes=axes)


def _export_texts(encoder: TorchEncoder, model: Any, file: Path) -> None:
    """Write the text tower for any number of tokens, or for the full length only if it cannot be exported otherwise."""
    tokens = encoder._tokens(TEXT_SAMPLES[:2])
    if hasattr(tokens, "input_ids"):

        def tower(ids: Any, mask: Any) -> Any:
            return encoder._text_features(model, type(tokens)({"input_ids": ids, "attention_mask": mask}))

        axes = {"ids": {0: "n", 1: "t"}, "mask": {0: "n", 1: "t"}, "vectors": {0: "n"}}
        arguments = (tokens.input_ids, tokens.attention_mask)
        _write_graph(model, tower, arguments, file, inputs=["ids", "mask"], outputs=["vectors"], axes=axes)
    else:
        axes = {"ids": {0: "n", 1: "t"}, "vectors": {0: "n"}}
        of_any_length = partial(_features_of_any_length, encoder, model)
        of_full_length = partial(encoder._text_features, model)
        try:
            _write_graph(model, of_any_length, (tokens,), file, inputs=["ids"], outputs=["vectors"], axes=axes)
        except Exception:  # CoCa adds a token; what the exporter raises has no common base class
            axes["ids"] = {0: "n"}
            _write_graph(model, of_full_length, (tokens,), file, inputs=["ids"], outputs=["vectors"], axes=axes)
    _optimise(file)


def _features_of_any_length(encoder: TorchEncoder, model: Any, ids: Any) -> Any:
    """Return `_text_features` of tokens (n, t): open_clip's own towers take only texts of their full length."""
    import torch

    # Not a slice: the exporter would take its length in the example for that of all texts.
    places = torch.cumsum(torch.ones_like(ids[0]), 0) - 1
    with ExitStack() as stack:
        for owner in filter(None, (model, getattr(model, "text", None))):
            for name in ("positional_embedding", "attn_mask"):
                whole = getattr(owner, name, None)
                if isinstance(whole, torch.Tensor) and name not in vars(owner):
                    cut = whole.index_select(0, places)
                    cut = cut.index_select(1, places) if name == "attn_mask" else cut
                    stack.enter_context(_in_place_of(owner, name, cut))
        return encoder._text_features(model, ids)


@contextmanager
def _in_place_of(owner: Any, name: str, tensor: Any) -> Iterator[None]:
    """Let a module use `tensor` in place of a parameter or buffer of its own."""
    vars(owner)[name] = tensor  # hides what is registered under this name
    try:
        yield
    finally:
        del vars(owner)[name]


def _write_graph(
    model: Any,
    run: Callable[..., Any],
    arguments: tuple[Any, ...],
    file: Path,
    *,
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    """Write `run` as the graph `file`, and its weights next to it, from where ONNX Runtime maps them into memory."""
    import onnx
    import torch

    class Graph(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model  # so that its weights belong to the graph

        def forward(self, *values: Any) -> Any:
            return run(*values)

    with torch.inference_mode(), TemporaryDirectory(dir=file.parent) as folder:
        draft = str(Path(folder) / file.name)  # PyTorch puts the weights into it, or beside it above 2 GB
        torch.onnx.export(
            Graph().eval(),
            arguments,
            draft,
            dynamo=False,  # the newer exporter needs onnxscript, and fails on hooks
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
        )
        save_graph(onnx.load(draft), file)


def save_graph(graph: Any, file: Path) -> None:
    """Write a graph, and its weights to a file next to it."""
    import onnx

    weights = file.with_name(f"{file.name}.data")
    weights.unlink(missing_ok=True)  # `onnx` would append to it
    onnx.save_model(
        graph, str(file), save_as_external_data=True, location=weights.name, size_threshold=MIN_EXTERNAL_BYTES
    )
    weights.chmod(file.stat().st_mode)  # `onnx` lets only the owner read it


def _optimise(file: Path) -> None:
    """Replace a graph by what ONNX Runtime makes of it on any processor, which takes longer than to load the result."""
    import onnx
    from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

    with TemporaryDirectory(dir=file.parent) as folder:
        draft, options = Path(folder) / file.name, SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(draft)
        prefix = "session.optimized_model_external_initializers"
        options.add_session_config_entry(f"{prefix}_file_name", f"{draft.name}.data")
        options.add_session_config_entry(f"{prefix}_min_size_in_bytes", str(MIN_EXTERNAL_BYTES))
        InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        save_graph(onnx.load(str(draft)), file)


@contextmanager
def _exportable() -> Iterator[None]:
    """Replace what has no form in ONNX, or one for a single length of text, and switch off the exporter's warnings."""
    import torch
    from torch.nn import functional

    fused, attention = torch.backends.mha.get_fastpath_enabled(), functional.multi_head_attention_forward
    torch.backends.mha.set_fastpath_enabled(False)
    functional.multi_head_attention_forward = partial(_attention, attention)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        functional.multi_head_attention_forward = attention
        torch.backends.mha.set_fastpath_enabled(fused)


def _attention(general: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Compute self-attention as `general` does, PyTorch's function, with the lengths of tensors left open."""
    from torch.nn import functional

    given = signature(general).bind(*args, **kwargs)
    given.apply_defaults()
    at: dict[str, Any] = given.arguments
    query, width, heads, mask = (at[name] for name in ("query", "embed_dim_to_check", "num_heads", "attn_mask"))
    unused = ("bias_k", "bias_v", "key_padding_mask", "q_proj_weight", "static_k", "static_v")
    is_usual = at["key"] is query and at["value"] is query and all(at[name] is None for name in unused)
    if not is_usual or at["add_zero_attn"] or at["need_weights"] or (mask is not None and mask.dim() != 2):
        return general(*args, **kwargs)
    length, count, _ = query.shape
    parts = functional.linear(query, at["in_proj_weight"], at["in_proj_bias"])  # (L, N, 3 W)
    parts = parts.view(length, count, 3, heads, width // heads).permute(2, 1, 3, 0, 4)  # (3, N, heads, L, W / heads)
    queries, keys, values = parts.unbind(0)
    mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    joined = mixed.permute(2, 0, 1, 3).reshape(length, count, width)  # (L, N, W)
    return functional.linear(joined, at["out_proj_weight"], at["out_proj_bias"]), None


def _compare(encoder: TorchEncoder, model: Any, compiled: CompiledEncoder) -> dict[str, float]:
    """Return the smallest cosine by kind of vector. Raises `NotCompilable` if the vectors or the tokens differ."""
    import torch

    photos = [photo.open() for photo in islice(background().photos, PHOTOS)]
    pixels = encoder.preprocess.normalise(np.stack([encoder.preprocess.pixels(photo) for photo in photos]))
    batch, texts = torch.from_numpy(pixels), list(TEXT_SAMPLES)
    for text in texts:
        if compiled.count_tokens(text) != encoder.count_tokens(text):
            raise NotCompilable(f"its tokenizer and the exported one differ on {text[:20]!r}")
    with torch.inference_mode():
        expected = {
            "images": (encoder._image_features(model, batch), compiled.forward_images(pixels)),
            "texts": (encoder._text_features(model, encoder._tokens(texts)), compiled.forward_texts(texts)),
        }
        if encoder.has_patch_features:
            expected["patches"] = (encoder._patch_features(model, batch), compiled.forward_patches(pixels))
    cosines = {kind: _min_cosine(theirs.numpy(), ours) for kind, (theirs, ours) in expected.items()}
    kind, worst = min(cosines.items(), key=lambda pair: pair[1])
    if not worst >= MIN_COSINE:
        raise NotCompilable(f"vectors of {kind} have a cosine of only {worst:.5f} to those of PyTorch")
    return cosines


def _min_cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Return the smallest cosine of equal rows of two arrays (..., D); -1 for arrays that cannot be compared."""
    if ours.shape != theirs.shape or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return -1.0
    left, right = (array.reshape(-1, array.shape[-1]).astype(np.float64) for array in (ours, theirs))
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(np.min(np.einsum("nd,nd->n", left, right) / np.maximum(lengths, 1e-30)))


def _brief(exc: Exception) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]
