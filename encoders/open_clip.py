"""CLIP models of open_clip, read from a local folder or file. Nothing is downloaded."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import BadCheckpoint, ExtraMissing, ModelUnavailable
from encoders.checkpoint import find_weights, model_files, read_json, weights_digest
from encoders.patch_features import open_clip_has_patch_features, open_clip_patches
from encoders.placement import Placement
from encoders.preprocess import Preprocess
from encoders.torch_encoder import TorchEncoder
from encoders.weight_files import OPEN_CLIP_CONFIG, TOKENIZER_FOLDER

__all__ = ["CONFIG", "LANGUAGE_VARIABLE", "OpenClipEncoder", "language_not_supported", "unknown_language"]

LANGUAGE_VARIABLE = "SIGHTLINE_MODEL_LANGUAGE"
"""Environment variable with the language of texts (`deu_Latn`), for models that need one. `?lang=` has priority."""

CONFIG = OPEN_CLIP_CONFIG
TOWER_CONFIG = "config.json"
VOCABULARIES = ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.json")
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")

OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
UNSAFE_MARK = "weights_only"
"""Part of the message of PyTorch about a file that would run code."""
FIT_BY_RESIZE_MODE = {"shortest": "crop", "longest": "pad", "squash": "squash"}
SIGLIP_PREPROCESS = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "resize_mode": "squash"}
"""The preprocessing of all SigLIP models, which a file of weights does not contain."""


class OpenClipEncoder(TorchEncoder):
    """The model in the folder `path`, laid out like open_clip's repositories on the hub; or a file of weights.

    A file needs the name of its `architecture` in open_clip. `language` is the source language of an NLLB text tower,
    such as `deu_Latn`. Creating an encoder reads configurations only. Raises `BadCheckpoint` for an unusable folder.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        architecture: str | None = None,
        language: str | None = None,
        placement: Placement,
    ) -> None:
        self._folder = path if path.is_dir() else path.parent
        self._weights = find_weights(path) if path.is_dir() else path
        self._config, preprocess = _read_config(path, architecture)
        vision, self._text = _towers(path, self._config)
        files = model_files(path, [self._weights]) if path.is_dir() else [path, *self._companions()]
        self.has_patch_features = open_clip_has_patch_features(vision)
        super().__init__(
            placement=placement,
            model=name,
            weights=weights_digest(self._folder, files),
            dim=int(self._config["embed_dim"]),
            preprocess=_preprocess(path, vision, preprocess),
            context_length=int(self._text.get("context_length", 77)),
        )
        needs_language = "nllb" in str(self._text.get("hf_tokenizer_name")).lower()
        if language is not None and not needs_language:
            raise language_not_supported(name)
        self.language = language or (os.environ.get(LANGUAGE_VARIABLE) if needs_language else None)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens included."""
        tokenizer = self._tokenizer
        if hasattr(tokenizer, "tokenizer"):
            return len(tokenizer.tokenizer(tokenizer.clean_fn(text)).input_ids)
        return len(tokenizer.encode(text)) + 2

    def _tokens(self, texts: Sequence[str]) -> Any:
        return self._tokenizer(list(texts))  # (n, context length)

    def _image_features(self, model: Any, pixels: Any) -> Any:
        return model.encode_image(pixels)

    def _text_features(self, model: Any, tokens: Any) -> Any:
        return model.encode_text(tokens)

    def _patch_features(self, model: Any, pixels: Any) -> Any:
        return open_clip_patches(model.visual, pixels)

    def _load(self) -> Any:
        open_clip = _open_clip()
        config = {**self._config, "text_cfg": self._text_config()}
        custom = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
        kind = open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP if custom else open_clip.CLIP
        try:
            model = kind(**config)
            open_clip.load_checkpoint(model, str(self._weights), strict=True, weights_only=True)
        except Exception as exc:  # damaged files surface as errors of many kinds
            # The message of PyTorch suggests to let the file run code.
            fault = (
                "it contains more than tensors; save it again as safetensors"
                if UNSAFE_MARK in str(exc)
                else _brief(exc)
            )
            raise BadCheckpoint(self._weights, fault) from exc
        return model

    def _text_config(self) -> dict[str, Any]:
        """Return the configuration of the text tower, with a local folder instead of a hub name."""
        if "hf_model_name" not in self._text:
            return self._text
        named = self._text["hf_model_name"]
        if (folder := self._folder_with(TOWER_CONFIG)) is not None:
            return {**self._text, "hf_model_name": str(folder), "hf_model_pretrained": False}
        raise ModelUnavailable(
            self.space.model,
            f"config.json of its text tower, {named}",
            f"Put it into {self._folder / TOKENIZER_FOLDER}; https://huggingface.co/{named} has it.",
        )

    def _folder_with(self, *files: str) -> Path | None:
        """Return the folder of the text tower that has one of `files`, or None."""
        folders = (self._folder / TOKENIZER_FOLDER, self._folder)
        return next((folder for folder in folders if any((folder / file).is_file() for file in files)), None)

    def _companions(self) -> list[Path]:
        """Return the files of the text tower next to a file of weights; the folder may contain unrelated files."""
        named = {"hf_model_name": (TOWER_CONFIG,), "hf_tokenizer_name": (*VOCABULARIES, *TOKENIZER_SETTINGS)}
        names = [name for key, some in named.items() if self._text.get(key) for name in some]
        folder = self._folder_with(*names)
        return [folder / name for name in names if (folder / name).is_file()] if folder else []

    @cached_property
    def _tokenizer(self) -> Any:
        open_clip, kwargs = _open_clip(), self._text.get("tokenizer_kwargs") or {}
        named = self._text.get("hf_tokenizer_name")
        if not named:
            return open_clip.SimpleTokenizer(context_length=self.context_length, **kwargs)
        folder = self._folder_with(*VOCABULARIES)
        if folder is None:
            remedy = f"Put the files of https://huggingface.co/{named} into {self._folder / TOKENIZER_FOLDER}."
            raise ModelUnavailable(self.space.model, f"its tokenizer, {named}", remedy)
        mode = self._text.get("tokenizer_mode")
        try:
            tokenizer = open_clip.tokenizer.HFTokenizer(
                str(folder), context_length=self.context_length, tokenizer_mode=mode, local_files_only=True, **kwargs
            )
        except Exception as exc:  # as above
            raise BadCheckpoint(folder, f"its tokenizer cannot be read: {_brief(exc)}") from exc
        if self.language is not None:
            self._set_language(tokenizer, self.language)
        return tokenizer

    def _set_language(self, tokenizer: Any, language: str) -> None:
        """Set the source language of an NLLB tokenizer. Raises `ModelUnavailable` for an unknown language."""
        inner = tokenizer.tokenizer
        if language not in inner.get_vocab():
            raise unknown_language(self.space.model, language)
        inner.src_lang = language  # open_clip's `set_language` is undone by the tokenizer's next call


def language_not_supported(name: str) -> ModelUnavailable:
    """The model `name` was told a language, and has no use for one."""
    return ModelUnavailable(name, "no language", "Only NLLB models have one: leave ?lang= out.")


def unknown_language(name: str, language: str) -> ModelUnavailable:
    """The NLLB model `name` has no language of this name."""
    remedy = "Languages are written as in FLORES-200: eng_Latn, deu_Latn, zho_Hans, ..."
    return ModelUnavailable(name, f"a language that it supports, not {language!r}", remedy)


def _open_clip() -> Any:
    try:
        import open_clip
        import open_clip.tokenizer
    except ImportError as exc:
        raise ExtraMissing("A CLIP model", "clip") from exc
    return open_clip


def _read_config(path: Path, architecture: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the configurations of the model and its preprocessing. Raises `BadCheckpoint` and `ExtraMissing`."""
    if architecture is None:
        content = read_json(path / CONFIG)
        return content.get("model_cfg", content), content.get("preprocess_cfg", {})
    from importlib.util import find_spec  # importing the package would take seconds

    spec = find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ExtraMissing("A CLIP model", "clip")
    file = Path(spec.origin).parent / "model_configs" / f"{Path(architecture).name}.json"
    if not file.is_file():
        raise BadCheckpoint(path, f"open_clip has no architecture {architecture!r}; it has ViT-B-32, RN50, ...")
    return read_json(file), SIGLIP_PREPROCESS if "siglip" in architecture.lower() else {}


def _towers(path: Path, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the configurations of the two towers. Raises `BadCheckpoint`."""
    missing = {"embed_dim", "vision_cfg", "text_cfg"} - set(config)
    if missing:
        raise BadCheckpoint(path, f"its configuration lacks {', '.join(sorted(missing))}")
    return config["vision_cfg"], config["text_cfg"]


def _preprocess(path: Path, vision: dict[str, Any], shown: dict[str, Any]) -> Preprocess:
    """Return the equivalent of open_clip's evaluation transform. Raises `BadCheckpoint` without one."""
    size = vision.get("image_size", 224)
    height, width = size if isinstance(size, list) else (size, size)
    fit = FIT_BY_RESIZE_MODE.get(shown.get("resize_mode") or "shortest")
    if height != width or fit is None:
        raise BadCheckpoint(path, f"its pictures are {width} x {height}, {shown.get('resize_mode')}: not supported")
    return Preprocess(
        size=int(height),
        mean=tuple(shown.get("mean") or OPENAI_MEAN),
        std=tuple(shown.get("std") or OPENAI_STD),
        fit=fit,  # type: ignore[arg-type]
        interpolation="bilinear" if shown.get("interpolation") == "bilinear" else "bicubic",
        fill=int(shown.get("fill_color") or 0),
    )


def _brief(exc: Exception) -> str:
    """Return the message of an exception in one line."""
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]
