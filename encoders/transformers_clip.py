"""AltCLIP and CLIP models of transformers, read from a local folder. Nothing is downloaded."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import BadCheckpoint, ExtraMissing, ModelUnavailable
from encoders.checkpoint import model_files, read_json, weights_digest
from encoders.patch_features import transformers_patches
from encoders.placement import Placement
from encoders.preprocess import Preprocess
from encoders.torch_encoder import TorchEncoder
from encoders.weight_files import transformers_weights

__all__ = ["CLASSES", "CONFIG", "TransformersClipEncoder"]

CONFIG, IMAGES = "config.json", "preprocessor_config.json"
CLASSES = {"altclip": "AltCLIPModel", "clip": "CLIPModel"}
"""Classes by the `model_type` in `config.json`."""
TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "vocab.json")

CONTEXT_LENGTH = 77
"""The length that both families were trained with; longer positions of AltCLIP's XLM-R were not trained on captions."""
RESAMPLING_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Resampling filters by their numbers in Pillow."""


class TransformersClipEncoder(TorchEncoder):
    """The AltCLIP or CLIP in `folder`, laid out as on the hub. Creating an encoder reads configurations only.

    Raises `BadCheckpoint` for an unusable folder, and `ModelUnavailable` for a folder without a tokenizer.
    """

    has_patch_features = True

    def __init__(self, folder: Path, *, name: str, placement: Placement) -> None:
        config = read_json(folder / CONFIG)
        if config.get("model_type") not in CLASSES:
            raise BadCheckpoint(folder, f"it is a {config.get('model_type')!r}, not one of: {', '.join(CLASSES)}")
        if not any((folder / file).is_file() for file in TOKENIZERS):
            raise ModelUnavailable(name, f"its tokenizer in {folder}", "Put tokenizer.json of its repository there.")
        weights = [folder / name for name in transformers_weights(file.name for file in folder.iterdir())]
        if not weights:
            raise BadCheckpoint(folder, "it contains no weights: model.safetensors or pytorch_model.bin")
        self._folder, self._class = folder, CLASSES[config["model_type"]]
        super().__init__(
            placement=placement,
            model=name,
            weights=weights_digest(folder, model_files(folder, weights)),
            dim=int(config.get("projection_dim", 512)),
            preprocess=_preprocess(folder, read_json(folder / IMAGES)),
            context_length=CONTEXT_LENGTH,
        )

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens included."""
        return len(self._tokenizer(text).input_ids)

    def _tokens(self, texts: Sequence[str]) -> Any:
        return self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.context_length, return_tensors="pt"
        )

    def _image_features(self, model: Any, pixels: Any) -> Any:
        return _vector(model.get_image_features(pixel_values=pixels))

    def _text_features(self, model: Any, tokens: Any) -> Any:
        return _vector(model.get_text_features(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask))

    def _patch_features(self, model: Any, pixels: Any) -> Any:
        return transformers_patches(model, pixels)

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            return _transformers().AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise BadCheckpoint(self._folder, f"its tokenizer cannot be read: {exc}") from exc

    def _load(self) -> Any:
        kind = getattr(_transformers(), self._class)
        try:
            model, found = kind.from_pretrained(self._folder, local_files_only=True, output_loading_info=True)
        except Exception as exc:  # damaged files surface as errors of many kinds
            raise BadCheckpoint(self._folder, f"its weights cannot be read: {exc}") from exc
        if found["missing_keys"]:  # transformers would initialise them at random, and only warn
            raise BadCheckpoint(self._folder, f"weights are missing: {', '.join(sorted(found['missing_keys'])[:3])}")
        return model


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as exc:
        raise ExtraMissing("An AltCLIP or CLIP model of transformers", "clip") from exc
    transformers.utils.logging.disable_progress_bar()  # of weights read from a disk
    return transformers


def _vector(output: Any) -> Any:
    """Return the vectors (n, D): transformers 5 returns an object that contains them, earlier releases the tensor."""
    return getattr(output, "pooler_output", output)


def _preprocess(folder: Path, shown: dict[str, Any]) -> Preprocess:
    """Return the preprocessing of the image processor in the folder. Raises `BadCheckpoint`."""
    try:
        size, crop = _side(shown["size"]), _side(shown.get("crop_size", shown["size"]))
        cropped = shown.get("do_center_crop", True)
        return Preprocess(
            size=crop if cropped else size,
            mean=tuple(shown["image_mean"]),
            std=tuple(shown["image_std"]),
            fit="crop" if cropped else "squash",
            interpolation=RESAMPLING_FILTERS[int(shown.get("resample", 3))],  # type: ignore[arg-type]
            half="down",
            shorter=size if cropped and size != crop else None,
        )
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        raise BadCheckpoint(folder / IMAGES, f"it does not describe the preprocessing of pictures: {exc!r}") from exc


def _side(size: Any) -> int:
    return int(size if isinstance(size, int) else size.get("shortest_edge") or size["height"])
