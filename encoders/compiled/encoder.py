"""The runtime of a compiled model: ONNX Runtime and a tokenizer, nothing of PyTorch."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.compiled.store import IMAGES, TEXTS, TOKENIZER, CompiledModel, is_known_intact
from encoders.compiled.tokens import CompiledTokenizer
from encoders.onnx_session import open_session
from encoders.placement import CPU_BATCH_SIZE

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["CompiledDamaged", "CompiledEncoder"]


PICTURES_PER_RUN = 8
"""Pictures of one forward pass. With ViT-B-32-256 on two cores, 8 at a time were 1.1 to 1.2 times as fast as 1 at a
time, 16 no faster, and the vectors had the same bits."""

FEW_TEXTS = 16
"""Texts that are embedded with weights as they are in the file. Arranging those of a ViT-B-32 for fast products takes
170 ms of processor time, and saves 12 ms for each text of 8 tokens."""


class CompiledDamaged(Exception):
    """A file of a compiled model cannot be used: it is damaged, or ONNX Runtime is too old for it.

    It is never raised to users: the original takes its place.
    """


class CompiledEncoder(Encoder):
    """The compiled form of `original`, an encoder on PyTorch: the same space, vectors equal up to rounding (float32).

    Each tower is loaded when it is first needed. Its methods raise `CompiledDamaged` for files that cannot be read.
    """

    def __init__(self, compiled: CompiledModel, original: Encoder) -> None:
        space = original.space
        super().__init__(
            model=space.model,
            weights=space.weights,
            dim=space.dim,
            preprocess=original.preprocess,
            batch_size=CPU_BATCH_SIZE,
            context_length=original.context_length,
            logit_scale=compiled.card.logit_scale,
        )
        self.has_patch_features, self.centre_patches = original.has_patch_features, original.centre_patches
        self.language = original.language
        self.compiled = compiled
        self._embedded_texts = 0

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens included."""
        return self._tokenizer.count(text)

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D)."""
        return self._forward_pixels("vectors", pixels)

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
        if not self.has_patch_features:
            return super().forward_patches(pixels)
        return self._forward_pixels("patches", pixels)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D)."""
        # One at a time: a text that is padded to the length of others would get a slightly different vector.
        return np.concatenate([self._forward_text(text) for text in texts])

    def _forward_pixels(self, output: str, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        from onnxruntime import RunOptions

        options = RunOptions()
        # One graph has both outputs and shares the weights; this leaves out what only the other output needs.
        options.only_execute_path_to_fetches = True
        groups = (pixels[start : start + PICTURES_PER_RUN] for start in range(0, len(pixels), PICTURES_PER_RUN))
        return np.concatenate([self._image_session.run([output], {"pixels": group}, options)[0] for group in groups])

    def _forward_text(self, text: str) -> NDArray[np.float32]:
        batch, card = self._tokenizer([text], self.language), self.compiled.card
        if card.trims:
            batch = batch.trimmed()
        feed = {"ids": batch.ids, "mask": batch.mask} if card.tokenizer.has_mask else {"ids": batch.ids}
        self._embedded_texts += 1
        session = self._text_session if self._embedded_texts > FEW_TEXTS else self._few_texts_session
        found: NDArray[np.float32] = session.run(["vectors"], feed)[0]
        return found

    @cached_property
    def _tokenizer(self) -> CompiledTokenizer:
        card = self.compiled.card
        self._require_intact(TOKENIZER)
        try:
            tokenizer = CompiledTokenizer(card.tokenizer, self.compiled.folder / TOKENIZER)
        except (ValueError, OSError) as exc:
            raise CompiledDamaged(str(exc)) from exc
        except Exception as exc:
            # tokenizers raises plain `Exception` for files that it cannot read.
            if type(exc) is Exception:
                raise CompiledDamaged(str(exc)) from exc
            raise
        if card.tokenizer.language and self.language and tokenizer.language_id(self.language) is None:
            from encoders.open_clip import unknown_language

            raise unknown_language(self.space.model, self.language)
        return tokenizer

    @cached_property
    def _image_session(self) -> "InferenceSession":
        return self._session(IMAGES)

    @cached_property
    def _text_session(self) -> "InferenceSession":
        return self._session(TEXTS, is_optimised=True)

    @cached_property
    def _few_texts_session(self) -> "InferenceSession":
        return self._session(TEXTS, is_optimised=True, for_few=True)

    def _require_intact(self, name: str) -> None:
        """Raise `CompiledDamaged` if a file is not what was written: it could open, and give other vectors."""
        if not is_known_intact(self.compiled, name):
            raise CompiledDamaged(f"{name} has another checksum")

    def _session(self, name: str, **how: bool) -> "InferenceSession":
        self._require_intact(name)
        try:
            return open_session(self.compiled.folder / name, **how)
        except Exception as exc:  # the exceptions of ONNX Runtime have no common base class
            raise CompiledDamaged(f"{name}: {exc}") from exc
