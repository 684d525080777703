"""Step 6: from a checkpoint to the exported files.

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
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.corpora import LANGUAGES
from training.model import Block, PatchHead, TextTower
from training.student import PREPROCESS, Student
from training.train_patches import load_patch_head

__all__ = ["export"]

FILES = ("image.onnx", "cells.onnx", "text.onnx", "tokenizer.model")
"""The files that the digest covers."""
VERSION = "2"
_OPSET = 17
_SMALLEST = 1024
"""Tensors with fewer values stay float32; they take little space."""


class ImageGraph(nn.Module):
    """Maps pixels (N, 3, S, S) to picture vectors (N, D) of unit length and the two maps that `PatchHead` reads."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.backbone, self.head = folded(student).backbone, student.head

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (N, D), (N, C, S/8, S/8) and (N, C', S/16, S/16)."""
        fine, coarse, grid = self.backbone.maps(pixels)
        picture, _ = self.head(grid)
        return picture, fine, coarse


class Table(nn.Module):
    """An embedding table rounded to int8, with a scale for each row."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        table = embedding.weight.detach()  # (V, W)
        scales = table.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127  # (V, 1)
        self.register_buffer("table", (table / scales).round().to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, rows: Tensor) -> Tensor:
        """Map (N, T) to (N, T, W)."""
        return self.get_buffer("table")[rows].float() * self.get_buffer("scales")[rows]


def rounded(tower: TextTower) -> TextTower:
    """Return an equivalent text tower with int8 tables."""
    tower = copy.deepcopy(tower).eval()
    tower.embed = Table(tower.embed)  # type: ignore[assignment]
    if tower.pairs is not None:
        tower.pairs.embed = Table(tower.pairs.embed)  # type: ignore[assignment]
    return tower


def folded(student: Student) -> Student:
    """Return an equivalent student without batch normalisation in the backbone."""
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
    """Store large float32 weights as float16, each with a cast; the runtime folds the casts when it loads the file."""
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


def export(student: Student, where: PatchHead, tokenizer: Path, out: Path) -> dict[str, float]:
    """Write all files and return the largest difference between ONNX Runtime and torch for each tower."""
    out.mkdir(parents=True, exist_ok=True)
    student = student.twin()
    side, pieces = PREPROCESS.size, student.shape.pieces
    pixels = torch.randn(3, 3, side, side)
    ids, mask = torch.randint(3, pieces, (3, 9)), torch.ones(3, 9)
    batch, tokens = {0: "batch"}, {0: "batch", 1: "tokens"}
    with torch.no_grad():
        fine, coarse, grid = student.backbone.maps(pixels)
    maps = {"fine": batch, "coarse": batch}
    _write(ImageGraph(student).eval(), (pixels,), {"pixels": batch}, {"embedding": batch, **maps}, out / "image.onnx")
    _write(where, (fine, coarse), maps, {"cells": batch}, out / "cells.onnx")
    _write(rounded(student.text), (ids, mask), {"ids": tokens, "mask": tokens}, {"embedding": batch}, out / "text.onnx")
    shutil.copyfile(tokenizer, out / "tokenizer.model")
    _write_card(student, where, out)
    with torch.no_grad():
        expected = student.head(grid)[0], where(fine, coarse), student.text(ids, mask)
    inputs = {"pixels": pixels}, {"fine": fine, "coarse": coarse}, {"ids": ids, "mask": mask}
    towers = ("image", "cells", "text")
    return {
        tower: _difference(out / f"{tower}.onnx", given, wanted)
        for tower, given, wanted in zip(towers, inputs, expected, strict=True)
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
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    return float(np.abs(found - expected.numpy()).max())


def _write_card(student: Student, where: PatchHead, out: Path) -> None:
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
            "image": _count(student.backbone) + _count(student.head) + _count(where),
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
    parser.add_argument("--cells", type=Path, default=Path("runs/cells.pt"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("encoders/mini/weights"))
    options = parser.parse_args()
    student, where = Student.averaged(options.checkpoint), load_patch_head(options.cells)
    for tower, difference in export(student, where, options.tokenizer, options.out).items():
        print(f"{tower}: ONNX Runtime and torch differ by at most {difference:.1e}")


if __name__ == "__main__":
    _main()
