"""Export a CLIP model of open_clip or transformers to ONNX. Needs PyTorch and the package `onnx`.

An export is accepted only if its vectors agree with those of PyTorch in float32.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

__all__ = ["export"]

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


def export(encoder: TorchEncoder) -> CompiledModel:
    """Compile the model of `encoder` and return the result. Call it within `store.exporting`.

    Raises `NotCompilable` if this is not possible or the vectors do not agree, `OSError` if the files cannot be
    written, and the exceptions of loading the model.
    """
    return publish(encoder.space, lambda folder: _write(encoder, folder))


def _write(encoder: TorchEncoder, folder: Path) -> Card:
    model = encoder._load().eval().float()
    rules, tokenizer = export_tokenizer(encoder._tokenizer, int(encoder.context_length or 0))  # type: ignore[attr-defined]
    (folder / TOKENIZER).write_text(tokenizer, encoding="utf-8")
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
        files={file.name: file.stat().st_size for file in folder.iterdir()},
    )
    cosines = _compare(encoder, model, CompiledEncoder(CompiledModel(folder, card), encoder))
    return Card(**{**vars(card), "cosines": cosines})


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
    tokens = encoder._tokens(TEXT_SAMPLES[:2])
    if not hasattr(tokens, "input_ids"):
        axes = {"ids": {0: "n"}, "vectors": {0: "n"}}
        _write_graph(
            model,
            lambda ids: encoder._text_features(model, ids),
            (tokens,),
            file,
            inputs=["ids"],
            outputs=["vectors"],
            axes=axes,
        )
        return

    def tower(ids: Any, mask: Any) -> Any:
        return encoder._text_features(model, type(tokens)({"input_ids": ids, "attention_mask": mask}))

    axes = {"ids": {0: "n", 1: "t"}, "mask": {0: "n", 1: "t"}, "vectors": {0: "n"}}
    arguments = (tokens.input_ids, tokens.attention_mask)
    _write_graph(model, tower, arguments, file, inputs=["ids", "mask"], outputs=["vectors"], axes=axes)


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
        onnx.save_model(
            onnx.load(draft),
            str(file),
            save_as_external_data=True,
            location=f"{file.name}.data",
            size_threshold=MIN_EXTERNAL_BYTES,
        )
        weights = file.with_name(f"{file.name}.data")
        weights.chmod(file.stat().st_mode)  # `onnx` lets only the owner read it


@contextmanager
def _exportable() -> Iterator[None]:
    """Switch off the fused attention of PyTorch, which has no form in ONNX, and the warnings of the exporter."""
    import torch

    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


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
