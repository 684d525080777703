"""The encoder of `mini`: three ONNX graphs and a tokenizer in one folder per version, each loaded when first needed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelUnavailable
from core.space import weights_of_version
from encoders.base import Encoder, Vectors
from encoders.mini.tokenizer import MAX_TOKENS, Tokenizer, pad
from encoders.mini.translations import Translations
from encoders.onnx_session import open_session
from encoders.preprocess import Preprocess

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["TRANSLATIONS", "VERSIONS", "WEIGHTS", "MiniEncoder"]

VERSIONS = tuple(Path(__file__).parent / name for name in ("v3", "v2"))
"""The folders of the versions that ship with the package, the newest first."""
WEIGHTS = VERSIONS[0]
"""The folder of the newest version."""

CALIBRATION = "calibration.json"
"""The name of the file that `training/calibrate.py` writes."""
TRANSLATIONS = "translations.gz"
"""The name of the file that `training/translations.py` writes. Its digest is `translations` in `model.json`."""


class MiniEncoder(Encoder):
    """The built-in model. Creating it is cheap; text queries never load the image tower, nor pictures the text tower.

    `folder` is that of a version, by default the newest. It contains `model.json`, `image.onnx`, `cells.onnx`,
    `text.onnx` and `tokenizer.model`, as `training/export.py` writes them, and `calibration.json`. Raises
    `ModelUnavailable` if one of the first five is missing. If `model.json` has the digest of `translations.gz`, words
    of other languages get the mean of their vectors and those of their English names.
    """

    has_patch_features = True

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or VERSIONS[0]
        self.card = self._read_card()
        """The content of `model.json`: version, languages, licence, parameter counts, digest."""
        self._max_tokens: int = self.card.get("max_tokens", MAX_TOKENS)
        super().__init__(
            model=self.card["name"],
            weights=weights_of_version(self.card["version"], self.card["digest"]),
            dim=self.card["dim"],
            preprocess=_preprocess(self.card["preprocess"]),
            context_length=self._max_tokens,
        )
        self.centre_patches = self.card.get("centre_patches", True)
        self._patch_preprocess = replace(self.preprocess, size=self.card.get("patch_size", self.preprocess.size))

    @classmethod
    def versions(cls) -> Iterator["MiniEncoder"]:
        """Yield the encoder of each version that ships with the package, the newest first."""
        return map(cls, VERSIONS)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the texts that this version was trained on."""
        return tuple(self.card["languages"])

    @property
    def text_version(self) -> str:
        """The digest of the translations; empty if this version has none."""
        return str(self.card.get("translations", ""))

    @property
    def calibration(self) -> Path | None:
        """The file with the calibration of this version's scores; None if the folder has none."""
        file = self._folder / CALIBRATION
        return file if file.is_file() else None

    @property
    def patch_preprocess(self) -> Preprocess:
        """How pictures become pixels for `encode_patches`: as for `encode_pixels`, but of the card's `patch_size`."""
        return self._patch_preprocess

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, the first special token included."""
        return self._tokenizer.count(text)

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D)."""
        # One at a time: in a larger batch, sums have another order and their last bits change. A vector must not depend
        # on its batch. This costs nothing: each picture already keeps all cores busy.
        run = self._image_session.run
        return np.concatenate([run(["embedding"], {"pixels": picture[None]})[0] for picture in pixels])

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
        grids = np.concatenate([self._forward_patches(picture[None]) for picture in pixels])  # (n, D, r, c)
        return np.ascontiguousarray(grids.transpose(0, 2, 3, 1))  # (n, r, c, D)

    def _forward_patches(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        # A separate graph reads two inner maps of the image tower: embedding whole pictures does not pay for it.
        fine, coarse = self._image_session.run(["fine", "coarse"], {"pixels": picture})
        patches: NDArray[np.float32] = self._patches_session.run(["cells"], {"fine": fine, "coarse": coarse})[0]
        return patches

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D)."""
        # One at a time: without padding a vector cannot depend on its batch, and a text takes a millisecond.
        return np.concatenate([self._forward_text(text) for text in texts])

    def encode_patch_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors (N, D) of the text tower, with which the patch features were trained."""
        return self.encode_untranslated(texts)

    def encode_untranslated(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors (N, D) of the text tower alone."""
        parts = [self._unit(self._read_text(text), 1) for text in texts]
        return np.concatenate(parts) if parts else self._empty()

    def _forward_text(self, text: str) -> NDArray[np.float32]:
        own = self._read_text(text)
        names = self._translations.find(text) if self._translations else {}
        if not names:
            return own
        english = np.array(list(names.values()), np.float32) @ self.encode_untranslated(list(names))  # (D,)
        return own + english / np.linalg.norm(english)

    def _read_text(self, text: str) -> NDArray[np.float32]:
        ids, mask = pad([self._tokenizer(text)])  # (1, T) both
        vectors: NDArray[np.float32] = self._text_session.run(["embedding"], {"ids": ids, "mask": mask})[0]
        return vectors  # (1, D)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer(self._file("tokenizer.model"), self._max_tokens)

    @cached_property
    def _translations(self) -> Translations | None:
        return Translations(self._file(TRANSLATIONS)) if self.text_version else None

    @cached_property
    def _image_session(self) -> "InferenceSession":
        return open_session(self._file("image.onnx"))

    @cached_property
    def _patches_session(self) -> "InferenceSession":
        return open_session(self._file("cells.onnx"))

    @cached_property
    def _text_session(self) -> "InferenceSession":
        return open_session(self._file("text.onnx"))

    def _read_card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads(self._file("model.json").read_text(encoding="utf-8"))
        return card

    def _file(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise ModelUnavailable("mini", f"the file {path}", "Install Sightline again: its weights are incomplete.")
        return path


def _preprocess(fields: dict[str, Any]) -> Preprocess:
    """Return the preprocessing in a model card."""
    return Preprocess(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})
