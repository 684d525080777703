"""CLIP and its kin through open_clip, read from one local folder or file; nothing is ever fetched."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import BadCheckpoint, ExtraMissing, ModelUnavailable
from encoders.checkpoint import files_of, find_weights, read_json, weights_digest
from encoders.patch_features import open_clip_cells, open_clip_has_cells
from encoders.placement import Placement
from encoders.preprocess import Preprocess
from encoders.torch_encoder import TorchEncoder

__all__ = ["CONFIG", "LANGUAGE_VARIABLE", "OpenClipEncoder", "untold"]

LANGUAGE_VARIABLE = "SIGHTLINE_MODEL_LANGUAGE"
"""Environment variable with the language of texts (`deu_Latn`), for models that are told one. `?lang=` goes before."""

CONFIG = "open_clip_config.json"
TOKENIZER = "tokenizer"
"""A folder within the model's, for what its text tower takes from a repository of its own."""
TOWER = "config.json"
VOCABULARIES = ("tokenizer.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.json")
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")

OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
UNSAFE = "weights_only"
"""What PyTorch speaks of where reading a file would run code."""
FITS = {"shortest": "crop", "longest": "pad", "squash": "squash"}
SIGLIP = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "resize_mode": "squash"}
"""How all SigLIP models want their pictures; a file of weights alone does not say so."""


class OpenClipEncoder(TorchEncoder):
    """The model in `folder`, laid out as open_clip's repositories on the hub are; or a file of weights alone.

    A file needs the name of its `architecture`, as open_clip has it. `language` is the source language of an NLLB text
    tower, as `deu_Latn`. Building one reads configurations only. Raises `BadCheckpoint` for a folder that is no model.
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
        self._config, shown = _described(path, architecture)
        vision, self._text = _towers(path, self._config)
        files = files_of(path, [self._weights]) if path.is_dir() else [path, *self._beside()]
        self.has_cells = open_clip_has_cells(vision)
        super().__init__(
            placement=placement,
            model=name,
            weights=weights_digest(self._folder, files),
            dim=int(self._config["embed_dim"]),
            preprocess=_preprocess(path, vision, shown),
            context_length=int(self._text.get("context_length", 77)),
        )
        told = "nllb" in str(self._text.get("hf_tokenizer_name")).lower()
        if language is not None and not told:
            raise untold(name)
        self.language = language or (os.environ.get(LANGUAGE_VARIABLE) if told else None)

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is, those at its ends included."""
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

    def _cell_features(self, model: Any, pixels: Any) -> Any:
        return open_clip_cells(model.visual, pixels)

    def _load(self) -> Any:
        open_clip = _open_clip()
        config = {**self._config, "text_cfg": self._text_config()}
        custom = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
        kind = open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP if custom else open_clip.CLIP
        try:
            model = kind(**config)
            open_clip.load_checkpoint(model, str(self._weights), strict=True, weights_only=True)
        except Exception as exc:  # somebody else's files: damaged ones surface as errors of many kinds
            # PyTorch's own words tell people to let the file run code.
            fault = "it holds more than tensors; save it anew as safetensors" if UNSAFE in str(exc) else _brief(exc)
            raise BadCheckpoint(self._weights, fault) from exc
        return model

    def _text_config(self) -> dict[str, Any]:
        """The text tower's, with a tower of transformers described by a folder here instead of a name on the hub."""
        if "hf_model_name" not in self._text:
            return self._text
        named = self._text["hf_model_name"]
        if (folder := self._holding(TOWER)) is not None:
            return {**self._text, "hf_model_name": str(folder), "hf_model_pretrained": False}
        raise ModelUnavailable(
            self.space.model,
            f"config.json of its text tower, {named}",
            f"put it into {self._folder / TOKENIZER}; https://huggingface.co/{named} has it",
        )

    def _holding(self, *files: str) -> Path | None:
        """The folder, of those that may be of the text tower, that has one of `files`."""
        folders = (self._folder / TOKENIZER, self._folder)
        return next((folder for folder in folders if any((folder / file).is_file() for file in files)), None)

    def _beside(self) -> list[Path]:
        """What the text tower reads beside a file of weights, which may lie among files that are none of its."""
        named = {"hf_model_name": (TOWER,), "hf_tokenizer_name": (*VOCABULARIES, *TOKENIZER_SETTINGS)}
        names = [name for key, some in named.items() if self._text.get(key) for name in some]
        folder = self._holding(*names)
        return [folder / name for name in names if (folder / name).is_file()] if folder else []

    @cached_property
    def _tokenizer(self) -> Any:
        open_clip, kwargs = _open_clip(), self._text.get("tokenizer_kwargs") or {}
        named = self._text.get("hf_tokenizer_name")
        if not named:
            return open_clip.SimpleTokenizer(context_length=self.context_length, **kwargs)
        folder = self._holding(*VOCABULARIES)
        if folder is None:
            remedy = f"put the files of https://huggingface.co/{named} into {self._folder / TOKENIZER}"
            raise ModelUnavailable(self.space.model, f"its tokenizer, {named}", remedy)
        mode = self._text.get("tokenizer_mode")
        try:
            tokenizer = open_clip.tokenizer.HFTokenizer(
                str(folder), context_length=self.context_length, tokenizer_mode=mode, local_files_only=True, **kwargs
            )
        except Exception as exc:  # as above
            raise BadCheckpoint(folder, f"its tokenizer cannot be read: {_brief(exc)}") from exc
        if self.language is not None:
            self._speak(tokenizer, self.language)
        return tokenizer

    def _speak(self, tokenizer: Any, language: str) -> None:
        """Tells an NLLB tokenizer its source language, after making sure that it knows it."""
        inner = tokenizer.tokenizer
        if language not in inner.get_vocab():
            remedy = "languages are written as FLORES-200 has them: eng_Latn, deu_Latn, zho_Hans, ..."
            raise ModelUnavailable(self.space.model, f"a language that it knows, not {language!r}", remedy)
        inner.src_lang = language  # open_clip's `set_language` is undone by the tokenizer's next call


def untold(name: str) -> ModelUnavailable:
    """The model `name` was told a language, and has no use for one."""
    return ModelUnavailable(name, "no language", "only NLLB models are told one: leave ?lang= out")


def _open_clip() -> Any:
    try:
        import open_clip
        import open_clip.tokenizer
    except ImportError as exc:
        raise ExtraMissing("a CLIP model", "clip") from exc
    return open_clip


def _described(path: Path, architecture: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration of the model and of its preprocessing. Raises `BadCheckpoint` and `ExtraMissing`."""
    if architecture is None:
        content = read_json(path / CONFIG)
        return content.get("model_cfg", content), content.get("preprocess_cfg", {})
    from importlib.util import find_spec  # finds the package without importing it, which takes seconds

    spec = find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ExtraMissing("a CLIP model", "clip")
    file = Path(spec.origin).parent / "model_configs" / f"{Path(architecture).name}.json"
    if not file.is_file():
        raise BadCheckpoint(path, f"open_clip knows no architecture {architecture!r}; it has ViT-B-32, RN50, ...")
    return read_json(file), SIGLIP if "siglip" in architecture.lower() else {}


def _towers(path: Path, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configurations of the two towers. Raises `BadCheckpoint`."""
    missing = {"embed_dim", "vision_cfg", "text_cfg"} - set(config)
    if missing:
        raise BadCheckpoint(path, f"its configuration lacks {', '.join(sorted(missing))}")
    return config["vision_cfg"], config["text_cfg"]


def _preprocess(path: Path, vision: dict[str, Any], shown: dict[str, Any]) -> Preprocess:
    """What open_clip's transform for evaluation does. Raises `BadCheckpoint` for what only it could do."""
    size = vision.get("image_size", 224)
    height, width = size if isinstance(size, list) else (size, size)
    fit = FITS.get(shown.get("resize_mode") or "shortest")
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
    """What went wrong, in one line."""
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0][:300]
