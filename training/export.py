"""From weights to the files of the product.

    python -m training.export --weights runs/maps/weights.pt --patches runs/patches/patches.pt --out encoders/mini/v3

Batch normalisation is folded into the convolutions. Weights are stored as float16, the embedding table of the text
tower as int8 with one scale for each row; arithmetic is float32. Pictures can have any size: convolutions are padded
by the runtime, as TensorFlow pads them (`SAME_UPPER`). Nothing of torch is needed to run the result.
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

from training.corpora import LANGUAGES
from training.model import Mini, PatchHead, TextTower
from training.pixels import PATCH_SIZE, PREPROCESS
from training.trunk import SameConv
from training.weights import load_patch_head, load_weights

__all__ = ["export"]

FILES = ("image.onnx", "cells.onnx", "text.onnx", "tokenizer.model")
"""The files that the digest covers."""
VERSION = "3"
_OPSET = 17
_SMALLEST = 1024
"""Tensors with fewer values stay float32; they take little space."""
_TRACED = 64
"""Side of the pictures that the graph is traced with, in pixels. The graph is the same for all sides."""
_CHECKED = (PREPROCESS.size, PATCH_SIZE, 97)
"""Sides of the pictures that ONNX Runtime and torch are compared on; with an odd one, padding differs at each layer."""


class ImageGraph(nn.Module):
    """Maps pixels (N, 3, H, W) to picture vectors (N, D) of unit length and the two maps that `PatchHead` reads."""

    def __init__(self, model: Mini) -> None:
        super().__init__()
        self.trunk, self.head = copy.deepcopy(model.trunk), model.head
        _pad_evenly(self.trunk)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (N, D), (N, 120, 2h, 2w) and (N, 1280, h, w)."""
        fine, coarse = self.trunk.maps(pixels)
        return self.head(coarse), fine, coarse


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
    """Return an equivalent text tower with an int8 table."""
    tower = copy.deepcopy(tower).eval()
    tower.embed = Table(tower.embed)  # type: ignore[assignment]
    return tower


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


def pad_like_tensorflow(model: onnx.ModelProto) -> None:
    """Let the runtime pad each convolution to ceil(input / stride), as `SameConv` does, for any size of the input."""
    for node in model.graph.node:
        if node.op_type == "Conv":
            kept = [attribute for attribute in node.attribute if attribute.name != "pads"]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("auto_pad", "SAME_UPPER")])


def export(model: Mini, patches: PatchHead, tokenizer: Path, out: Path) -> dict[str, float]:
    """Write all files and return the largest difference between ONNX Runtime and torch for each tower."""
    out.mkdir(parents=True, exist_ok=True)
    model = copy.deepcopy(model).eval().requires_grad_(False)
    model.fold()
    pixels, (ids, mask) = torch.randn(2, 3, _TRACED, _TRACED), _texts(model)
    picture, tokens = {0: "batch", 2: "height", 3: "width"}, {0: "batch", 1: "tokens"}
    fine, coarse = ({0: "batch", 2: f"{name}_rows", 3: f"{name}_columns"} for name in ("fine", "coarse"))
    maps, vector = {"fine": fine, "coarse": coarse}, {"embedding": {0: "batch"}}
    image = _graph(ImageGraph(model), (pixels,), {"pixels": picture}, vector | maps, out / "image.onnx")
    pad_like_tensorflow(image)
    _save(image, out / "image.onnx")
    _save(_graph(patches, model.trunk.maps(pixels), maps, {"cells": fine}, out / "cells.onnx"), out / "cells.onnx")
    text = _graph(rounded(model.text), (ids, mask), {"ids": tokens, "mask": tokens}, vector, out / "text.onnx")
    _save(text, out / "text.onnx")
    shutil.copyfile(tokenizer, out / "tokenizer.model")
    _write_card(model, patches, out)
    return _differences(model, patches, out)


def _pad_evenly(module: nn.Module) -> None:
    """Replace each `SameConv` by a convolution with the same padding on all sides, whose graph has no other operators.

    Its output has the right size. `pad_like_tensorflow` corrects the padding in the graph.
    """
    for name, child in module.named_children():
        if isinstance(child, SameConv):
            kernel, stride = child.kernel_size[0], child.stride[0]
            conv = nn.Conv2d(
                child.in_channels, child.out_channels, kernel, stride, kernel // 2, groups=child.groups, bias=True
            )
            conv.load_state_dict(child.state_dict())
            setattr(module, name, conv)
        else:
            _pad_evenly(child)


def _texts(model: Mini) -> tuple[Tensor, Tensor]:
    return torch.randint(3, model.shape.pieces, (3, 9)), torch.ones(3, 9)


def _graph(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    axes: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
    file: Path,
) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the older path: the graph is plain, and onnx is enough
        torch.onnx.export(
            module.eval(),
            inputs,
            str(file),
            input_names=list(axes),
            output_names=list(outputs),
            dynamic_axes=axes | outputs,
            opset_version=_OPSET,
            dynamo=False,
        )
    return onnx.load(str(file))


def _save(model: onnx.ModelProto, file: Path) -> None:
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


@torch.no_grad()
def _differences(model: Mini, patches: PatchHead, out: Path) -> dict[str, float]:
    found = {"image": 0.0, "cells": 0.0}
    for side in _CHECKED:
        pixels = torch.randn(1, 3, side, side)
        fine, coarse = model.trunk.maps(pixels)
        image = _difference(out / "image.onnx", {"pixels": pixels}, model.head(coarse))
        cells = _difference(out / "cells.onnx", {"fine": fine, "coarse": coarse}, patches(fine, coarse))
        found = {"image": max(found["image"], image), "cells": max(found["cells"], cells)}
    ids, mask = _texts(model)
    return found | {"text": _difference(out / "text.onnx", {"ids": ids, "mask": mask}, model.text(ids, mask))}


def _difference(file: Path, inputs: dict[str, Tensor], expected: Tensor) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})[0]
    return float(np.abs(found - expected.numpy()).max())


def _write_card(model: Mini, patches: PatchHead, out: Path) -> None:
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((out / name).read_bytes())
    card: dict[str, Any] = {
        "name": "mini",
        "version": VERSION,
        "dim": model.shape.dim,
        "languages": list(LANGUAGES),
        "licence": "Apache-2.0",
        "parameters": {
            "image": _count(model.trunk) + _count(model.head) + _count(patches),
            "text": _count(model.text),
        },
        "preprocess": PREPROCESS.as_dict(),
        "patch_size": PATCH_SIZE,
        "centre_patches": False,
        "max_tokens": model.shape.max_tokens,
        "digest": digest.hexdigest(),
    }
    (out / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("runs/maps/weights.pt"))
    parser.add_argument("--patches", type=Path, default=Path("runs/patches/patches.pt"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("encoders/mini/v3"))
    options = parser.parse_args()
    torch.manual_seed(0)
    model, patches = load_weights(options.weights), load_patch_head(options.patches)
    for tower, difference in export(model, patches, options.tokenizer, options.out).items():
        print(f"{tower}: ONNX Runtime and torch differ by at most {difference:.1e}")


if __name__ == "__main__":
    _main()
