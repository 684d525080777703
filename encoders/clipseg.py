"""CLIPSeg behind the segmenter seam, through transformers: CLIP with a small decoder that says where in a picture.

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
from encoders.checkpoint import read_json, require_whole
from encoders.image_prompt import shown_picture
from encoders.placement import Placed, Placement
from encoders.prompts import PicturePrompt, Prompt, TextPrompt
from encoders.segmenter import Segmenter

__all__ = ["DEFAULT_SEGMENTER", "CLIPSegSegmenter", "has_segmenter", "is_clipseg", "load_segmenter", "segmenter_folder"]

DEFAULT_SEGMENTER = "CIDAS/clipseg-rd64-refined"
ANYWHERE = Placement()

CONTEXT_LENGTH = 77
"""Of CLIP's text tower; every published CLIPSeg has it."""


def segmenter_folder(name: str) -> Path:
    """Where the files of the segmenter `name` are or should be: itself if it is a folder, else one of our models."""
    return Path(name) if Path(name).is_dir() else models_folder() / slug(name)


def has_segmenter(name: str = DEFAULT_SEGMENTER) -> bool:
    """Whether the files of the segmenter `name` are there, and not only some of them yet. Loads nothing."""
    return _lack(name) is None


def is_clipseg(folder: Path) -> bool:
    """Whether the model in `folder` is one of these."""
    config = folder / "config.json"
    return config.is_file() and read_json(config).get("model_type") == "clipseg"


def _lack(name: str) -> ModelUnavailable | None:
    """What is in the way of the segmenter `name`."""
    folder = segmenter_folder(name)
    if folder == models_folder() / slug(name):
        try:
            require_whole(folder, name)
        except ModelUnavailable as exc:
            return exc
    if not (folder / "config.json").is_file():
        return ModelUnavailable(name, f"its files in {folder}", _by_hand(name))
    return None


def load_segmenter(name: str = DEFAULT_SEGMENTER, placement: Placement = ANYWHERE) -> "CLIPSegSegmenter":
    """The segmenter called `name` (as `CIDAS/clipseg-rd64-refined` or one of its siblings), or the one in a folder.

    Cheap; weights are read by its first use. Raises `ModelUnavailable` when its files are not there.
    """
    if (lack := _lack(name)) is not None:
        raise lack
    return CLIPSegSegmenter(segmenter_folder(name), name=name, placement=placement)


class CLIPSegSegmenter(Segmenter):
    """The CLIPSeg in `folder`, laid out as on the hub. Takes words, pictures, and vectors of its CLIP's space.

    Nothing is ever fetched. The first use raises `ExtraMissing` without transformers, `ModelUnavailable` when a file is
    missing or damaged, and `DeviceUnavailable` for a place that this machine has not.
    """

    def __init__(self, folder: Path, *, name: str | None = None, placement: Placement = ANYWHERE) -> None:
        super().__init__(name=name or folder.name, context_length=CONTEXT_LENGTH)
        self._folder = folder
        self._placement = placement

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, those at its ends included."""
        return len(self._processor.tokenizer(text).input_ids)

    def _forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        import torch

        model, place = self._model, self._placed
        with torch.inference_mode():
            conditions = torch.cat([self._condition(prompt) for prompt in prompts])  # (P, D)
            # The tower sees the picture once, whatever the number of prompts; only the small decoder runs for each.
            tower = model.clip.vision_model(
                pixel_values=self._pixels(image), output_hidden_states=True, interpolate_pos_encoding=True
            )
            layers = [tower.hidden_states[layer + 1] for layer in model.extract_layers]  # (1, cells + 1, width) each
            grids = [
                model.decoder([layer.expand(len(some), -1, -1) for layer in layers], some).logits  # (n, S, S)
                for some in conditions.split(place.batch_size)
            ]
            logits: NDArray[np.float32] = (
                torch.cat(grids).reshape(len(prompts), *grids[0].shape[-2:]).float().cpu().numpy()
            )
        return logits

    def _condition(self, prompt: Prompt) -> Any:
        """The vector (1, D) that steers the decoder."""
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
            pixels = self._pixels(shown_picture(prompt))
            return model.get_conditional_embeddings(batch_size=1, conditional_pixel_values=pixels)
        dim = model.config.projection_dim
        if prompt.vector.shape != (dim,):
            raise InvalidQuery(f"{self.name} takes vectors of {dim} numbers, not of {len(prompt.vector)}")
        return torch.from_numpy(prompt.vector[None]).to(place.device, place.dtype)

    def _pixels(self, image: Image.Image) -> Any:
        """(1, 3, S, S), squashed and normalised as the folder's own settings say."""
        pixels = self._processor.image_processor(image.convert("RGB"), return_tensors="pt").pixel_values
        return pixels.to(self._placed.device, self._placed.dtype)

    @cached_property
    def _placed(self) -> Placed:
        return self._placement.resolve()

    @cached_property
    def _processor(self) -> Any:
        transformers = _transformers()
        if not any((self._folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
            # transformers would make an empty vocabulary, and read every word as none.
            raise ModelUnavailable(self.name, f"its tokenizer in {self._folder}", _by_hand(self.name))
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
        except Exception as exc:  # what is read is somebody else's file: damaged ones surface as errors of many kinds
            raise self._unusable("its weights", exc) from exc
        if loading["missing_keys"]:  # transformers would have them drawn at random, and only warn
            missing = ", ".join(sorted(loading["missing_keys"])[:3])
            raise ModelUnavailable(self.name, f"weights that are not in {self._folder}: {missing}", _by_hand(self.name))
        return model.to(self._placed.device, self._placed.dtype).eval()

    def _unusable(self, what: str, exc: Exception) -> ModelUnavailable:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        return ModelUnavailable(self.name, f"{what} in {self._folder} ({reason})", _by_hand(self.name))


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as exc:
        raise ExtraMissing("CLIPSeg", "clip") from exc
    transformers.utils.logging.disable_progress_bar()  # of weights that are read from a disk
    return transformers


def _by_hand(name: str) -> str:
    if Path(name).exists():
        return f"copy all files of https://huggingface.co/{DEFAULT_SEGMENTER} or one of its siblings there"
    return f"`sightline models pull {name}` fetches them, or copy all files of https://huggingface.co/{name} there"
