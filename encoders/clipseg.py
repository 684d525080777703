"""CLIPSeg, a segmentation model of transformers: CLIP with a small decoder that locates a prompt in a picture.

Lüddecke and Ecker, "Image segmentation using text and image prompts", CVPR 2022.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import ExtraMissing, InvalidQuery, ModelUnavailable
from core.settings import models_folder, slug
from encoders.checkpoint import read_json, require_complete
from encoders.placement import DEFAULT_PLACEMENT, Placement, ResolvedPlacement
from encoders.prompts import PicturePrompt, Prompt, TextPrompt, render_prompt
from encoders.segmenter import Segmenter

__all__ = ["DEFAULT_SEGMENTER", "CLIPSegSegmenter", "has_segmenter", "is_clipseg", "load_segmenter", "segmenter_folder"]

DEFAULT_SEGMENTER = "CIDAS/clipseg-rd64-refined"

CONTEXT_LENGTH = 77
"""Context length of CLIP's text tower, in every published CLIPSeg."""


def segmenter_folder(name: str) -> Path:
    """Return the folder of the segmenter `name`: the folder of that name, or the one in the models folder."""
    return Path(name) if Path(name).is_dir() else models_folder() / slug(name)


def has_segmenter(name: str = DEFAULT_SEGMENTER) -> bool:
    """Return whether all files of the segmenter `name` are installed. Loads nothing."""
    return _fault(name) is None


def is_clipseg(folder: Path) -> bool:
    """Return whether the model in `folder` is a CLIPSeg."""
    config = folder / "config.json"
    return config.is_file() and read_json(config).get("model_type") == "clipseg"


def _fault(name: str) -> ModelUnavailable | None:
    """Return why the segmenter `name` cannot be loaded, or None."""
    folder = segmenter_folder(name)
    if folder == models_folder() / slug(name):
        try:
            require_complete(folder, name)
        except ModelUnavailable as exc:
            return exc
    if not (folder / "config.json").is_file():
        return _unavailable(name, f"its files in {folder}")
    return None


def load_segmenter(name: str = DEFAULT_SEGMENTER, placement: Placement = DEFAULT_PLACEMENT) -> "CLIPSegSegmenter":
    """Return the segmenter called `name` (`CIDAS/clipseg-rd64-refined` or one of its siblings), or the one in a folder.

    This is cheap: weights are read by its first use. Raises `ModelUnavailable` if files are missing.
    """
    if (fault := _fault(name)) is not None:
        raise fault
    return CLIPSegSegmenter(segmenter_folder(name), name=name, placement=placement)


class CLIPSegSegmenter(Segmenter):
    """The CLIPSeg in `folder`, laid out as on the hub. Prompts are texts, pictures, and vectors of its CLIP's space.

    Nothing is downloaded. The first use raises `ExtraMissing` without transformers, `ModelUnavailable` if a file is
    missing or damaged, and `DeviceUnavailable` for a device that this machine does not have.
    """

    def __init__(self, folder: Path, *, name: str | None = None, placement: Placement = DEFAULT_PLACEMENT) -> None:
        super().__init__(name=name or folder.name, context_length=CONTEXT_LENGTH)
        self._folder = folder
        self._placement = placement

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens included."""
        return len(self._processor.tokenizer(text).input_ids)

    def forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        """Return logits (P, h, w) for P prompts."""
        import torch

        model, place = self._model, self._placed
        with torch.inference_mode():
            conditions = torch.cat([self._condition(prompt) for prompt in prompts])  # (P, D)
            # The tower sees the picture once; only the small decoder runs for each prompt.
            tower = model.clip.vision_model(
                pixel_values=self._pixels(image), output_hidden_states=True, interpolate_pos_encoding=True
            )
            layers = [tower.hidden_states[layer + 1] for layer in model.extract_layers]  # (1, patches + 1, width) each
            grids = [
                model.decoder([layer.expand(len(some), -1, -1) for layer in layers], some).logits  # (n, S, S)
                for some in conditions.split(place.batch_size)
            ]
            logits: NDArray[np.float32] = (
                torch.cat(grids).reshape(len(prompts), *grids[0].shape[-2:]).float().cpu().numpy()
            )
        return logits

    def _condition(self, prompt: Prompt) -> Any:
        """Return the vector (1, D) that conditions the decoder."""
        import torch

        model, place = self._model, self._placed
        if isinstance(prompt, TextPrompt):
            tokens = self._processor.tokenizer(
                prompt.text, truncation=True, max_length=self.context_length, return_tensors="pt"
            ).to(place.device)
            return model.get_conditional_embeddings(
                batch_size=1, input_ids=tokens.input_ids, attention_mask=tokens.attention_mask
            )
        if isinstance(prompt, PicturePrompt):
            pixels = self._pixels(render_prompt(prompt))
            return model.get_conditional_embeddings(batch_size=1, conditional_pixel_values=pixels)
        dim = model.config.projection_dim
        if prompt.vector.shape != (dim,):
            raise InvalidQuery(f"Vectors of {self.name} have {dim} numbers, not {len(prompt.vector)}.")
        return torch.from_numpy(prompt.vector[None]).to(place.device, place.dtype)

    def _pixels(self, image: Image.Image) -> Any:
        """Return (1, 3, S, S), squashed and normalised by the settings of the folder."""
        pixels = self._processor.image_processor(image.convert("RGB"), return_tensors="pt").pixel_values
        return pixels.to(self._placed.device, self._placed.dtype)

    @cached_property
    def _placed(self) -> ResolvedPlacement:
        return self._placement.resolve()

    @cached_property
    def _processor(self) -> Any:
        transformers = _transformers()
        if not any((self._folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
            # transformers would create an empty vocabulary, and read every word as unknown.
            raise _unavailable(self.name, f"its tokenizer in {self._folder}")
        try:
            return transformers.CLIPSegProcessor.from_pretrained(self._folder, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise self._unusable("its tokenizer and preprocessing", exc) from exc

    @cached_property
    def _model(self) -> Any:
        transformers = _transformers()
        try:
            model, loading = transformers.CLIPSegForImageSegmentation.from_pretrained(
                self._folder, local_files_only=True, output_loading_info=True
            )
        except Exception as exc:  # damaged files surface as errors of many kinds
            raise self._unusable("its weights", exc) from exc
        if loading["missing_keys"]:  # transformers would initialise them at random, and only warn
            missing = ", ".join(sorted(loading["missing_keys"])[:3])
            raise _unavailable(self.name, f"weights that are not in {self._folder}: {missing}")
        return model.to(self._placed.device, self._placed.dtype).eval()

    def _unusable(self, what: str, exc: Exception) -> ModelUnavailable:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        return _unavailable(self.name, f"{what} in {self._folder} ({reason})")


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as exc:
        raise ExtraMissing("CLIPSeg", "clip") from exc
    transformers.utils.logging.disable_progress_bar()  # of weights read from a disk
    return transformers


def _unavailable(name: str, missing: str) -> ModelUnavailable:
    if Path(name).exists():
        repository, pull = f"{DEFAULT_SEGMENTER} or one of its siblings", None
    else:
        repository, pull = name, name
    return ModelUnavailable(name, missing, f"Copy all files of https://huggingface.co/{repository} there.", pull=pull)
