"""A tiny CLIPSeg with random weights, saved to disk like its repository on the hub."""

import json
from pathlib import Path

import torch
from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPSegProcessor, CLIPTokenizer, ViTImageProcessor

__all__ = ["letters_of_clip", "tiny_clipseg"]

SIDE, PATCH = 32, 8


def tiny_clipseg(folder: Path, seed: int = 0) -> Path:
    """Write a model of 32 x 32 pixels, 4 x 4 patches and 16 dimensions into `folder`, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = letters_of_clip(folder)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = CLIPSegConfig(
        text_config={**tower, **ends, "vocab_size": len(tokenizer), "max_position_embeddings": 77, "pad_token_id": 1},
        vision_config={**tower, "image_size": SIDE, "patch_size": PATCH},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
        initializer_factor=1.0,
    )
    torch.manual_seed(seed)
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    images = ViTImageProcessor(size={"height": SIDE, "width": SIDE}, image_mean=mean, image_std=std)
    CLIPSegProcessor(images, tokenizer).save_pretrained(folder)
    return folder


def letters_of_clip(folder: Path) -> CLIPTokenizer:
    """Return a byte-level BPE without merges: every letter is a token, and the last one of a word a different one."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)
