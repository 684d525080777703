"""`mini` behind the seam: three ONNX graphs and a tokenizer beside this file, each loaded when first needed."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelUnavailable
from encoders.base import Encoder
from encoders.mini.tokenizer import MAX_TOKENS, Tokenizer, pad
from encoders.preprocess import Preprocess

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["CALIBRATION", "WEIGHTS", "MiniEncoder"]

WEIGHTS = Path(__file__).parent / "weights"
"""The weights that ship with the package."""
CALIBRATION = Path(__file__).parent / "calibration.json"
"""What the scores of these weights mean, as `training/calibrate.py` measured it."""


class MiniEncoder(Encoder):
    """The built-in model. Costs nothing to build; a query in words never loads the picture tower, nor the reverse.

    `folder` holds `model.json`, `image.onnx`, `cells.onnx`, `text.onnx` and `tokenizer.model`, as
    `training/export.py` writes them. Raises `ModelUnavailable` when one of them is not there.
    """

    calibration: ClassVar[Path | None] = CALIBRATION
    has_cells = True

    def __init__(self, folder: Path = WEIGHTS) -> None:
        self._folder = folder
        self.card = self._read_card()
        """What `model.json` says: languages, licence, parameter counts, digest."""
        super().__init__(
            model=self.card["name"],
            weights=self.card["digest"],
            dim=self.card["dim"],
            preprocess=_preprocess(self.card["preprocess"]),
            context_length=MAX_TOKENS,
        )

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, the one that opens it included."""
        return self._tokenizer.count(text)

    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        # One at a time here too: in a larger batch sums are taken in another order, and their last bits move. A vector
        # must be the same whatever was indexed beside it. It costs nothing: each picture already keeps all cores busy.
        run = self._image_session.run
        return np.concatenate([run(["embedding"], {"pixels": picture[None]})[0] for picture in pixels])

    def _forward_cells(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        grids = np.concatenate([self._cells_of(picture[None]) for picture in pixels])  # (n, D, r, c)
        return np.ascontiguousarray(grids.transpose(0, 2, 3, 1))  # (n, r, c, D)

    def _cells_of(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        # A graph of its own reads two inner maps of the picture tower: who wants no cells does not pay for them.
        fine, coarse = self._image_session.run(["fine", "coarse"], {"pixels": picture})
        cells: NDArray[np.float32] = self._cells_session.run(["cells"], {"fine": fine, "coarse": coarse})[0]
        return cells

    def _forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # One at a time: no filling, so a text's vector cannot depend on its neighbours, and a text takes a millisecond.
        return np.concatenate([self._forward_text(text) for text in texts])

    def _forward_text(self, text: str) -> NDArray[np.float32]:
        ids, mask = pad([self._tokenizer(text)])  # (1, T) both
        vectors: NDArray[np.float32] = self._text_session.run(["embedding"], {"ids": ids, "mask": mask})[0]
        return vectors  # (1, D)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self._file("tokenizer.model"))

    @cached_property
    def _image_session(self) -> "InferenceSession":
        return _session(self._file("image.onnx"))

    @cached_property
    def _cells_session(self) -> "InferenceSession":
        return _session(self._file("cells.onnx"))

    @cached_property
    def _text_session(self) -> "InferenceSession":
        return _session(self._file("text.onnx"))

    def _read_card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads(self._file("model.json").read_text(encoding="utf-8"))
        return card

    def _file(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise ModelUnavailable("mini", f"the file {path}", "install Sightline again, its weights are incomplete")
        return path


def _preprocess(fields: dict[str, Any]) -> Preprocess:
    """The preprocessing that a card describes."""
    return Preprocess(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


def _session(file: Path) -> "InferenceSession":
    from onnxruntime import InferenceSession, SessionOptions  # late: a program that embeds nothing never pays for it

    options = SessionOptions()
    options.log_severity_level = 3  # errors alone
    # Threads that wait actively would take the processor from those that decode pictures, and gain next to nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
