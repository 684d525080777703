"""Make an image tower in 8 bits of a compiled one, with steps that suit photos, and measure what it loses."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.background import background
from encoders.base import Vectors
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.export import save_graph
from encoders.compiled.failure import NotCompilable
from encoders.compiled.int8 import Int8Encoder, Loss
from encoders.compiled.openvino_encoder import OpenVinoEncoder
from encoders.compiled.store import IMAGES, Card, CompiledModel, publish

__all__ = ["measure_loss", "quantise"]

MIN_COSINE = 0.95
"""With a smaller mean cosine to float32, a model is not offered in 8 bits."""


def quantise(encoder: Int8Encoder, compiled: CompiledEncoder) -> CompiledModel:
    """Make the image tower of `encoder` of the one of `compiled`. Call it within `store.exporting`.

    Raises `NotCompilable` if its vectors are too different, `OSError`, and exceptions of ONNX Runtime and OpenVINO.
    """
    return publish(encoder.space, lambda folder: _write(encoder, compiled, folder))


def _write(encoder: Int8Encoder, compiled: CompiledEncoder, folder: Path) -> Card:
    photos = background().photos
    pixels = np.stack([encoder.preprocess.pixels(photo.open()) for photo in photos])  # (P, S, S, 3)
    _quantise(compiled.compiled.folder / IMAGES, encoder.preprocess.normalise(pixels[::2]), folder / IMAGES)
    space = encoder.space
    # Without what is known about the files of the other one: `publish` adds that of these.
    card = replace(compiled.compiled.card, model=space.model, fingerprint=space.fingerprint, files={}, checksums={})
    rounded = OpenVinoEncoder(CompiledModel(folder, card), compiled)
    held_out = pixels[1::2]
    captions = compiled.encode_texts([photo.sentences["en"] for photo in photos[1::2]])
    loss = measure_loss(compiled.encode_pixels(held_out), rounded.encode_pixels(held_out), captions)
    if not loss.mean_cosine >= MIN_COSINE:
        raise NotCompilable(f"its vectors lose too much in 8 bits: {loss}")
    loss.keep(folder)
    return replace(card, cosines={"images": loss.worst_cosine})


def measure_loss(exact: Vectors, rounded: Vectors, captions: Vectors) -> Loss:
    """Compare vectors (P, D) of the same photos in float32 and in 8 bits, and their answers to captions (C, D)."""
    cosines = (exact * rounded).sum(1)
    neighbours, answers = zip(*(_best(vectors, captions) for vectors in (exact, rounded)), strict=True)
    return Loss(
        photos=len(exact),
        mean_cosine=float(cosines.mean()),
        worst_cosine=float(cosines.min()),
        same_neighbour=float(np.mean(neighbours[0] == neighbours[1])),
        same_answer=float(np.mean(answers[0] == answers[1])),
    )


def _best(vectors: Vectors, captions: Vectors) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the nearest other row of each row (P,), and the nearest row of each caption (C,)."""
    similar = vectors @ vectors.T  # (P, P)
    np.fill_diagonal(similar, -np.inf)
    return similar.argmax(1), (captions @ vectors.T).argmax(1)


def _quantise(source: Path, pixels: NDArray[np.float32], target: Path) -> None:
    """Write the graph `source` with products of integers where a factor is a weight.

    `pixels` (n, 3, S, S) are normalised pictures, whose activations determine the steps.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Photos(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[NDArray[np.float32]] = iter(pixels)

        def get_next(self) -> dict[str, Any] | None:
            picture = next(self._left, None)
            return None if picture is None else {"pixels": picture[None]}

    with TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "draft.onnx"
        quantize_static(
            str(source),
            str(draft),
            Photos(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,  # sums of full bytes overflow on processors without instructions for them (VNNI)
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            # Without zero points, which OpenVINO subtracts in steps of their own: 40 ms of processor time instead of 49
            # for a picture of a ViT-B-32-256, with cosines of 0.99952 and 0.99959 to float32 (random weights).
            extra_options={"MatMulConstBOnly": True, "ActivationSymmetric": True},
            use_external_data_format=True,
        )
        save_graph(onnx.load(str(draft)), target)
