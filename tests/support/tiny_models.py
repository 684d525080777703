"""Tiny models of the real architectures with random weights, saved to disk like repositories on the hub."""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AltCLIPConfig,
    AltCLIPModel,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    M2M100Config,
    MT5Config,
    NllbTokenizer,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
)

from tests.support.tiny_clipseg import letters_of_clip

__all__ = ["KINDS", "reference", "tiny_altclip", "tiny_clip", "tiny_open_clip"]

VIT = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}


def _tower(name: str, pooler: str = "mean_pooler", **more: str) -> dict[str, Any]:
    """Return the configuration of a text tower of transformers."""
    named = {"hf_model_name": name, "hf_tokenizer_name": name, "hf_pooler_type": pooler}
    return {**named, **more, "context_length": 24}


SHOWN: dict[str, Any] = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic"}

KINDS: dict[str, dict[str, Any]] = {
    "vit": {"embed_dim": 16, "vision_cfg": VIT, "text_cfg": TEXT},
    "resnet": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
        "text_cfg": TEXT,
    },
    "xlmr": {"embed_dim": 32, "vision_cfg": VIT, "text_cfg": _tower("xlm-roberta-base")},
    "nllb": {
        "embed_dim": 16,
        "vision_cfg": VIT,
        "text_cfg": _tower("facebook/nllb-200-distilled-600M", "cls_pooler", hf_proj_type="linear"),
    },
    "mt5": {"embed_dim": 16, "vision_cfg": VIT, "text_cfg": _tower("google/mt5-base", hf_proj_type="mlp")},
    "coca": {
        "embed_dim": 32,
        "custom_text": True,
        "multimodal_cfg": {**TEXT, "context_length": 76, "attn_pooler_heads": 2},
        "vision_cfg": {**VIT, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        "text_cfg": {**TEXT, "context_length": 76, "embed_cls": True, "output_tokens": True},
    },
    "siglip": {
        "embed_dim": 64,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_vit",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            **TEXT,
            "context_length": 16,
            "vocab_size": 64,
            "hf_tokenizer_name": "timm/ViT-B-16-SigLIP2",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
        },
    },
}


def tiny_open_clip(folder: Path, kind: str = "vit", seed: int = 0) -> Path:
    """Write a model of one of `KINDS` into `folder`, which is created, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    config = KINDS[kind]
    shown = {**SHOWN, "resize_mode": "squash" if kind == "siglip" else "shortest"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": shown}))
    if "hf_tokenizer_name" in config["text_cfg"]:
        tokenizer = nllb_tokenizer() if kind == "nllb" else letters()
        tokenizer.save_pretrained(folder)
    if "hf_model_name" in config["text_cfg"]:
        _text_tower(kind).save_pretrained(folder)
    torch.manual_seed(seed)
    model = reference(folder)
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return folder


def reference(folder: Path) -> Any:
    """Return the model that open_clip builds from the configuration in `folder`, with random weights."""
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    custom = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
    if "hf_model_name" in config["text_cfg"]:
        config["text_cfg"].update(hf_model_name=str(folder), hf_model_pretrained=False)
    if "multimodal_cfg" in config:
        return open_clip.CoCa(**config).eval()
    return (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**config).eval()


def tiny_altclip(folder: Path, seed: int = 0) -> Path:
    """Write an AltCLIP of 32 x 32 pixels, 4 x 4 patches and 16 dimensions into `folder`, and return the folder."""
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = AltCLIPConfig(
        text_config={**_roberta(64).to_dict(), "project_dim": 24},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    torch.manual_seed(seed)
    AltCLIPModel(config).save_pretrained(folder)
    letters().save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def tiny_clip(folder: Path, seed: int = 0) -> Path:
    """Write a CLIP of transformers of the same sizes into `folder`, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = letters_of_clip(folder)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = CLIPConfig(
        text_config={**tower, **ends, "vocab_size": len(tokenizer), "max_position_embeddings": 77},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    torch.manual_seed(seed)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def letters() -> PreTrainedTokenizerFast:
    """Return a tokenizer with a token for every letter, and special tokens at both ends: <s> a </s>."""
    vocabulary = {
        token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *"▁abcdefghijklmnopqrstuvwxyz"])
    }
    made = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    ends = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=512, **ends)


def nllb_tokenizer() -> NllbTokenizer:
    """Return the real class with letters as words, followed by 202 languages."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *"▁abcdefghijklmnopqrstuvwxyz"]
    return NllbTokenizer(vocab={token: number for number, token in enumerate(tokens)}, merges=[])


def _text_tower(kind: str) -> PretrainedConfig:
    if kind == "mt5":
        return MT5Config(vocab_size=300, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, pad_token_id=1)
    if kind == "nllb":
        towers = {
            f"{part}_{name}": value
            for part in ("encoder", "decoder")
            for name, value in {"layers": 1, "attention_heads": 2, "ffn_dim": 64}.items()
        }
        return M2M100Config(vocab_size=300, d_model=32, max_position_embeddings=80, pad_token_id=1, **towers)
    return _roberta(300)


def _roberta(vocabulary: int) -> XLMRobertaConfig:
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return XLMRobertaConfig(
        vocab_size=vocabulary, max_position_embeddings=80, pad_token_id=1, type_vocab_size=1, **tower
    )
