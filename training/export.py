"""Step 5: from a checkpoint to the files that ship.

    python -m training.export --checkpoint runs/mini/checkpoint.pt --out encoders/mini/weights

Batch normalisation is folded into the convolutions. Weights are stored as float16, the embedding table of the text
tower as int8 with one scale for each row; arithmetic is float32. Nothing of torch is needed to run the result.
"""

import argparse
import copy
import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.corpora import LANGUAGES
from training.model import Block, Shape
from training.student import PREPROCESS, Student

__all__ = ["export"]

FILES = ("image.onnx", "text.onnx", "tokenizer.model")
"""What the digest covers."""
VERSION = "1"
_OPSET = 17
_SMALLEST = 1024
"""Tensors with fewer values stay float32; they weigh nothing."""


class ImageGraph(nn.Module):
    """Pixels (N, 3, S, S) to a picture vector (N, D) and the vectors of its cells (N, D, S/16, S/16)."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.backbone, self.head = folded(student).backbone, student.head

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Both in the joint space, the picture's vector of unit length, the cells' too."""
        picture, cells = self.head(self.backbone(pixels))
        return picture, functional.normalize(cells, dim=1)


class TextGraph(nn.Module):
    """The text tower with its embedding table rounded to int8."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.tower = copy.deepcopy(student.text)
        table = self.tower.embed.weight.detach()  # (V, W)
        scales = table.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127  # (V, 1)
        self.register_buffer("table", (table / scales).round().to(torch.int8))
        self.register_buffer("scales", scales)
        self.tower.embed = nn.Identity()  # type: ignore[assignment]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids (N, T) and mask (N, T) to (N, D)."""
        rows = self.get_buffer("table")[ids].float() * self.get_buffer("scales")[ids]  # (N, T, W)
        vectors: Tensor = self.tower(rows, mask)
        return vectors


def folded(student: Student) -> Student:
    """An equal student whose backbone has no batch normalisation left."""
    plain = student.twin()
    layers = plain.backbone.layers
    layers[1], layers[2] = fuse_conv_bn_eval(layers[1], layers[2]), nn.Identity()
    for block in (layer for layer in layers if isinstance(layer, Block)):
        block.first, block.first_norm = fuse_conv_bn_eval(block.first, block.first_norm), nn.Identity()
        block.second, block.second_norm = fuse_conv_bn_eval(block.second, block.second_norm), nn.Identity()
        if isinstance(block.shortcut, nn.Sequential):
            pool, conv, norm = block.shortcut
            block.shortcut = nn.Sequential(pool, fuse_conv_bn_eval(conv, norm))
    return plain


def halve(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 with a cast beside each; the runtime folds the casts when it loads."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def export(student: Student, tokenizer: Path, out: Path) -> dict[str, float]:
    """Write all files; returns the largest difference between ONNX Runtime and torch for each tower."""
    out.mkdir(parents=True, exist_ok=True)
    student = student.twin()
    side, pieces = PREPROCESS.size, student.shape.pieces
    pixels = torch.randn(3, 3, side, side)
    ids, mask = torch.randint(3, pieces, (3, 9)), torch.ones(3, 9)
    batch, tokens = {0: "batch"}, {0: "batch", 1: "tokens"}
    image, text = ImageGraph(student).eval(), TextGraph(student).eval()
    _write(image, (pixels,), {"pixels": batch}, {"embedding": batch, "cells": batch}, out / "image.onnx")
    _write(text, (ids, mask), {"ids": tokens, "mask": tokens}, {"embedding": batch}, out / "text.onnx")
    shutil.copyfile(tokenizer, out / "tokenizer.model")
    _write_card(student, out)
    with torch.no_grad():
        return {
            "image": _difference(out / "image.onnx", {"pixels": pixels}, student.head(student.backbone(pixels))[0]),
            "text": _difference(out / "text.onnx", {"ids": ids, "mask": mask}, student.text(ids, mask)),
        }


def _write(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    axes: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
    file: Path,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the older path: the graph is plain, and onnx is enough
        torch.onnx.export(
            module,
            inputs,
            str(file),
            input_names=list(axes),
            output_names=list(outputs),
            dynamic_axes=axes | outputs,
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(file))
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def _difference(file: Path, inputs: dict[str, Tensor], expected: Tensor) -> float:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = session.run(["embedding"], {name: value.numpy() for name, value in inputs.items()})[0]
    return float(np.abs(found - expected.numpy()).max())


def _write_card(student: Student, out: Path) -> None:
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((out / name).read_bytes())
    card: dict[str, Any] = {
        "name": "mini",
        "version": VERSION,
        "dim": student.shape.dim,
        "languages": list(LANGUAGES),
        "licence": "Apache-2.0",
        "parameters": {
            "image": _count(student.backbone) + _count(student.head),
            "text": _count(student.text),
        },
        "preprocess": PREPROCESS.as_dict(),
        "digest": digest.hexdigest(),
    }
    (out / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/mini/checkpoint.pt"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("encoders/mini/weights"))
    options = parser.parse_args()
    state = torch.load(options.checkpoint, weights_only=True)
    student = Student(Shape(**state["shape"]))
    student.load_state_dict(state["average"])
    for tower, difference in export(student, options.tokenizer, options.out).items():
        print(f"{tower}: ONNX Runtime and torch differ by at most {difference:.1e}")


if __name__ == "__main__":
    _main()
