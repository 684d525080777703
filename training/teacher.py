"""The teacher: the last feature map of MobileNetV2 (Sandler et al., 2018), quantised, run by LiteRT.

It gives targets only; no parameter of it ends up in the weights that ship.
"""

import warnings
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

__all__ = ["CHANNELS", "GRID", "Teacher"]

GRID = 7
"""Side of the feature map."""
CHANNELS = 1280
_SIDE = 224


class Teacher:
    """Computes feature maps, one picture at a time (the quantised graph has a fixed batch size of one)."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # reading an inner tensor is exactly what is wanted
            self._interpreter = Interpreter(str(model), num_threads=threads, experimental_preserve_all_tensors=True)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        # The only tensor of this shape: the last feature map, after ReLU6 and before pooling.
        shape = [1, GRID, GRID, CHANNELS]
        last = next(t for t in self._interpreter.get_tensor_details() if t["shape"].tolist() == shape)
        self._output = last["index"]
        self._scale, self._zero = last["quantization"]

    def grid(self, image: Image.Image, box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the feature map (7, 7, 1280) of the part of an RGB picture inside `box` (fractions of its sides)."""
        corners = tuple(np.clip(box * np.tile(image.size, 2), 0, np.tile(image.size, 2)).tolist())
        view = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=corners)
        self._interpreter.set_tensor(self._input, np.asarray(view, dtype=np.uint8)[None])
        self._interpreter.invoke()
        quantised = self._interpreter.get_tensor(self._output)[0]  # (7, 7, 1280) uint8
        return (quantised.astype(np.float32) - self._zero) * np.float32(self._scale)
